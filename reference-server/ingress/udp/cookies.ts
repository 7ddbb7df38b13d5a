import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Entropy } from '../../ports/clock.js';
import type { Address } from '../../ports/sockets.js';

const KEY_BYTES = 32;
const COOKIE_BYTES = 16;

/** A cookie is good in the slot in which it was made and in the next: for 10 to 20 seconds. */
const SLOT_MS = 10_000;

/** For what a cookie is made: it says that whoever has it receives what is sent there. */
export interface Proof {
  readonly assoc: Buffer;
  readonly from: Address;
  /** In the time of the session. */
  readonly now: number;
}

/** Makes cookies and knows them again, without keeping any. */
export class Cookies {
  readonly #key: Buffer;

  constructor(entropy: Entropy) {
    this.#key = entropy.bytes(KEY_BYTES);
  }

  make({ assoc, from, now }: Proof): Buffer {
    return this.#cookie({ assoc, from }, Math.floor(now / SLOT_MS));
  }

  /** Whether it was made for this, not long ago. */
  good(cookie: Buffer, { assoc, from, now }: Proof): boolean {
    if (cookie.length !== COOKIE_BYTES) return false;
    const slot = Math.floor(now / SLOT_MS);
    return [slot, slot - 1].some((each) => timingSafeEqual(cookie, this.#cookie({ assoc, from }, each)));
  }

  #cookie({ assoc, from }: Pick<Proof, 'assoc' | 'from'>, slot: number): Buffer {
    const place = `${from.host} ${String(from.port)} ${String(slot)}`;
    return createHmac('sha256', this.#key).update(assoc).update(place).digest().subarray(0, COOKIE_BYTES);
  }
}
