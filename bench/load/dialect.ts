import type { Parser } from './parser.js';
import type { Frame } from './ring.js';

/** What a connection is for. Only Porthouse has siblings. */
export type Role = 'sender' | 'member' | 'member with sibling';

/** A connection that is open, as those who use it see it. */
export interface Line {
  write(bytes: Buffer | string): void;
  /** From now on everything that comes goes to `take`, which must not hold on to it. */
  follow(take: (bytes: Buffer) => void): void;
}

/** How the load generator speaks with one kind of server. */
export interface Dialect {
  readonly parser: Parser;
  frame(payload: Buffer): Frame;
  /** Readies whatever the connections share; resolves with what opens them, several at a time. */
  start(url: URL): Promise<(role: Role) => Promise<Line>>;
}
