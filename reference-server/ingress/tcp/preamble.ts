import type { Framing } from '../../../generated/types.js';

/** Longest preamble, its LF included. */
export const MOST_PREAMBLE_BYTES = 128;

const LF = 0x0a;
const PIPE = /^PH1 ([A-Za-z0-9_-]{43}) (raw|line|frame)$/;
const SIBLING = 'PH1-SIBLING';
const BEGINNING = 'PH1';

/** What a connection says that it is, and the bytes that have come behind that. */
export type Preamble = { readonly rest: Buffer } & (
  { readonly kind: 'pipe'; readonly ticket: string; readonly framing: Framing } | { readonly kind: 'sibling' }
);

function read(line: string): { kind: 'pipe'; ticket: string; framing: Framing } | { kind: 'sibling' } | null {
  if (line === SIBLING) return { kind: 'sibling' };
  const [, ticket, framing] = PIPE.exec(line) ?? [];
  return ticket === undefined ? null : { kind: 'pipe', ticket, framing: framing as Framing };
}

/** The first bytes of a connection: undefined while there are too few, null where they are no preamble (TCP-2). */
export function readPreamble(bytes: Buffer): Preamble | null | undefined {
  const end = bytes.subarray(0, MOST_PREAMBLE_BYTES).indexOf(LF);
  if (end < 0) {
    const begins = BEGINNING.startsWith(bytes.toString('latin1', 0, BEGINNING.length));
    return begins && bytes.length < MOST_PREAMBLE_BYTES ? undefined : null; // HTTP shows itself by its first letter
  }
  const said = read(bytes.toString('latin1', 0, end));
  return said && { ...said, rest: bytes.subarray(end + 1) };
}
