import type { EndCause, Framing, OpenSwitch, Position } from '../../generated/types.js';
import type { Clock } from '../ports/clock.js';
import type { Batch, Kind, Message } from '../ports/message.js';
import type { PipeSink, PipeSource, Queued, Unit } from '../ports/pipe.js';
import { Downstream } from './downstream.js';
import type { Ending } from './endings.js';
import { counters, missingFrom } from './fence.js';
import { Inflow } from './inflow.js';
import { arrivesAs, kindInRoom, offered } from './formats.js';
import type { Receipt } from './observers.js';
import type { Session } from './session.js';
import { Switches } from './switches.js';
import { Waiting } from './waiting.js';

/** Why a message goes no further; its place in the stream stays counted (POS-1). */
export interface MessageRefusal {
  readonly name: 'forbidden' | 'rate_limited' | 'message_too_large' | 'format_mismatch' | 'truncated';
  readonly limit?: number;
}

/** The account of what a client sends. */
interface Upstream {
  /** Highest number of a message that has come. */
  received: number;
  routed: number;
  bytes: number;
  /** Numbers below it that have not come; null where none can be missing (UDP-16). */
  missing: number | null;
}

interface Refused {
  readonly n: number;
  /** Where it begins, if that is not where it ends. */
  readonly from?: number;
  readonly kind: Kind;
  readonly payload: Buffer;
}

const NO_BYTES = Buffer.alloc(0);

/** One connection of a session's client socket, and its account in both directions. */
export class Pipe implements PipeSource {
  readonly epoch: number;
  readonly #session: Session;
  readonly #sink: PipeSink;
  /** Calls that wait for a message to be counted and routed. */
  readonly waiting: Waiting;
  readonly c2s: Upstream;
  readonly s2c: Downstream;
  #switches: Switches | null = null;
  #inflow: Inflow | null = null;
  /** Its end, where that has been announced. */
  ending: Ending | null = null;
  #finish: { readonly cause: EndCause; readonly over: () => void } | null = null;
  #cause: EndCause | null = null;
  #open = true;
  #sendingOver = false;

  get transport(): string {
    return this.#sink.transport;
  }

  get framing(): Framing | undefined {
    return this.#sink.framing;
  }

  /** Whether the client has ended its direction. */
  get sendingOver(): boolean {
    return this.#sendingOver;
  }

  /** Why it ended; null while it is open. */
  get cause(): EndCause | null {
    return this.#cause;
  }

  constructor(session: Session, epoch: number, sink: PipeSink) {
    this.#session = session;
    this.epoch = epoch;
    this.#sink = sink;
    this.c2s = { received: 0, routed: 0, bytes: 0, missing: sink.numbered ? 0 : null };
    this.s2c = new Downstream(session, epoch, sink);
    this.waiting = new Waiting(session.context.clock);
  }

  get open(): boolean {
    return this.#open;
  }

  /** The session's, by which a test may let time pass (HOOK-5). */
  get clock(): Clock {
    return this.#session.context.clock;
  }

  /** Whether there is a connection to deliver to; one that is closing will report its own end. */
  get writable(): boolean {
    return this.#open && this.#sink.writable;
  }

  at(dir: 'c2s' | 's2c', n: number): Position {
    return { epoch: this.epoch, dir, unit: this.unit, n };
  }

  /** The last of what is for the room, where it is agreed that what follows is for another one (MOVE-12). */
  get lastHere(): number {
    return this.#switches?.c2s.lastHere ?? Infinity;
  }

  /** What its positions count. */
  get unit(): Unit {
    return this.#sink.unit ?? 'msg';
  }

  /** Number of the last message of which anything has come. */
  get begun(): number {
    return this.#inflow?.flowing ? this.c2s.received + 1 : this.c2s.received;
  }

  /** Whether what comes is counted. */
  get taking(): boolean {
    return this.#open && this.#finish === null && !this.#sendingOver;
  }

  carriesAll(messages: readonly Message[]): boolean {
    return this.#sink.carries === undefined || messages.every((message) => this.carries(message));
  }

  carries(message: Message): boolean {
    return this.#sink.carries?.(message) ?? true;
  }

  get openSwitches(): readonly OpenSwitch[] {
    return this.#switches?.open ?? [];
  }

  /** Whether what is given to it now is behind a boundary that is not settled. */
  get undecided(): boolean {
    return this.#switches?.s2c.undecided === true;
  }

  /** Whether a switch is to be proposed as soon as somebody is there to answer. */
  get awaitsBind(): boolean {
    return this.#switches?.s2c.awaitsBind === true;
  }

  /** The command channel has been bound. */
  bound(): void {
    this.#switches?.s2c.bound();
  }

  switches(): Switches {
    this.#switches ??= new Switches(this.#session, this);
    return this.#switches;
  }

  receive(kind: Kind, payload: Buffer, number?: number): void {
    if (!this.taking) return;
    const { boundaries, limits } = this.#session.room.terms;
    const long = payload.length > limits.maxMessageBytes;
    if (this.unit === 'byte') this.#flow().bytes(payload);
    else if (boundaries === 'ignored' && kind === 'binary' && long && number === undefined) {
      this.#flow().part(kind, payload, true); // STREAM-1
    } else this.#receiveWhole({ kind, payload }, number);
  }

  receivePart(kind: Kind, payload: Buffer, last: boolean): void {
    if (!this.taking) return;
    const whole = this.#flow().part(kind, payload, last);
    if (whole) this.#receiveWhole({ kind, payload: whole });
  }

  forgetPart(): void {
    this.#inflow?.forget();
  }

  #flow(): Inflow {
    this.#inflow ??= new Inflow(this.#session, this);
    return this.#inflow;
  }

  #receiveWhole({ kind, payload }: { kind: Kind; payload: Buffer }, number?: number): void {
    const n = this.#count(payload.length, number);
    this.counted(n);
    const { room } = this.#session;
    const { send, sendsAs } = this.#switches?.c2s.before(n) ?? this.#session.sending;
    const refusal = this.refusal(kind, payload, send);
    const arrived = refusal ? null : arrivesAs(sendsAs, kind, payload);
    const taken = arrived && kindInRoom(room.terms, arrived, payload);
    if (taken) room.post(this.#session, { pipe: this, n, kind: taken, payload });
    else this.refuse({ n, kind, payload }, refusal ?? { name: 'format_mismatch' });
    this.passed(this.c2s.received);
  }

  /** Counts a message: it is the next one, or has the number that it carries (POS-1, UDP-16). */
  #count(bytes: number, number: number | undefined): number {
    const { c2s } = this;
    const n = number ?? c2s.received + 1;
    c2s.bytes += bytes;
    if (c2s.missing !== null) c2s.missing += n > c2s.received ? n - c2s.received - 1 : -1;
    c2s.received = Math.max(c2s.received, n);
    return n;
  }

  /** The n-th message is here, and not yet treated. */
  counted(n: number): void {
    this.#switches?.c2s.counted(n);
  }

  /** What there was to do with everything up to here is done. */
  passed(n: number): void {
    this.#switches?.c2s.taken(n);
    const behind = this.ending?.behind ?? null;
    if (behind !== null && behind <= n) this.close('stream_ended'); // END-4
  }

  truncated(): void {
    if (!this.taking) return;
    const n = this.c2s.received + 1;
    this.c2s.received = n;
    this.counted(n);
    this.refuse({ n, kind: 'binary', payload: NO_BYTES }, { name: 'truncated' });
    this.passed(n);
  }

  queued(most: number): readonly Queued[] {
    return this.s2c.out.listed(most);
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
    if (trace.tracing) trace.envelopes(this.at('c2s', from), [message]);
    this.#session.room.inTurn(() => {
      this.#session.emit('pipe.refused', { at: this.at('c2s', n), from, to: n, error });
      this.#sink.settled?.({ n, error });
      this.routedUpTo(n);
    });
  }

  /** The router is done with everything up to the n-th message. */
  routedUpTo(n: number): void {
    this.c2s.routed = Math.max(this.c2s.routed, n);
    this.waiting.reached(this.c2s.routed);
  }

  /** Whether anybody wants to know what became of the messages. */
  get reports(): boolean {
    return this.#sink.settled !== undefined || this.#session.observers.wants('pipe.receipt');
  }

  /** A message was accepted, and queued for so many members. */
  accepted(receipt: Receipt): void {
    this.#sink.settled?.(receipt);
    this.#session.observers.accepted(receipt, this.epoch);
  }

  /** Messages for the member; returns those that its room's policy dropped. */
  deliver(batch: Batch): readonly Message[] {
    return this.s2c.give(batch);
  }

  /** The transport is ready for more. */
  drained(): void {
    if (!this.#open) return;
    this.s2c.drained();
    this.#finishIfWritten();
  }

  /** Holds the member's own messages back, or lets them come (SLOW-7). */
  reading(on: boolean): void {
    if (this.#open) this.#sink.reading(on);
  }

  /** Ends the connection for a reason of the server's; nothing that it still carries counts. */
  close(cause: EndCause): void {
    this.#session.room.flush(); // before the transport's last words, after which it takes nothing
    if (!this.#open) return;
    this.#switches?.end();
    this.s2c.end(true); // what is queued goes out before the last words
    this.#sink.close(cause);
    this.#end(cause);
  }

  /** Takes nothing more, and ends the connection as soon as all that waits for it is written; `over` hears of its end. */
  finish(cause: EndCause, over: () => void): void {
    if (!this.#open) return;
    this.#finish = { cause, over };
    this.#switches?.draining();
    this.s2c.pause.resume(); // a switch may still be answered, until the deadline
    this.#finishIfWritten();
  }

  /** Whether the transport has nothing of the pipe's to pass on; a client that fetches is not always ready for more. */
  get #idle(): boolean {
    return this.#sink.fetches ? this.#sink.backlog().messages === 0 : this.#sink.ready;
  }

  #finishIfWritten(): void {
    if (this.#finish && this.s2c.out.settled && this.#idle) this.close(this.#finish.cause);
  }

  /** Ends the connection as it is; what has not been written never will be. */
  abort(cause: EndCause): void {
    if (!this.#open) return;
    this.#switches?.end();
    this.s2c.end(false);
    this.#sink.close(cause);
    this.#end(cause);
  }

  /** Whoever is sent nothing has ended the pipe when it has ended its own direction (TCP-19). */
  sendingEnded(discardedBytes: number): void {
    this.#session.room.flush();
    if (!this.#open || this.#sendingOver) return;
    const receives = this.#session.scopes.includes('receive');
    if (receives) this.#switches?.sendingEnded();
    else this.#switches?.end();
    if (!this.open) return;
    this.#endSending('closed_by_peer', discardedBytes);
    this.#settleSending();
    if (!receives) this.close('closed_by_peer');
  }

  #endSending(cause: EndCause, discardedBytes = 0): void {
    if (this.#sendingOver) return;
    this.#sendingOver = true;
    const { received: n, bytes } = this.c2s;
    const account = { ...this.#account('c2s', { n, bytes, cause }), ...missingFrom(this) };
    this.#session.emit('pipe.ended', { ...account, ...(discardedBytes > 0 && { discardedBytes }) });
  }

  /** Nobody need wait for more from the client. */
  #settleSending(): void {
    this.waiting.fail({ refused: 'pipe_ended', data: { counters: counters(this.#session, this) } });
    this.ending?.over();
  }

  ended(cause: EndCause): void {
    this.#session.room.flush();
    if (!this.#open) return;
    this.#switches?.end();
    this.s2c.end(false);
    this.#end(cause);
  }

  #end(cause: EndCause): void {
    this.#open = false;
    this.#cause = cause;
    const { n, bytes } = this.s2c.written;
    this.#endSending(cause);
    this.#session.emit('pipe.ended', this.#account('s2c', { n, bytes, cause }));
    this.#settleSending();
    this.#session.room.relieved(this.#session);
    this.#session.pipeEnded();
    this.#finish?.over();
  }

  #account(dir: 'c2s' | 's2c', final: { n: number; bytes: number; cause: EndCause }): Record<string, unknown> {
    return { at: this.at(dir, final.n), dir, finalN: final.n, finalBytes: final.bytes, cause: final.cause };
  }
}
