import { type Decoder, type Emit, type Fault, Store } from './decoder.js';
import { RequestLine } from './request-line.js';

const LF = Buffer.from('\n');

/**
 * Lets nothing through before it is sure that the first line is not one of HTTP (NAKED-6): the line can come in any
 * number of pieces, and with any time between them.
 */
export class NoRequests implements Decoder {
  readonly #decoder: Decoder;
  readonly #line: RequestLine;
  readonly #held = new Store();
  #sure = false;

  /** @param most - A first line of more bytes that could still be a request line is taken for one. */
  constructor(decoder: Decoder, most: number) {
    this.#decoder = decoder;
    this.#line = new RequestLine(most);
  }

  get unfinished(): number {
    return this.#sure ? this.#decoder.unfinished : this.#held.length;
  }

  push(chunk: Buffer, emit: Emit): Fault | null {
    if (this.#sure) return this.#decoder.push(chunk, emit);
    const found = this.#line.push(chunk);
    this.#held.add(chunk);
    if (found === 'open') return null;
    return found === 'is' ? 'protocol_error' : this.#release(emit);
  }

  /** The line has come to its end, too. */
  end(emit: Emit): Fault | null {
    if (this.#sure || this.#held.length === 0) return null;
    return this.#line.push(LF) === 'is' ? 'protocol_error' : this.#release(emit);
  }

  #release(emit: Emit): Fault | null {
    this.#sure = true;
    return this.#decoder.push(this.#held.take(), emit);
  }
}
