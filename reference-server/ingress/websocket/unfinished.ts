/** Header and mask of a control frame that a client sends (RFC 6455, section 5.2). */
const CONTROL_HEADER_BYTES = 6;

/**
 * How much memory the beginning of a message holds. The library keeps each fragment as a view into what it came in, so
 * that a byte among a lot of pongs holds all of them; counting payload would see a byte.
 */
export class Unfinished {
  readonly #most: number;
  /** What has come since the last message and is not a whole control frame. */
  #open = 0;
  #held = 0;

  constructor(hardMessageBytes: number) {
    this.#most = 4 * hardMessageBytes + 2 ** 20;
  }

  control(payload: Buffer): void {
    this.#open -= CONTROL_HEADER_BYTES + payload.length;
  }

  message(): void {
    this.#open = -Infinity; // whatever else the present bytes are, they are few
  }

  /** To be called when everything in `chunk` has been looked at; true where the client holds too much. */
  over(chunk: Buffer): boolean {
    this.#open += chunk.length;
    if (this.#open > 0) this.#held += chunk.length;
    else this.#open = this.#held = 0;
    return this.#held > this.#most;
  }
}
