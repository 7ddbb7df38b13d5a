import type { Kind } from '../ports/message.js';
import type { PipeSink } from '../ports/pipe.js';
import { arrivesAs, kindInRoom, offered } from './formats.js';
import { Inflow } from './inflow.js';
import { LARGE_COUNT } from './large-count.js';
import type { Receipt } from './observers.js';
import type { Pipe } from './pipe.js';
import type { Session } from './session.js';

/** Why a message goes no further; its place in the stream stays counted (POS-1). */
export interface MessageRefusal {
  readonly name: 'forbidden' | 'rate_limited' | 'message_too_large' | 'format_mismatch' | 'truncated';
  readonly limit?: number;
}

interface Refused {
  readonly n: number;
  /** Where it begins, if that is not where it ends. */
  readonly from?: number;
  readonly kind: Kind;
  readonly payload: Buffer;
}

const NO_BYTES = Buffer.alloc(0);

/** The direction of a pipe that comes from its member: what has come, what the room took, what was refused. */
export class Upstream {
  readonly #session: Session;
  readonly #pipe: Pipe;
  readonly #sink: PipeSink;
  #inflow: Inflow | null = null;
  /** Highest number of a message that has come. */
  received = 0;
  routed = 0;
  bytes = LARGE_COUNT;
  /** Numbers below it that have not come; null where none can be missing (UDP-16). */
  missing: number | null;

  constructor(session: Session, pipe: Pipe, sink: PipeSink) {
    this.#session = session;
    this.#pipe = pipe;
    this.#sink = sink;
    this.missing = sink.numbered ? 0 : null;
  }

  /** Number of the last message of which anything has come. */
  get begun(): number {
    return this.#inflow?.flowing ? this.received + 1 : this.received;
  }

  /** Whether anybody wants to know what became of the messages. */
  get reports(): boolean {
    return this.#sink.settled !== undefined || this.#session.observers.wants('pipe.receipt');
  }

  receive(kind: Kind, payload: Buffer, number: number | undefined): void {
    const { boundaries, limits } = this.#session.room.terms;
    const long = payload.length > limits.maxMessageBytes;
    if (this.#pipe.unit === 'byte') this.#flow().bytes(payload);
    else if (boundaries === 'ignored' && kind === 'binary' && long && number === undefined) {
      this.#flow().part(kind, payload, true); // STREAM-1
    } else this.#receiveWhole(kind, payload, number);
  }

  receivePart(kind: Kind, payload: Buffer, last: boolean): void {
    const whole = this.#flow().part(kind, payload, last);
    if (whole) this.#receiveWhole(kind, whole);
  }

  forgetPart(): void {
    this.#inflow?.forget();
  }

  truncated(): void {
    const n = ++this.received;
    this.#pipe.counted(n);
    this.refuse({ n, kind: 'binary', payload: NO_BYTES }, { name: 'truncated' });
    this.#pipe.passed(n);
  }

  #flow(): Inflow {
    this.#inflow ??= new Inflow(this.#session, this.#pipe);
    return this.#inflow;
  }

  #receiveWhole(kind: Kind, payload: Buffer, number?: number): void {
    const n = this.#count(payload.length, number);
    this.#pipe.counted(n);
    const { room } = this.#session;
    const { send, sendsAs } = this.#pipe.sendingAt(n);
    const refusal = this.refusal(kind, payload, send);
    const arrived = refusal ? null : arrivesAs(sendsAs, kind, payload);
    const taken = arrived && kindInRoom(room.terms, arrived, payload);
    if (taken) room.post(this.#session, { pipe: this.#pipe, n, kind: taken, payload });
    else this.refuse({ n, kind, payload }, refusal ?? { name: 'format_mismatch' });
    this.#pipe.passed(this.received);
  }

  /** Counts a message: it is the next one, or has the number that it carries (POS-1, UDP-16). */
  #count(bytes: number, number: number | undefined): number {
    const n = number ?? this.received + 1;
    this.bytes += bytes;
    if (this.missing !== null) this.missing += n > this.received ? n - this.received - 1 : -1;
    this.received = Math.max(this.received, n);
    return n;
  }

  /** Why a message of the kind goes no further; null where nothing is the matter. */
  refusal(
    kind: Kind,
    payload: { readonly length: number },
    send: readonly Kind[] = this.#session.formats.send,
  ): MessageRefusal | null {
    const { scopes, room } = this.#session;
    if (!scopes.includes('send')) return { name: 'forbidden' };
    const rate = this.#session.overRate();
    if (rate !== null) return { name: 'rate_limited', limit: rate }; // RATE-1
    const limit = room.limits.maxMessageBytes;
    if (payload.length > limit) return { name: 'message_too_large', limit }; // ROOM-LIMIT-1
    return offered(send, kind) ? null : { name: 'format_mismatch' };
  }

  /** Counts, tells the sender's sibling, and leaves the pipe alone (ROOM-LIMIT-2, ROOM-LIMIT-3). */
  refuse({ n, from = n, ...message }: Refused, error: MessageRefusal): void {
    const { trace } = this.#session;
    const pipe = this.#pipe;
    if (trace.tracing) trace.envelopes(pipe.at('c2s', from), [message]);
    this.#session.room.inTurn(() => {
      this.#session.emit('pipe.refused', { at: pipe.at('c2s', n), from, to: n, error });
      this.#sink.settled?.({ n, error });
      this.routedUpTo(n);
    });
  }

  /** The router is done with everything up to the n-th message. */
  routedUpTo(n: number): void {
    this.routed = Math.max(this.routed, n);
    this.#pipe.waiting.reached(this.routed);
  }

  /** A message was accepted, and queued for so many members. */
  accepted(receipt: Receipt): void {
    this.#sink.settled?.(receipt);
    this.#session.observers.accepted(receipt, this.#pipe.epoch);
  }
}
