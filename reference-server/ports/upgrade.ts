import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Refusal } from './refusal.js';

/** An HTTP request that asks to become a WebSocket and has all that RFC 6455 demands of one. The socket is any duplex stream, a real one or a virtual one. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  /** The subprotocols that the client offers (RFC 6455, section 4.1), each once; none where the header is malformed. */
  readonly protocols: readonly string[];
  /** Answers with the status that the registry names, and closes (HTTP-1). */
  refuse(refusal: Refusal): void;
}

/** Whoever speaks WebSocket at a path. */
export interface UpgradeHandler {
  readonly path: string;
  upgrade(upgrade: Upgrade): void;
}
