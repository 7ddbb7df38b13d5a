import type { Parser } from './parser.js';
import type { Frame } from './ring.js';
import type { Wire } from './wire.js';

/** What a connection is for. Only Porthouse has siblings. */
export type Role = 'sender' | 'member' | 'member with sibling';

/** How the load generator speaks with one kind of server. */
export interface Dialect {
  readonly parser: Parser;
  frame(payload: Buffer): Frame;
  /** Readies whatever the connections share; resolves with what opens them, several at a time. */
  start(url: URL): Promise<(role: Role) => Promise<Wire>>;
}
