import { onAbort } from './connect.js';

/**
 * Records kept until they are asked for. Made before a connection, with `push` as the driver's observer, it misses
 * nothing, whenever the first `next` comes.
 */
export class RecordQueue<T> {
  #waiting: T[] = [];
  readonly #askers: ((record: T) => void)[] = [];

  /** Records that nobody has taken yet. */
  get length(): number {
    return this.#waiting.length;
  }

  /** Appends a record; usable as a callback as it is. */
  readonly push = (record: T): void => {
    const asker = this.#askers.shift();
    if (asker === undefined) this.#waiting.push(record);
    else asker(record);
  };

  /** Removes and returns everything that is there now. */
  takeAll(): T[] {
    const all = this.#waiting;
    this.#waiting = [];
    return all;
  }

  /** The next record in order, at once if one waits. Rejects with the reason of an aborted `signal`, taking nothing. */
  next(signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.#waiting.length > 0) {
        this.#waiting.splice(0, 1).forEach(resolve);
        return;
      }
      const asker = (record: T): void => {
        stopListening();
        resolve(record);
      };
      this.#askers.push(asker);
      const stopListening = onAbort(signal, (reason) => {
        this.#askers.splice(this.#askers.indexOf(asker), 1);
        reject(reason);
      });
    });
  }
}
