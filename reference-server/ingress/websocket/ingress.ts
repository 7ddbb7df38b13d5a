import { type WebSocket, WebSocketServer } from 'ws';
import type { PipeDoor } from '../../ports/pipe.js';
import type { Upgrade, UpgradeHandler } from '../../ports/upgrade.js';
import { WebSocketPipe } from './pipe.js';

const SUBPROTOCOL = 'porthouse.pipe.v1';
const TICKET = /^porthouse\.ticket\.([A-Za-z0-9_-]{43})$/;
const TICKET_PREFIX = 'porthouse.ticket.';

/**
 * How long a peer may take to answer a close frame, and how many answers to pings may wait for a peer that does not
 * read them before it is cut off. The library's types do not know these options yet.
 */
const PATIENCE = { closeTimeout: 2000, maxPendingAutoPongs: 1024 };

/** Parts of a message are at least this long on average, except for the first few. */
const BYTES_PER_PART = 64;
const LEAST_PARTS = 1024;

interface WebSocketIngressOptions {
  readonly path: string;
  readonly door: PipeDoor;
}

/**
 * Finishes the handshake, at once or not at all: undefined where the client is gone already. Each pipe has a library
 * server of its own, because each may have a limit of its own. The parts that a message may come in
 * are bounded too: each is kept together with what it came in, which can be far longer than it is.
 */
function accept({ request, socket, head }: Upgrade, hardMessageBytes: number): WebSocket | undefined {
  const parts = Math.max(LEAST_PARTS, Math.ceil(hardMessageBytes / BYTES_PER_PART));
  const server = new WebSocketServer({
    ...PATIENCE,
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: hardMessageBytes,
    maxFragments: parts,
    maxBufferedChunks: parts,
    // The library would echo the first protocol offered, which may be the ticket (TICKET-4).
    handleProtocols: () => SUBPROTOCOL,
  });
  const opened: WebSocket[] = [];
  server.handleUpgrade(request, socket, head, (webSocket) => opened.push(webSocket));
  return opened[0];
}

/** The WebSocket input method: one WebSocket message is one message (WS-8). */
export class WebSocketIngress implements UpgradeHandler {
  readonly path: string;
  readonly #options: WebSocketIngressOptions;

  constructor(options: WebSocketIngressOptions) {
    this.path = options.path;
    this.#options = options;
  }

  upgrade(upgrade: Upgrade): void {
    const offered = upgrade.protocols;
    const shown = offered.filter((protocol) => protocol.startsWith(TICKET_PREFIX));
    if (!offered.includes(SUBPROTOCOL) || shown.length !== 1) {
      upgrade.refuse({ refused: 'subprotocol_required' });
      return;
    }
    const ticket = TICKET.exec(shown[0] ?? '')?.[1];
    const offer = this.#options.door.redeem(ticket ?? '', 'websocket');
    if ('refused' in offer) {
      upgrade.refuse(offer);
      return;
    }
    const { hardMessageBytes } = offer.limits;
    const webSocket = accept(upgrade, hardMessageBytes);
    if (!webSocket) {
      offer.abandon();
      return;
    }
    const { keepaliveMs } = offer.limits; // all of them, copied for each pipe, would be most of what it keeps
    const { socket } = upgrade;
    const { clock } = offer;
    const pipe = new WebSocketPipe({ webSocket, socket, clock, keepaliveMs, hardMessageBytes });
    pipe.attach(offer.open(pipe));
  }
}
