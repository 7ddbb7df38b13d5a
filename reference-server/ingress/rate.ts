import type { Clock } from '../ports/clock.js';

/** A token bucket, as rooms have them (policies.md): it begins full, and holds a second's tokens. */
export class Rate {
  readonly #clock: Clock;
  readonly #perSecond: number;
  #tokens: number;
  #filledAt: number;

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
    this.#filledAt = clock.now();
  }

  /** Takes `cost` tokens where there is one; what that costs beyond those that are there is owed. */
  take(cost = 1): boolean {
    this.#fill();
    if (this.#tokens < 1) return false;
    this.#tokens -= cost;
    return true;
  }

  /** Milliseconds until there is a token. */
  get waitMs(): number {
    this.#fill();
    return this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) * 1000) / this.#perSecond);
  }

  #fill(): void {
    const now = this.#clock.now();
    this.#tokens = Math.min(this.#perSecond, this.#tokens + ((now - this.#filledAt) * this.#perSecond) / 1000);
    this.#filledAt = now;
  }
}
