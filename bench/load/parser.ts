/** Finds the units of one protocol in bytes. One object serves every connection of a process: it keeps no bytes. */
export interface Parser {
  /** Where the payload of the unit found last begins; negative where that unit carries none. */
  start: number;
  /** Where that payload ends. */
  end: number;
  /** End of the unit that begins at `at`; negative while it is not all there. */
  next(bytes: Buffer, at: number): number;
}

/** Digits at the beginning of each payload: its number, from 0. */
export const DIGITS = 10;

const ZERO = 0x30;

/** One member's account: every message must come once, whole and in order. */
export class Receiver {
  received = 0;
  readonly #parser: Parser;
  readonly #payloadBytes: number;
  readonly #arrived: (number: number) => void;
  #rest: Buffer | null = null;

  constructor(parser: Parser, payloadBytes: number, arrived: (number: number) => void = () => undefined) {
    this.#parser = parser;
    this.#payloadBytes = payloadBytes;
    this.#arrived = arrived;
  }

  take(chunk: Buffer): void {
    const parser = this.#parser;
    const bytes = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    let at = 0;
    for (let end = parser.next(bytes, at); end >= 0; end = parser.next(bytes, at)) {
      if (parser.start >= 0) this.#check(bytes);
      at = end;
    }
    this.#rest = at < bytes.length ? Buffer.from(bytes.subarray(at)) : null;
  }

  #check(bytes: Buffer): void {
    const { start, end } = this.#parser;
    let number = 0;
    for (let at = start; at < start + DIGITS; at++) number = number * 10 + ((bytes[at] ?? 0) - ZERO);
    if (number !== this.received || end - start !== this.#payloadBytes) {
      throw new Error(`message ${String(this.received)} was due, and ${bytes.toString('latin1', start, end)} came`);
    }
    this.#arrived(number);
    this.received++;
  }
}
