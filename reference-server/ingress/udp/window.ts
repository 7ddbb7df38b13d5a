/** How far behind the highest number a late one still counts (UDP-14, UDP-15). */
const WIDTH = 64;

/** Tells fresh numbers from those that came before, and from those that come too late to tell. Numbers begin at 1. */
export class Window {
  #highest = 0;
  /** The number that came last at each remainder; whatever is older than the width is overwritten or too late. */
  readonly #seen = new Uint32Array(WIDTH);

  get highest(): number {
    return this.#highest;
  }

  /** Takes a number; false where it is 0, a duplicate, or too late. */
  take(n: number): boolean {
    if (n === 0 || n + WIDTH <= this.#highest || this.#seen[n % WIDTH] === n) return false;
    this.#seen[n % WIDTH] = n;
    this.#highest = Math.max(this.#highest, n);
    return true;
  }
}
