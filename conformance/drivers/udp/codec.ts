import { createHash, createHmac } from 'node:crypto';
import type { MessageKind } from '../driver.js';

/** Types of datagrams (spec/protocol/udp.md). */
export const TYPES = {
  OPEN: 1,
  CHALLENGE: 2,
  RESPONSE: 3,
  PING: 4,
  PONG: 5,
  CLOSE: 6,
  TEXT: 16,
  BIN: 17,
  JSON: 18,
} as const;

const KINDS: ReadonlyMap<number, MessageKind> = new Map([
  [TYPES.TEXT, 'text'],
  [TYPES.BIN, 'binary'],
  [TYPES.JSON, 'json'],
]);

/** What a type of datagram carries; undefined where that is no message. */
export const kindOfType = (type: number): MessageKind | undefined => KINDS.get(type);

/** The type that carries a kind of message. */
export const typeOfKind = (kind: MessageKind): number =>
  kind === 'json' ? TYPES.JSON : kind === 'text' ? TYPES.TEXT : TYPES.BIN;

/** The two keys of an association. */
export interface UdpKeys {
  readonly c2s: Buffer;
  readonly s2c: Buffer;
}

const hmac = (key: Buffer, ...parts: readonly Buffer[]): Buffer =>
  parts.reduce((made, part) => made.update(part), createHmac('sha256', key)).digest();

/** Makes the keys from secret and ticket as the grant has them. 32 bytes are one block of HKDF (RFC 5869). */
export function udpKeys(siblingSecret: string, pipeTicket: string): UdpKeys {
  const salt = createHash('sha256').update(pipeTicket, 'ascii').digest();
  const extracted = hmac(salt, Buffer.from(siblingSecret, 'base64url'));
  const expand = (dir: string): Buffer => hmac(extracted, Buffer.from(`porthouse-udp-v1 ${dir}`), Buffer.from([1]));
  return { c2s: expand('c2s'), s2c: expand('s2c') };
}

/** A datagram without its MAC, as it is to be or as it was read. */
export interface UdpDatagram {
  readonly type: number;
  readonly assoc: Buffer;
  readonly seq: number;
  readonly payload: Buffer;
}

const HEAD = 16;
const MAC = 8;

/** The bytes of a datagram. */
export function encodeUdp({ type, assoc, seq, payload }: UdpDatagram, key: Buffer): Buffer {
  const number = Buffer.alloc(4);
  number.writeUInt32BE(seq);
  const body = Buffer.concat([Buffer.from([0x50, 0x48, 1, type]), assoc, number, payload]);
  return Buffer.concat([body, hmac(key, body).subarray(0, MAC)]);
}

/** The datagram that bytes are, or what is wrong with them. */
export function decodeUdp(bytes: Buffer, key: Buffer): UdpDatagram | string {
  if (bytes.length < HEAD + MAC) return 'datagram_too_short';
  if (bytes.length > 1200) return 'datagram_too_long';
  if (bytes.toString('latin1', 0, 3) !== 'PH\u0001') return 'datagram_of_another_protocol';
  const body = bytes.subarray(0, -MAC);
  if (!hmac(key, body).subarray(0, MAC).equals(bytes.subarray(-MAC))) return 'datagram_with_a_wrong_mac';
  return { type: bytes[3] ?? 0, assoc: body.subarray(4, 12), seq: body.readUInt32BE(12), payload: body.subarray(HEAD) };
}
