import type { Store, StoredRoom } from '../ports/store.js';
import { MemoryStore } from '../store/memory.js';

/** A store whose writes come to an end only when a test says so, well or badly. */
export class HandStore implements Store {
  readonly #store: MemoryStore;
  readonly #writes: ((error?: Error) => void)[] = [];

  /** @param records - What outlives the store. */
  constructor(records = new Map<string, string>()) {
    this.#store = new MemoryStore(records);
  }

  get kept(): readonly StoredRoom[] {
    return this.#store.kept;
  }

  /** Writes that are under way. */
  get writing(): number {
    return this.#writes.length;
  }

  put(room: StoredRoom): Promise<void> {
    return this.#held(() => this.#store.put(room));
  }

  remove(name: string): Promise<void> {
    return this.#held(() => this.#store.remove(name));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The oldest write is done, or failed; settles when everybody who waited for it knows. */
  async end(error?: Error): Promise<void> {
    this.#writes.shift()?.(error);
    await new Promise((resolve) => setImmediate(resolve));
  }

  #held(write: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#writes.push((error) => (error ? reject(error) : resolve(write())));
    });
  }
}
