import type { Writable } from 'node:stream';

/** Messages that leave together, and the payload bytes of them. */
interface Written {
  readonly messages: number;
  readonly bytes: number;
}

const NOTHING = Buffer.alloc(0);

/**
 * Writes batches to a socket's stream, and knows what of them the system has not taken yet. What it takes at once, which is
 * nearly everything, is never put on the books: a delivery costs a system call and as little beside it as can be.
 */
export class BatchWriter {
  readonly #stream: Writable;
  readonly #drained: () => void;
  #messages = 0;
  #bytes = 0;

  /** `drained` hears that the stream has taken everything that had to wait in it. */
  constructor(stream: Writable, drained: () => void) {
    this.#stream = stream;
    this.#drained = drained;
  }

  /** Whether a batch would not wait in the stream. */
  get ready(): boolean {
    return this.#stream.writableLength === 0;
  }

  /** What the stream has not passed on; what it never will, once the connection is gone. */
  get backlog(): Written {
    return { messages: this.#messages, bytes: this.#bytes };
  }

  /** Writes the buffers of a batch, of which there is at least one, in one go. */
  write(buffers: readonly Buffer[], { messages, bytes }: Written): void {
    const stream = this.#stream;
    if (buffers.length > 1) stream.cork();
    for (const buffer of buffers) stream.write(buffer);
    if (buffers.length > 1) stream.uncork();
    const gone = stream.destroyed || stream.errored;
    if (this.ready && !gone) return;
    this.#messages += messages;
    this.#bytes += bytes;
    if (!gone) this.#follow({ messages, bytes });
  }

  /** Asks to hear when what was written is taken; a callback for each write would cost more than the write. */
  #follow({ messages, bytes }: Written): void {
    this.#stream.write(NOTHING, (error) => {
      if (error) return; // it waits for ever
      this.#messages -= messages;
      this.#bytes -= bytes;
      if (this.#messages === 0 && this.ready) this.#drained();
    });
  }
}
