import type { Lane } from './strip.js';

/** Pixels between things of one lane, and at least between the beginnings of two that follow each other. */
const SPACE = 8;
const STEP = 18;
const END = 40;

interface Placed {
  readonly element: HTMLElement;
  readonly lane: Lane | 'time';
  readonly gap: number;
}

/** Where things stand along the axis of time: to the right of what came before, or on a narrow screen below it. */
export class Axis {
  readonly #list: HTMLElement;
  readonly #narrow = matchMedia('(max-width: 640px)');
  #placed: Placed[] = [];
  #ends = new Map<string, number>();
  #last = 0;
  #extent = 0;

  constructor(list: HTMLElement, moved: () => void) {
    this.#list = list;
    this.#narrow.addEventListener('change', () => {
      const all = this.#placed;
      this.clear();
      for (const each of all) if (each.element.isConnected) this.place(each);
      moved();
    });
  }

  /** Whether time goes down. */
  get upright(): boolean {
    return this.#narrow.matches;
  }

  clear(): void {
    this.#placed = [];
    this.#ends = new Map();
    [this.#last, this.#extent] = [0, 0];
  }

  /** Puts an element that is in the list behind everything in its lane, `gap` pixels of silence after the last. */
  place(placed: Placed): void {
    const { element, lane, gap } = placed;
    this.#placed.push(placed);
    const size = this.upright ? element.offsetHeight : element.offsetWidth;
    const row = this.#rowOf(lane);
    const next = lane === 'time' ? this.#last : this.#last + STEP + gap;
    const from = Math.max(next, (this.#ends.get(row) ?? 0) + SPACE);
    element.style.setProperty('--from', `${String(from)}px`);
    this.#ends.set(row, from + size);
    if (lane !== 'time') this.#last = from;
    this.#extent = Math.max(this.#extent, from + size);
    this.#list.style.setProperty('--extent', `${String(this.#extent + END)}px`);
  }

  /** On a narrow screen there is the pipe, and what is said of it. */
  #rowOf(lane: Lane | 'time'): string {
    if (!this.upright) return lane === 'note' ? 'command' : lane;
    if (lane === 'time') return lane;
    return lane === 'sent' || lane === 'received' ? 'pipe' : 'said';
  }
}
