import { isUtf8 } from 'node:buffer';
import type { EndCause, Framing } from '../../../generated/types.js';
import type { Kind } from '../../ports/message.js';

const LF = 0x0a;
const HEADER_BYTES = 4;
const KINDS: readonly (Kind | undefined)[] = [undefined, 'text', 'binary', 'json'];

/** What breaks a pipe off. */
export type Fault = Extract<EndCause, 'message_too_long' | 'protocol_error' | 'invalid_utf8'>;

export type Emit = (kind: Kind, payload: Buffer) => void;

/** Finds messages in what a client sends. */
export interface Decoder {
  /** Bytes that have come behind the last whole message. */
  readonly unfinished: number;
  /** Emits the messages that `chunk` makes whole, up to the first fault. */
  push(chunk: Buffer, emit: Emit): Fault | null;
  /** The client's direction has ended; emits what that shows to be whole. */
  end?(emit: Emit): Fault | null;
}

/**
 * The beginning of a message. Neighbours of like size are put together, so that a client that sends a byte at a time
 * costs neither the memory of a buffer for each nor the time of copying everything for each.
 */
export class Store {
  #chunks: Buffer[] = [];
  length = 0;

  add(chunk: Buffer): void {
    this.length += chunk.length;
    let last = chunk;
    while (last.length >= (this.#chunks.at(-1)?.length ?? Infinity)) {
      last = Buffer.concat([this.#chunks.pop() ?? chunk, last]);
    }
    this.#chunks.push(last);
  }

  /** All of it, which is then gone. */
  take(): Buffer {
    const [only] = this.#chunks;
    const all = this.#chunks.length === 1 && only ? only : Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.length = 0;
    return all;
  }
}

/** A message is what comes up to LF (TCP-8). */
class LineDecoder implements Decoder {
  readonly #most: number;
  readonly #begun = new Store();

  constructor(most: number) {
    this.#most = most;
  }

  get unfinished(): number {
    return this.#begun.length;
  }

  push(chunk: Buffer, emit: Emit): Fault | null {
    let at = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, at)) {
      const fault = this.#line(chunk.subarray(at, end), emit);
      if (fault) return fault;
      at = end + 1;
    }
    const rest = chunk.subarray(at);
    if (this.#begun.length + rest.length > this.#most) return 'message_too_long';
    if (rest.length > 0) this.#begun.add(rest);
    return null;
  }

  #line(end: Buffer, emit: Emit): Fault | null {
    if (this.#begun.length + end.length > this.#most) return 'message_too_long';
    if (this.#begun.length > 0) this.#begun.add(end);
    const line = this.#begun.length > 0 ? this.#begun.take() : end;
    if (!isUtf8(line)) return 'invalid_utf8';
    emit('text', line);
    return null;
  }
}

/** A message is announced by a byte for its kind and three for its length (TCP-11). */
class FrameDecoder implements Decoder {
  readonly #most: number;
  readonly #begun = new Store();
  /** Bytes that the next step needs. */
  #wanted = HEADER_BYTES;
  #kind: Kind | null = null;

  constructor(most: number) {
    this.#most = most;
  }

  get unfinished(): number {
    return this.#begun.length + (this.#kind ? HEADER_BYTES : 0);
  }

  push(chunk: Buffer, emit: Emit): Fault | null {
    let rest = chunk;
    while (this.#begun.length + rest.length >= this.#wanted) {
      const missing = this.#wanted - this.#begun.length;
      const step = this.#complete(rest.subarray(0, missing));
      rest = rest.subarray(missing);
      const fault = this.#kind ? this.#payload(this.#kind, step, emit) : this.#header(step);
      if (fault) return fault;
    }
    if (rest.length > 0) this.#begun.add(rest);
    return null;
  }

  #complete(end: Buffer): Buffer {
    if (this.#begun.length === 0) return end;
    this.#begun.add(end);
    return this.#begun.take();
  }

  #header(header: Buffer): Fault | null {
    const kind = KINDS[header[0] ?? 0];
    if (!kind) return 'protocol_error';
    const length = header.readUIntBE(1, 3);
    if (length > this.#most) return 'message_too_long';
    this.#kind = kind;
    this.#wanted = length;
    return null;
  }

  #payload(kind: Kind, payload: Buffer, emit: Emit): Fault | null {
    this.#kind = null;
    this.#wanted = HEADER_BYTES;
    if (kind !== 'binary' && !isUtf8(payload)) return 'invalid_utf8';
    emit(kind, payload);
    return null;
  }
}

/** There are bytes, and no messages (BYTE-1). */
const raw: Decoder = {
  unfinished: 0,
  push(chunk, emit) {
    emit('binary', chunk);
    return null;
  },
};

/** @param most - The longest message that is taken, in bytes of payload. */
export function decoderFor(framing: Framing, most: number): Decoder {
  if (framing === 'raw') return raw;
  return framing === 'line' ? new LineDecoder(most) : new FrameDecoder(most);
}
