import type { Cancel, Clock, Entropy, Scheduler } from '../ports/clock.js';

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** A clock that goes on only when a test says so. */
export class HandClock implements Clock {
  #now = 0;
  #timers: Timer[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): Cancel {
    const timer = { at: this.#now + ms, run };
    this.#timers.push(timer);
    return () => (this.#timers = this.#timers.filter((other) => other !== timer));
  }

  /** Lets `ms` pass; what falls due on the way happens at its time, in order. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (let next = this.#due(until); next; next = this.#due(until)) {
      this.#now = next.at;
      this.#timers = this.#timers.filter((other) => other !== next);
      next.run();
    }
    this.#now = until;
  }

  #due(until: number): Timer | undefined {
    const [first] = this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
    return first;
  }
}

/** Ticks that end only when a test says so. */
export class HandScheduler implements Scheduler {
  #waiting: (() => void)[] = [];

  soon(run: () => void): void {
    this.#waiting.push(run);
  }

  /** Ends the present tick; returns how much was waiting for that. */
  tick(): number {
    const waiting = this.#waiting.splice(0);
    for (const run of waiting) run();
    return waiting.length;
  }
}

/** Bytes that never repeat and are the same in every run. */
export class CountingEntropy implements Entropy {
  #count = 0;

  bytes(count: number): Buffer {
    const bytes = Buffer.alloc(count);
    bytes.writeUInt32BE(++this.#count, count - 4);
    return bytes;
  }
}
