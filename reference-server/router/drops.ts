import type { Cancel, Clock } from '../ports/clock.js';

/** A place in a pipe: its number, or the mark that will tell it. */
export type Place = { readonly beforeN: number } | { readonly mark: number };

type Tell = (place: Place, count: number) => void;

/** Longest time for which further drops at one place are gathered (SLOW-5). */
const GATHER_MS = 1000;

const same = (a: Place, b: Place): boolean =>
  'mark' in a ? 'mark' in b && a.mark === b.mark : 'beforeN' in b && a.beforeN === b.beforeN;

/**
 * What a pipe's queue lost and its member has not heard of yet. The first loss at a place is told as soon as the
 * messages of the tick are dealt with; further ones at the same place are gathered, so that a member that stays behind
 * is not flooded with news about it.
 */
export class Drops {
  readonly #clock: Clock;
  readonly #tell: Tell;
  #place: Place | null = null;
  #untold = 0;
  #told = false;
  #cancel: Cancel | null = null;

  constructor(clock: Clock, tell: Tell) {
    this.#clock = clock;
    this.#tell = tell;
  }

  lost(place: Place, count: number): void {
    if (this.#place === null || !same(this.#place, place)) {
      this.tellAll();
      this.#place = place;
      this.#told = false;
    }
    this.#untold += count;
  }

  /** The tick's messages are dealt with. */
  settle(): void {
    if (this.#untold === 0) return;
    if (!this.#told) this.tellAll();
    else this.#cancel ??= this.#clock.after(GATHER_MS, () => this.tellAll());
  }

  /** Tells what is left, because the place is passed or somebody wants to know. */
  tellAll(): void {
    this.#cancel?.();
    this.#cancel = null;
    if (this.#untold === 0 || this.#place === null) return;
    const count = this.#untold;
    this.#untold = 0;
    this.#told = true;
    this.#tell(this.#place, count);
  }
}
