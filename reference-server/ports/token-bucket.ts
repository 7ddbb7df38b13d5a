import type { Clock } from './clock.js';

const MS_PER_SECOND = 1000;

/**
 * A rate exactly, by whatever clock: a bucket that begins full, gains tokens evenly, and holds no more than `burst`
 * (default: a second's). The router and the ingresses measure by the same one.
 */
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

  /** Takes `cost` tokens where there is one, and owes what that is more than there are; else false, and takes none. */
  take(cost = 1): boolean {
    this.#fill();
    if (this.#tokens < 1) return false;
    this.#tokens -= cost;
    return true;
  }

  /** Milliseconds until there is a token. */
  get waitMs(): number {
    this.#fill();
    return this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) * MS_PER_SECOND) / this.#perSecond);
  }

  #fill(): void {
    const now = this.#clock.now();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) * this.#perSecond) / MS_PER_SECOND);
    this.#at = now;
  }
}
