import type { Store, StoredRoom } from '../ports/store.js';
import { decodeRoom, encodeRoom } from './record.js';

/** Keeps rooms for as long as the process lives; `records` takes the place of the disk, and outlives the store. */
export class MemoryStore implements Store {
  readonly kept: readonly StoredRoom[];
  readonly #records: Map<string, string>;

  constructor(records = new Map<string, string>()) {
    this.#records = records;
    this.kept = [...records].map(([name, text]) => decodeRoom(name, text));
  }

  put(room: StoredRoom): Promise<void> {
    this.#records.set(room.name, encodeRoom(room));
    return Promise.resolve();
  }

  remove(name: string): Promise<void> {
    this.#records.delete(name);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
