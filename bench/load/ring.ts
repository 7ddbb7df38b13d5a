import type { Line } from './dialect.js';
import { DIGITS } from './parser.js';

/** A message as a client sends it. */
export interface Frame {
  readonly bytes: Buffer;
  /** Where the payload begins. */
  readonly payloadAt: number;
  /** What the payload is masked with (RFC 6455, section 5.3). */
  readonly mask: Buffer | null;
}

const ZERO = 0x30;
const FILLER = 'a';

/**
 * The messages that may be under way at one time, ready to be written: only the number in each changes. A place is
 * used again when its last message has reached every member, so that nobody still needs its bytes.
 */
export class Ring {
  readonly #bytes: Buffer;
  readonly #frame: Frame;
  readonly #size: number;

  /**
   * @param size - Messages that may be under way.
   * @param frame - Makes a frame of a payload; frames of payloads of one length have one length.
   */
  constructor(size: number, payloadBytes: number, frame: (payload: Buffer) => Frame) {
    this.#size = size;
    this.#frame = frame(Buffer.from(FILLER.repeat(payloadBytes)));
    this.#bytes = Buffer.concat(Array<Buffer>(size).fill(this.#frame.bytes));
  }

  /** Writes the messages numbered from `from` up to and without `to`. */
  write(wire: Pick<Line, 'write'>, from: number, to: number): void {
    const length = this.#frame.bytes.length;
    for (let number = from; number < to; number++) this.#stamp(number);
    for (let at = from; at < to;) {
      const place = at % this.#size;
      const count = Math.min(to - at, this.#size - place);
      wire.write(this.#bytes.subarray(place * length, (place + count) * length));
      at += count;
    }
  }

  #stamp(number: number): void {
    const { bytes, payloadAt, mask } = this.#frame;
    const at = (number % this.#size) * bytes.length + payloadAt;
    let rest = number;
    for (let digit = DIGITS - 1; digit >= 0; digit--) {
      this.#bytes[at + digit] = (ZERO + (rest % 10)) ^ (mask?.[digit % 4] ?? 0);
      rest = Math.floor(rest / 10);
    }
  }
}
