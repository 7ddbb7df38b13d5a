import type { Cancel, Clock } from '../ports/clock.js';
import type { Refusal } from '../ports/refusal.js';

/** The cancellation of what is settled already. */
export const SETTLED: Cancel = () => undefined;

interface Wait {
  readonly n: number;
  readonly settle: (refusal?: Refusal) => void;
  readonly cancel: Cancel;
}

const NONE: readonly Wait[] = [];

/** Calls that wait for the n-th message of a pipe, each with a deadline of its own. */
export class Waiting {
  readonly #clock: Clock;
  #waits = NONE;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#waits.length;
  }

  /** Settles once `reached(n)` was called for it, with `late` after `ms`, or with what `fail` gives; never when cancelled. */
  add(wait: { n: number; ms: number; late: () => Refusal; settle: (refusal?: Refusal) => void }): Cancel {
    const entry: Wait = {
      n: wait.n,
      settle: wait.settle,
      cancel: this.#clock.after(wait.ms, () => {
        this.#waits = this.#waits.filter((other) => other !== entry);
        wait.settle(wait.late());
      }),
    };
    this.#waits = [...this.#waits, entry];
    return () => void this.#take((other) => other === entry);
  }

  reached(n: number): void {
    if (this.#waits.length > 0) this.#take((wait) => wait.n <= n).forEach((wait) => wait.settle());
  }

  fail(refusal: Refusal): void {
    this.#take(() => true).forEach((wait) => wait.settle(refusal));
  }

  #take(ready: (wait: Wait) => boolean): readonly Wait[] {
    const taken = this.#waits.filter(ready);
    this.#waits = this.#waits.filter((wait) => !taken.includes(wait));
    for (const wait of taken) wait.cancel();
    return taken;
  }
}
