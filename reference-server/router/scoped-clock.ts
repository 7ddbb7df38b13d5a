import type { Cancel, Clock } from '../ports/clock.js';

interface Timer {
  readonly due: number;
  readonly run: () => void;
  /** Takes it back from the clock below. */
  stop: Cancel;
}

/**
 * The clock of one session, which a test may put forward. Between two such leaps it goes as the clock below goes, and
 * whatever is due on the way of a leap happens in order, at its own time.
 */
export class ScopedClock implements Clock {
  readonly #base: Clock;
  readonly #timers = new Set<Timer>();
  #ahead = 0;

  constructor(base: Clock) {
    this.#base = base;
  }

  now(): number {
    return this.#base.now() + this.#ahead;
  }

  after(ms: number, run: () => void): Cancel {
    const timer: Timer = { due: this.now() + ms, run, stop: () => undefined };
    this.#timers.add(timer);
    this.#wait(timer);
    return () => this.#take(timer);
  }

  /** Lets `ms` pass, on top of the time that passes by itself (HOOK-5). */
  advance(ms: number): void {
    const until = this.now() + ms;
    for (let next = this.#first(until); next; next = this.#first(until)) {
      this.#goTo(next.due);
      this.#take(next);
      next.run();
    }
    this.#goTo(until);
    for (const timer of this.#timers) this.#wait(timer);
  }

  #goTo(time: number): void {
    this.#ahead += Math.max(0, time - this.now());
  }

  #first(until: number): Timer | undefined {
    const due = [...this.#timers].filter((timer) => timer.due <= until);
    return due.reduce<Timer | undefined>(
      (first, timer) => (first && first.due <= timer.due ? first : timer),
      undefined,
    );
  }

  #wait(timer: Timer): void {
    timer.stop();
    timer.stop = this.#base.after(Math.max(0, timer.due - this.now()), () => {
      this.#take(timer);
      timer.run();
    });
  }

  #take(timer: Timer): void {
    timer.stop();
    this.#timers.delete(timer);
  }
}
