/** Settled switches of a direction that a repeated call is still answered for; an older one is unknown (SWITCH-6). */
const KEPT = 64;

/** What became of the last switches of one direction of a pipe, by id. */
export class Settled<T extends { readonly id: string }> {
  readonly #known = new Map<string, T>();

  get(id: string): T | undefined {
    return this.#known.get(id);
  }

  add(settled: T): void {
    this.#known.set(settled.id, settled);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= KEPT) break;
      this.#known.delete(oldest);
    }
  }
}
