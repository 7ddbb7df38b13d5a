import type { Clock } from '../ports/clock.js';

const MS_PER_SECOND = 1000;

/** A rate exactly: a bucket that begins full, gains tokens evenly, and holds no more than `burst` (default: a second's). */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  constructor(clock: Clock, rate: { readonly perSecond: number; readonly burst?: number }) {
    this.#clock = clock;
    this.#perSecond = rate.perSecond;
    this.#burst = rate.burst ?? rate.perSecond;
    this.#tokens = this.#burst;
    this.#at = clock.now();
  }

  /** Takes a token; false, and takes none, where there is less than one. */
  take(): boolean {
    const now = this.#clock.now();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) * this.#perSecond) / MS_PER_SECOND);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
