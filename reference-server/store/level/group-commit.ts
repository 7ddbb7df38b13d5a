/**
 * Gathers changes while an earlier write is under way and writes them together, so that a hundred creators at once cost
 * a few flushes of the disk and not a hundred. After a write that failed nothing is written any more.
 */
export class GroupCommit<Change> {
  readonly #write: (changes: readonly Change[]) => Promise<void>;
  #gathered: Change[] = [];
  /** The group that gathers, once it has a member. */
  #next: Promise<void> | null = null;
  #last: Promise<void> = Promise.resolve();

  /** @param write - Carries out changes in their order, all or none; rejects where that is not certain. */
  constructor(write: (changes: readonly Change[]) => Promise<void>) {
    this.#write = write;
  }

  /** Resolves once the change is written, and rejects if it, or any before it, could not be. */
  add(change: Change): Promise<void> {
    this.#gathered.push(change);
    this.#next ??= this.#last = this.#behind(this.#last);
    return this.#next;
  }

  /** Waits for everything that was added; never rejects. */
  async settled(): Promise<void> {
    await this.#last.catch(() => undefined);
  }

  async #behind(last: Promise<void>): Promise<void> {
    const failure = await last.then(
      () => null,
      (error: unknown) => ({ error }),
    );
    const changes = this.#gathered;
    this.#gathered = [];
    this.#next = null;
    if (failure) throw failure.error;
    await this.#write(changes);
  }
}
