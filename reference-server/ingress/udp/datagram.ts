import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { Kind } from '../../ports/message.js';

/** What a datagram is (udp.md, "Datagrams"). */
export const TYPE = {
  open: 1,
  challenge: 2,
  response: 3,
  ping: 4,
  pong: 5,
  close: 6,
  text: 16,
  binary: 17,
  json: 18,
} as const;

/** Longest datagram; longer ones may not arrive in one piece everywhere. */
const MOST_BYTES = 1200;
const HEADER_BYTES = 16;
const MAC_BYTES = 8;

/** Longest payload of a datagram. */
export const MOST_PAYLOAD_BYTES = MOST_BYTES - HEADER_BYTES - MAC_BYTES;

/** The last number of a message: there is no wrap (UDP-18). */
export const LAST_NUMBER = 0xffffffff;

const MAGIC = 0x5048; // 'P' 'H'
const VERSION = 1;

/** The number of the association of a datagram, as the grant has it; null where it is none of this protocol. */
export function associationOf(datagram: Buffer): string | null {
  if (datagram.length < HEADER_BYTES + MAC_BYTES) return null;
  if (datagram.readUInt16BE(0) !== MAGIC || datagram[2] !== VERSION) return null;
  if (datagram.length > MOST_BYTES && kindOf(datagram[3] ?? 0) === undefined) return null; // UDP-29
  return datagram.toString('base64url', 4, 12);
}

/** A datagram whose MAC has been found good. */
export interface Datagram {
  readonly type: number;
  readonly seq: number;
  readonly payload: Buffer;
}

const macOf = (key: Buffer, bytes: Buffer): Buffer =>
  createHmac('sha256', key).update(bytes).digest().subarray(0, MAC_BYTES);

/** The datagram, where `key` made its MAC; undefined where it did not (UDP-1). Compares in constant time. */
export function opened(bytes: Buffer, key: Buffer): Datagram | undefined {
  const end = bytes.length - MAC_BYTES;
  if (!timingSafeEqual(macOf(key, bytes.subarray(0, end)), bytes.subarray(end))) return undefined;
  return { type: bytes[3] ?? 0, seq: bytes.readUInt32BE(12), payload: bytes.subarray(HEADER_BYTES, end) };
}

/** The bytes of a datagram, with their MAC. */
export function sealed({ type, seq, payload }: Datagram, { assoc, key }: { assoc: Buffer; key: Buffer }): Buffer {
  const end = HEADER_BYTES + payload.length;
  const bytes = Buffer.allocUnsafe(end + MAC_BYTES);
  bytes.writeUInt16BE(MAGIC, 0);
  bytes[2] = VERSION;
  bytes[3] = type;
  assoc.copy(bytes, 4);
  bytes.writeUInt32BE(seq, 12);
  payload.copy(bytes, HEADER_BYTES);
  macOf(key, bytes.subarray(0, end)).copy(bytes, end);
  return bytes;
}

/** What a data datagram carries; undefined for the types of control. */
export function kindOf(type: number): Kind | undefined {
  if (type === TYPE.text) return 'text';
  if (type === TYPE.binary) return 'binary';
  return type === TYPE.json ? 'json' : undefined;
}

/** The keys of an association, one for each direction: HKDF-SHA256 (RFC 5869). */
export interface Keys {
  readonly c2s: Buffer;
  readonly s2c: Buffer;
}

/** Derives them from the 32 bytes of the sibling secret and the SHA-256 of the ticket; spec/vectors/udp.json. */
export function keysOf(secret: Buffer, ticketDigest: Buffer): Keys {
  const derive = (dir: string): Buffer =>
    Buffer.from(hkdfSync('sha256', secret, ticketDigest, `porthouse-udp-v1 ${dir}`, 32));
  return { c2s: derive('c2s'), s2c: derive('s2c') };
}
