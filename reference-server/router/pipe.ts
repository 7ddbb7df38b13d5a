import type { EndCause, Framing, OpenSwitch, Position } from '../../generated/types.js';
import type { Clock } from '../ports/clock.js';
import type { Batch, Kind, Message } from '../ports/message.js';
import type { PipeSink, PipeSource, Queued, Unit } from '../ports/pipe.js';
import { Downstream } from './downstream.js';
import type { Ending } from './endings.js';
import { counters, missingFrom } from './fence.js';
import type { Session } from './session.js';
import { Switches } from './switches.js';
import { Upstream } from './upstream.js';
import { Waiting } from './waiting.js';

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
    this.c2s = new Upstream(session, this, sink);
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
    if (this.taking) this.c2s.receive(kind, payload, number);
  }

  receivePart(kind: Kind, payload: Buffer, last: boolean): void {
    if (this.taking) this.c2s.receivePart(kind, payload, last);
  }

  forgetPart(): void {
    this.c2s.forgetPart();
  }

  truncated(): void {
    if (this.taking) this.c2s.truncated();
  }

  /** Under which settings the client sent its n-th message. */
  sendingAt(n: number): Session['sending'] {
    return this.#switches?.c2s.before(n) ?? this.#session.sending;
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

  queued(most: number): readonly Queued[] {
    return this.s2c.out.listed(most);
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
    this.s2c.end(this.#sink.breaksOff?.(cause) !== true); // what is queued goes out before the last words, if there are any
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
