import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { errors } from '../../generated/errors.js';
import type { ErrorName } from '../../generated/errors.js';
import type { Cancel } from '../ports/clock.js';
import type { Upgrade, UpgradeHandler } from '../ports/upgrade.js';
import { type ConnectionWire, SiblingConnection, type SiblingServices } from './connection.js';

const SUBPROTOCOL = 'porthouse.sibling.v1';
/**
 * How long a peer may take to answer a close frame, and how many answers to pings may wait for a peer that does not
 * read them before it is cut off. The library's types do not know these options yet.
 */
const PATIENCE = { closeTimeout: 2000, maxPendingAutoPongs: 1024 };

interface SiblingSocketOptions extends SiblingServices {
  readonly path: string;
}

/**
 * Parts that a message may come in. Each holds what it came in, which can be far longer than it is, and whoever sends
 * it need not be known yet.
 */
const PARTS = { maxFragments: 64, maxBufferedChunks: 4096 };

interface KeepAlive {
  /** A bind may have brought another `keepaliveMs`, and another clock. */
  adjust(): void;
  stop(): void;
}

interface Sockets {
  readonly webSocket: WebSocket;
  readonly socket: Duplex;
}

function wireOver({ webSocket, socket }: Sockets, drained: () => void): ConnectionWire {
  const close = (name: ErrorName): void => webSocket.close(errors[name].wsClose ?? 1011, name);
  return {
    get queued() {
      return socket.writableLength;
    },
    // Not the socket's `drain`: it comes only when more than the stream's own high-water mark was waiting.
    send: (text) => webSocket.send(text, drained),
    reading: (on) => (on ? webSocket.resume() : webSocket.pause()),
    close,
    refuse: close,
    cut: () => webSocket.terminate(),
  };
}

/** Sibling sockets over WebSocket: one text message is one JSON text. */
export class SiblingWebSockets implements UpgradeHandler {
  readonly path: string;
  readonly #options: SiblingSocketOptions;
  readonly #server: WebSocketServer;
  readonly #connections = new Set<SiblingConnection>();

  constructor(options: SiblingSocketOptions) {
    this.path = options.path;
    this.#options = options;
    this.#server = new WebSocketServer({
      ...PATIENCE,
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: options.limits.siblingMessageBytes,
      ...PARTS,
      handleProtocols: () => SUBPROTOCOL,
    });
  }

  upgrade(upgrade: Upgrade): void {
    if (!upgrade.protocols.includes(SUBPROTOCOL)) {
      upgrade.refuse({ refused: 'subprotocol_required' });
      return;
    }
    const { request, socket, head } = upgrade;
    this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#serve({ webSocket, socket }));
  }

  /** Closes the siblings that belong to no session; the others are told by theirs. */
  drain(): void {
    for (const connection of this.#connections) connection.drain();
  }

  #serve(sockets: Sockets): void {
    const { webSocket } = sockets;
    const connection: SiblingConnection = new SiblingConnection(
      this.#options,
      wireOver(sockets, () => connection.drained()),
    );
    this.#connections.add(connection);
    webSocket.on('message', (data, isBinary) => {
      const bytes = data as Buffer;
      if (isBinary) connection.refuse('not_text');
      else if (bytes.length > connection.limits.siblingMessageBytes) connection.refuse('message_too_long');
      else connection.receive(bytes.toString('utf8'));
      pings.adjust();
    });
    webSocket.on('error', () => connection.ended()); // the library closes with the right code by itself
    const pings = this.#keepAlive(sockets, connection);
    webSocket.on('close', () => {
      pings.stop();
      connection.ended();
      this.#connections.delete(connection);
    });
  }

  /** Pings a client of whom nothing was heard for `keepaliveMs`, and gives it up after as long again (WS-11). */
  #keepAlive({ webSocket, socket }: Sockets, connection: SiblingConnection): KeepAlive {
    let { clock } = connection;
    let period = connection.limits.keepaliveMs;
    let heard = clock.now();
    let pinged = false;
    let cancel: Cancel = () => undefined;
    socket.on('data', () => {
      heard = clock.now();
      pinged = false;
    });
    const watch = (ms: number): void => {
      cancel = clock.after(ms, () => {
        const left = heard + period - clock.now();
        if (left > 0) watch(left);
        else if (pinged) connection.refuse('timeout');
        else {
          pinged = true;
          webSocket.ping();
          watch(period);
        }
      });
    };
    watch(period);
    const adjust = (): void => {
      if (period === connection.limits.keepaliveMs && clock === connection.clock) return;
      ({ clock } = connection);
      heard = clock.now();
      period = connection.limits.keepaliveMs;
      cancel();
      watch(period);
    };
    return { adjust, stop: () => cancel() };
  }
}
