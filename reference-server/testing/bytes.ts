import type { Duplex } from 'node:stream';

interface Wanted {
  readonly ready: (bytes: Buffer) => number;
  readonly resolve: (bytes: Buffer | null) => void;
}

/** The bytes that arrive on a connection, to be taken as they are wanted; null where they never come. */
export class Incoming {
  #bytes = Buffer.alloc(0);
  #wanted: Wanted | null = null;
  #over = false;
  /** Settles when nothing more will come. */
  readonly end: Promise<void>;

  constructor(socket: Duplex) {
    this.end = new Promise((resolve) => {
      const over = (): void => {
        this.#over = true;
        this.#serve();
        resolve();
      };
      socket.on('end', over).on('close', over).on('error', over);
    });
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#serve();
    });
  }

  /** Exactly so many bytes. */
  take(count: number): Promise<Buffer | null> {
    return this.#want((bytes) => (bytes.length >= count ? count : -1));
  }

  /** Everything up to and with these bytes. */
  until(mark: string): Promise<Buffer | null> {
    return this.#want((bytes) => {
      const at = bytes.indexOf(mark);
      return at < 0 ? -1 : at + mark.length;
    });
  }

  /** What there is and was not taken. */
  get rest(): Buffer {
    return this.#bytes;
  }

  #want(ready: Wanted['ready']): Promise<Buffer | null> {
    return new Promise((resolve) => {
      this.#wanted = { ready, resolve };
      this.#serve();
    });
  }

  #serve(): void {
    const wanted = this.#wanted;
    if (!wanted) return;
    const count = wanted.ready(this.#bytes);
    if (count < 0 && !this.#over) return;
    this.#wanted = null;
    wanted.resolve(count < 0 ? null : this.#bytes.subarray(0, count));
    if (count >= 0) this.#bytes = this.#bytes.subarray(count);
  }
}
