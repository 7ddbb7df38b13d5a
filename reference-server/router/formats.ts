import { isUtf8 } from 'node:buffer';
import type { Formats } from '../../generated/types.js';
import type { Kind } from '../ports/message.js';
import type { RoomTerms } from './room-terms.js';

const KINDS: readonly Kind[] = ['text', 'json', 'binary'];

/** True for the bytes of one JSON text (RFC 8259): UTF-8 without a byte order mark, and it parses. */
export function isJson(payload: Buffer): boolean {
  if (!isUtf8(payload)) return false;
  try {
    JSON.parse(payload.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

/** Whether a payload of one kind may be called another without touching a byte of it (FMT-2). */
export function convertible(payload: Buffer, from: Kind, to: Kind): boolean {
  if (from === to || to === 'binary') return true;
  if (to === 'json') return isJson(payload);
  return from === 'json' || isUtf8(payload);
}

/** What a message arrives as: what is called JSON is that, a text is if its client has switched to it (SWITCH-2), or it is nothing. */
export function arrivesAs(sendsAs: Kind | null, kind: Kind, payload: Buffer): Kind | null {
  if (kind === 'json') return isJson(payload) ? kind : null; // TCP-16, UDP-9
  if (sendsAs !== 'json' || kind !== 'text') return kind;
  return isJson(payload) ? 'json' : null;
}

/**
 * What a message is in a room: its kind there, or null where the room does not take it (FMT-1, FMT-3).
 * A room of format `json` validates, because its format says so; no other room looks into a payload unasked.
 */
export function kindInRoom(room: RoomTerms, kind: Kind, payload: Buffer): Kind | null {
  if (room.format === 'any' || room.format === kind) return kind;
  const sameOnTheWire = room.format === 'json' && kind === 'text';
  if (!sameOnTheWire && room.onMismatch !== 'convert') return null;
  return convertible(payload, kind, room.format) ? room.format : null;
}

/** The kind under which a member can take a message, or null where it is undeliverable to it (FMT-5). */
export function kindForMember(
  room: RoomTerms,
  receive: readonly Kind[],
  message: { kind: Kind; payload: Buffer },
): Kind | null {
  if (receive.includes(message.kind)) return message.kind;
  if (room.onMismatch !== 'convert') return null;
  if (room.boundaries === 'ignored' && message.kind === 'binary') return null; // STREAM-3
  return KINDS.find((kind) => receive.includes(kind) && convertible(message.payload, message.kind, kind)) ?? null;
}

/** Whether a client that offers these formats has any use for the room (FMT-7). */
export function overlaps(room: RoomTerms, formats: Formats, scopes: readonly string[]): boolean {
  if (room.format === 'any' || room.onMismatch === 'convert') return true;
  const sends = !scopes.includes('send') || formats.send.includes(room.format);
  const receives = !scopes.includes('receive') || formats.receive.includes(room.format);
  return sends && receives;
}

/** Whether a client that offered `send` may send a message of this kind (FMT-4). */
export function offered(send: readonly Kind[], kind: Kind): boolean {
  return send.includes(kind) || (kind === 'text' && send.includes('json'));
}
