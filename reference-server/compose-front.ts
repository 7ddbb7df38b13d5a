import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type FrontOptions, createFront } from './http/front.js';
import { WebSocketIngress } from './ingress/websocket/ingress.js';
import type { PipeDoor } from './ports/pipe.js';
import type { SiblingServices } from './sibling/connection.js';
import { SiblingWebSockets } from './sibling/websocket.js';
import { systemClock } from './system.js';
import { Pages } from './web/pages.js';

export const PIPE_PATH = '/porthouse/v1/pipe';
export const SIBLING_PATH = '/porthouse/v1/sibling';

interface FrontParts extends SiblingServices, Omit<FrontOptions, 'upgrades' | 'pages' | 'clock'> {
  readonly door: PipeDoor;
}

/** The HTTP entry with everything that is reached through it. */
export interface OpenFront {
  readonly front: Server;
  readonly siblings: SiblingWebSockets;
  /** The connections that are no longer HTTP. */
  readonly sockets: ReadonlySet<Duplex>;
}

/** Makes the HTTP entry. Not yet listening. */
export function openFront(parts: FrontParts): OpenFront {
  const siblings = new SiblingWebSockets({ ...parts, path: SIBLING_PATH });
  const front = createFront({
    ...parts,
    pages: new Pages(),
    upgrades: [new WebSocketIngress({ ...parts, path: PIPE_PATH }), siblings],
  });
  return { front, siblings, sockets: upgradedSockets(front) };
}

function upgradedSockets(front: Server): ReadonlySet<Duplex> {
  const sockets = new Set<Duplex>();
  // One listener for all of them: it is there for as long as a connection, and a wrapper of its own is what weighs.
  function gone(this: Duplex): void {
    sockets.delete(this);
  }
  front.on('upgrade', ({ url = '' }, socket) => {
    if (![PIPE_PATH, SIBLING_PATH].includes(url.split('?', 1)[0] ?? '')) return; // goes on as HTTP
    sockets.add(socket);
    socket.on('close', gone);
  });
  return sockets;
}

/** Waits for the last connection to end, at most `ms`, then ends what is left; requests are answered meanwhile. */
export async function over(groups: readonly ReadonlySet<Duplex>[], ms: number): Promise<void> {
  const left = (): Duplex[] => groups.flatMap((group) => [...group]);
  const stop = systemClock.after(ms, () => left().forEach((socket) => socket.destroy()));
  while (left().length > 0) {
    await Promise.all(left().map((socket) => new Promise((gone) => socket.once('close', gone))));
  }
  stop();
}
