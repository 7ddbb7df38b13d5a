import type { Cancel } from '../ports/clock.js';
import type { Pipe } from './pipe.js';

interface BlockadeParts {
  /** The pipes that send into the room now; with `all` whoever may have been held before. */
  readonly senders: (all: boolean) => Iterable<Pipe>;
}

/** Holds the senders of a room back while one of its members has too much to read (SLOW-7). */
export class Blockade {
  readonly #parts: BlockadeParts;
  readonly #slow = new Map<Pipe, Cancel>();

  constructor(parts: BlockadeParts) {
    this.#parts = parts;
  }

  get up(): boolean {
    return this.#slow.size > 0;
  }

  /** A pipe's queue exceeds the limits: it has `ms` to get below them again, then it is closed. */
  raise(pipe: Pipe, ms: number): void {
    if (this.#slow.has(pipe)) return;
    const first = !this.up;
    this.#slow.set(
      pipe,
      pipe.clock.after(ms, () => pipe.close('slow_consumer')),
    );
    if (first) this.#reading(false);
  }

  /** The pipe keeps up again, or is over. */
  lift(pipe: Pipe): void {
    const cancel = this.#slow.get(pipe);
    if (!cancel) return;
    cancel();
    this.#slow.delete(pipe);
    if (!this.up) this.#reading(true);
  }

  #reading(on: boolean): void {
    for (const pipe of this.#parts.senders(on)) pipe.reading(on);
  }
}
