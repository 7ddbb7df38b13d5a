import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock, Entropy } from '../../ports/clock.js';

const [CLIENT_BYTES, TIME_BYTES, MAC_BYTES, KEY_BYTES] = [16, 6, 32, 32];
const CHARACTERS = ((CLIENT_BYTES + TIME_BYTES + MAC_BYTES) / 3) * 4;

/** Tickets that are their own proof: a page that is only looked at costs no memory. They end with the process. */
export class PageTickets {
  readonly #key: Buffer;
  readonly #clock: Clock;
  readonly #entropy: Entropy;

  constructor({ clock, entropy }: { readonly clock: Clock; readonly entropy: Entropy }) {
    this.#key = entropy.bytes(KEY_BYTES);
    this.#clock = clock;
    this.#entropy = entropy;
  }

  /** A ticket for a room, good for so long, of a client that nobody has seen before. */
  issue(room: string, ms: number): string {
    const expires = Buffer.alloc(TIME_BYTES);
    expires.writeUIntBE(Math.ceil(this.#clock.now() + ms), 0, TIME_BYTES);
    const claims = Buffer.concat([this.#entropy.bytes(CLIENT_BYTES), expires]);
    return Buffer.concat([claims, this.#mac(room, claims)]).toString('base64url');
  }

  /** Whom a ticket was given to; null where it is none, is late, or is for another room. */
  client(ticket: string, room: string): string | null {
    if (!this.looksLike(ticket)) return null;
    const bytes = Buffer.from(ticket, 'base64url');
    const claims = bytes.subarray(0, CLIENT_BYTES + TIME_BYTES);
    if (!timingSafeEqual(bytes.subarray(claims.length), this.#mac(room, claims))) return null;
    if (claims.readUIntBE(CLIENT_BYTES, TIME_BYTES) <= this.#clock.now()) return null;
    return claims.toString('base64url', 0, CLIENT_BYTES);
  }

  looksLike(ticket: string): boolean {
    return ticket.length === CHARACTERS && /^[\w-]+$/.test(ticket);
  }

  #mac(room: string, claims: Buffer): Buffer {
    return createHmac('sha256', this.#key).update(`porthouse-form-v1\n${room}\n`).update(claims).digest();
  }
}
