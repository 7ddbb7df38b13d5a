import type { EndCause } from '../../../generated/types.js';
import type { Cancel, Clock } from '../../ports/clock.js';
import type { Kind } from '../../ports/message.js';
import type { PipeSource, Queued } from '../../ports/pipe.js';
import type { TokenBucket } from '../../ports/token-bucket.js';

interface ThrottleParts {
  readonly rate: TokenBucket;
  readonly clock: Clock;
  /** Longest payload that is looked at as one; what is longer goes piece by piece, as only bytes without messages may. */
  readonly most: number;
  /** What a message costs, in messages: one at most. */
  readonly cost: (payload: Buffer) => number;
  /** Leaves off reading, or reads on. */
  readonly hold: (on: boolean) => void;
  /** The client has ended its direction, and all that it said is through. */
  readonly over: () => void;
}

/** Lets messages through as fast as a rate allows. What has come sooner waits, and nothing more is read meanwhile. */
export class Throttle implements PipeSource {
  readonly #source: PipeSource;
  readonly #parts: ThrottleParts;
  readonly #waiting: (readonly [Kind, Buffer])[] = [];
  #last: () => void = () => undefined;
  #stop: Cancel = () => undefined;

  constructor(source: PipeSource, parts: ThrottleParts) {
    this.#source = source;
    this.#parts = parts;
  }

  get epoch(): number {
    return this.#source.epoch;
  }

  receive(kind: Kind, payload: Buffer): void {
    const { most } = this.#parts;
    for (let at = 0; at === 0 || at < payload.length; at += most) this.#admit(kind, payload.subarray(at, at + most));
  }

  #admit(kind: Kind, payload: Buffer): void {
    if (this.#waiting.length === 0 && this.#pass(kind, payload)) return;
    this.#waiting.push([kind, payload]);
    if (this.#waiting.length === 1) this.#wait();
  }

  /** The end comes behind what waits. */
  sendingEnded(discardedBytes: number): void {
    const last = (): void => {
      this.#parts.over();
      this.#source.sendingEnded(discardedBytes);
    };
    if (this.#waiting.length === 0) last();
    else this.#last = last;
  }

  ended(cause: EndCause): void {
    this.#stop();
    this.#waiting.length = 0;
    this.#source.ended(cause);
  }

  drained(): void {
    this.#source.drained();
  }

  truncated(): void {
    this.#source.truncated();
  }

  queued(most: number): readonly Queued[] {
    return this.#source.queued(most);
  }

  receivePart(kind: Kind, payload: Buffer, last: boolean): void {
    this.#source.receivePart(kind, payload, last);
  }

  forgetPart(): void {
    this.#source.forgetPart();
  }

  #pass(kind: Kind, payload: Buffer): boolean {
    const { rate, cost } = this.#parts;
    if (!rate.take(cost(payload))) return false;
    this.#source.receive(kind, payload);
    return true;
  }

  #wait(): void {
    const { clock, rate, hold } = this.#parts;
    hold(true);
    this.#stop = clock.after(Math.max(1, rate.waitMs), () => this.#goOn());
  }

  #goOn(): void {
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      if (!this.#pass(...next)) {
        this.#wait();
        return;
      }
      this.#waiting.shift();
    }
    this.#parts.hold(false);
    this.#last();
  }
}
