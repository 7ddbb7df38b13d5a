import type { Header } from '../mutant.js';

/** The first line and the headers of an HTTP/1.1 message, and the bytes that they were read from. */
export interface Head {
  readonly start: string;
  readonly headers: readonly Header[];
  readonly raw: Buffer;
}

/** How the body of a message ends (RFC 9112 §6.3); `suspend` waits for the answer before anything more is read. */
export type Framing =
  { readonly kind: 'none' | 'chunked' | 'close' | 'suspend' } | { readonly kind: 'length'; readonly bytes: number };

const HEADER = /^([^:\s]+):[ \t]*(.*?)[ \t]*$/;

/** Reads `raw`, which ends with the empty line; undefined where it is no head at all. */
export function parseHead(raw: Buffer): Head | undefined {
  const [start, ...lines] = raw.toString('latin1').slice(0, -4).split('\r\n');
  const headers: Header[] = [];
  for (const line of lines) {
    const match = HEADER.exec(line);
    if (match === null) return undefined;
    headers.push([match[1] ?? '', match[2] ?? '']);
  }
  return start === undefined || !/HTTP\/1\.[01]/.test(start) ? undefined : { start, headers, raw };
}

/** The bytes of a head made afresh. */
export function encodeHead(start: string, headers: readonly Header[]): Buffer {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${start}\r\n${lines.join('')}\r\n`, 'latin1');
}

/** The first value of the header `name`, whatever its case. */
export function headerOf(headers: readonly Header[], name: string): string | undefined {
  return headers.find(([other]) => other.toLowerCase() === name.toLowerCase())?.[1];
}

/** `headers` with `name` set once, in its old place, or removed where `value` is undefined. */
export function withHeader(headers: readonly Header[], name: string, value: string | undefined): readonly Header[] {
  const key = name.toLowerCase();
  const at = headers.findIndex(([other]) => other.toLowerCase() === key);
  const rest = headers.filter(([other]) => other.toLowerCase() !== key);
  if (value === undefined) return rest;
  const place = at < 0 ? rest.length : at;
  return [...rest.slice(0, place), [headers[at]?.[0] ?? name, value], ...rest.slice(place)];
}

/** How the body after these headers ends, where the first line alone does not tell. */
export function framingOf(headers: readonly Header[], otherwise: Framing): Framing {
  if (/\bchunked\b/i.test(headerOf(headers, 'transfer-encoding') ?? '')) return { kind: 'chunked' };
  const length = headerOf(headers, 'content-length');
  return length !== undefined && /^\d+$/.test(length) ? { kind: 'length', bytes: Number(length) } : otherwise;
}
