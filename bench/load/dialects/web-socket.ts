import { randomBytes } from 'node:crypto';
import type { Dialect } from '../dialect.js';
import type { Parser } from '../parser.js';
import type { Frame } from '../ring.js';
import { Wire } from '../wire.js';

const TEXT = 0x1;
const BINARY = 0x2;
const CLOSE = 0x8;
const KEY_BYTES = 16;

/** Length of a head of HTTP with the empty line behind it; negative while it is not all there. */
export function headLength(bytes: Buffer): number {
  const end = bytes.indexOf('\r\n\r\n');
  return end < 0 ? -1 : end + 4;
}

/** Unmasked frames (RFC 6455, section 5.2), as a server sends them; no server here fragments. */
export class FrameParser implements Parser {
  start = -1;
  end = -1;

  next(bytes: Buffer, at: number): number {
    const there = bytes.length - at;
    const short = (bytes[at + 1] ?? 0) & 0x7f;
    const header = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (there < header) return -1;
    const length =
      header === 2 ? short : header === 4 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
    const end = at + header + length;
    if (end > bytes.length) return -1;
    const opcode = (bytes[at] ?? 0) & 0xf;
    if (opcode === CLOSE) throw new Error(`closed: ${bytes.toString('latin1', at + header, end)}`);
    this.start = opcode === BINARY || opcode === TEXT ? at + header : -1;
    this.end = end;
    return end;
  }
}

/** A masked frame. The mask is not zero: a zero one is a short cut for some. */
export function maskedFrame(payload: Buffer, kind: 'text' | 'binary'): Frame {
  const mask = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
  const header = Buffer.alloc(payload.length < 126 ? 2 : payload.length < 65536 ? 4 : 10);
  header[0] = 0x80 | (kind === 'text' ? TEXT : BINARY);
  header[1] = 0x80 | (header.length === 2 ? payload.length : header.length === 4 ? 126 : 127);
  if (header.length === 4) header.writeUInt16BE(payload.length, 2);
  if (header.length === 10) header.writeBigUInt64BE(BigInt(payload.length), 2);
  const masked = payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  return { bytes: Buffer.concat([header, mask, masked]), payloadAt: header.length + mask.length, mask };
}

/** Opens a WebSocket; everything behind the answer is still to be read. */
export async function openWebSocket(url: URL, protocols: readonly string[] = []): Promise<Wire> {
  const wire = await Wire.open(Number(url.port));
  const offer = protocols.length === 0 ? '' : `Sec-WebSocket-Protocol: ${protocols.join(', ')}\r\n`;
  wire.write(
    `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(KEY_BYTES).toString('base64')}\r\n${offer}\r\n`,
  );
  const head = (await wire.next(headLength)).toString('latin1');
  if (!head.startsWith('HTTP/1.1 101')) throw new Error(`not opened: ${head}`);
  return wire;
}

/** The next text message of a WebSocket that is still being set up. */
export async function nextText(wire: Wire): Promise<string> {
  const parser = new FrameParser();
  const frame = await wire.next((bytes) => parser.next(bytes, 0));
  return frame.toString('utf8', parser.start, parser.end);
}

/** Nothing but a WebSocket: every message goes to everybody else. */
export const webSocket: Dialect = {
  parser: new FrameParser(),
  frame: (payload) => maskedFrame(payload, 'binary'),
  start: (url) => Promise.resolve(() => openWebSocket(url)),
};
