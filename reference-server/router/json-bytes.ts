/** Bytes of a pair of brackets, and of a colon or a comma. */
const BRACKETS = 2;
const MARK = 1;

/** Bytes of a value without what it holds, as JSON.stringify writes it. */
function ownBytes(value: unknown): number {
  if (Array.isArray(value)) return BRACKETS + MARK * Math.max(0, value.length - 1);
  if (typeof value !== 'object' || value === null) return Buffer.byteLength(JSON.stringify(value));
  const keys = Object.keys(value);
  const names = keys.reduce((sum, key) => sum + Buffer.byteLength(JSON.stringify(key)) + MARK, 0);
  return BRACKETS + MARK * Math.max(0, keys.length - 1) + names;
}

/** How much JSON is too much: bytes of its text (AGENT-13), arrays and objects within each other (AGENT-17). */
interface Most {
  readonly bytes: number;
  readonly depth: number;
}

/**
 * Whether a JSON value is longer or nested deeper than that. Looks no further than needed and goes down without
 * recursion: how deep a value is nested is up to a stranger.
 */
export function exceeds(value: unknown, most: Most): 'bytes' | 'depth' | null {
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 0 }];
  let bytes = 0;
  for (let next = open.pop(); next; next = open.pop()) {
    const { value: held, depth } = next;
    bytes += ownBytes(held);
    if (bytes > most.bytes) return 'bytes';
    if (typeof held !== 'object' || held === null) continue;
    if (depth >= most.depth) return 'depth';
    for (const inner of Object.values(held)) open.push({ value: inner, depth: depth + 1 });
  }
  return null;
}
