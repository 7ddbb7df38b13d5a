import type { Position } from '../../generated/types.js';
import type { Batch, Kind, Message, Undecided } from '../ports/message.js';
import type { Backlog, PipeSink } from '../ports/pipe.js';
import { MessageBatch } from './batch.js';
import { Drops, type Place } from './drops.js';
import { type Hold, Outbound } from './outbound.js';
import { Pause } from './pause.js';
import type { Session } from './session.js';

const undecided = (message: Message): message is Undecided => 'missed' in message;

const NONE: readonly Message[] = [];

/** The direction of a pipe that leads to its member: what it is given, what waits, what was written, what was lost. */
export class Downstream {
  readonly out: Outbound;
  #pause: Pause | null = null;
  #drops: Drops | null = null;
  readonly #session: Session;
  readonly #sink: PipeSink;
  readonly #epoch: number;
  /** Messages or bytes taken for this pipe, and those of them that will never be written. */
  enqueued = 0;
  dropped = 0;
  #lostBytes = 0;
  #lost = 0;
  #ended = false;
  #tail: Place | null = null;

  constructor(session: Session, epoch: number, sink: PipeSink) {
    this.#session = session;
    this.#epoch = epoch;
    this.#sink = sink;
    this.out = new Outbound(sink, this);
  }

  /** Made when they are first needed: most pipes are never paused and lose nothing. */
  get pause(): Pause {
    this.#pause ??= new Pause({
      clock: this.#session.context.clock,
      hold: (on) => {
        if (on) this.out.hold('pause');
        else this.release('pause');
      },
      overdue: () => this.#session.emit('pipe.resumed', { at: this.at(this.out.n), cause: 'timeout' }),
    });
    return this.#pause;
  }

  get paused(): boolean {
    return this.#pause?.on === true;
  }

  get drops(): Drops {
    this.#drops ??= new Drops(this.#session.context.clock, (place, count) => this.#tellDrop(place, count));
    return this.#drops;
  }

  at(n: number): Position {
    return { epoch: this.#epoch, dir: 's2c', unit: this.out.unit, n };
  }

  /** Messages that have left for the kernel, and their payload bytes. */
  get written(): { n: number; bytes: number } {
    const { messages, bytes } = this.#ended ? { messages: this.#lost, bytes: this.#lostBytes } : this.#sink.backlog();
    return { n: this.out.n - this.out.units(messages, bytes), bytes: this.out.bytes - bytes };
  }

  /** Whether more waits than the room allows (DELIV-11). */
  get behind(): boolean {
    return !this.out.settled && this.out.exceeds(this.#session.room.limits);
  }

  /**
   * Takes messages for the member and returns those that the room's policy drops instead (SLOW-1 to SLOW-4). What is
   * too much under the policies `close` and `block` is taken all the same; the room looks at `behind` afterwards.
   */
  give(batch: Batch): readonly Message[] {
    if (!this.out.flowing || this.#sink.fetches) {
      const { slowConsumer } = this.#session.room.terms;
      if (slowConsumer === 'dropNewest') return this.#giveWhatFits(batch);
      this.#take(batch);
      if (slowConsumer === 'dropOldest') this.#dropOldest();
      return NONE;
    }
    this.enqueued += this.out.units(batch.messages.length, batch.bytes);
    this.out.write(batch);
    return NONE;
  }

  /** The place behind what was given so far: its number where it is known, or a mark that will tell it (MARK-1). */
  place(): Place {
    if (this.out.settled) return { beforeN: this.out.n + 1 };
    this.#tail ??= { mark: this.mark() };
    return this.#tail;
  }

  /** A place in the words of an event. */
  told(place: Place): { at: Position } & Place {
    return { at: this.at('beforeN' in place ? place.beforeN - 1 : this.out.n), ...place };
  }

  /** Sets a mark behind what was given so far, and returns its number; `tell` is how the session hears of the place. */
  mark(mark = this.#session.nextMark(), tell: Session['emit'] = (...event) => this.#session.emit(...event)): number {
    this.out.mark((n) => {
      this.#drops?.tellAll(); // before the place that they speak of is told
      tell('pipe.mark', { mark, at: this.at(n) });
    });
    return mark;
  }

  /** Writes what waited for a hold that is gone. */
  release(by: Hold): void {
    this.out.release(by);
    this.#session.room.relieved(this.#session);
    // A transport that took all of it at once has nothing to report, and an end may wait for just that.
    this.#session.context.scheduler.soon(() => this.#session.pipe?.drained());
  }

  /** A switch has been settled: what waited for that gets its kind, or is undeliverable to this member (FMT-9). */
  decide(kindOf: (message: Message) => Kind | null): void {
    this.out.change((message) => {
      if (!undecided(message)) return message;
      const { missed, ...rest } = message;
      const kind = kindOf(message);
      if (kind) return { ...rest, kind };
      this.dropped++;
      missed();
      return { reached: (n) => this.#session.undeliverable({ beforeN: n + 1 }) };
    });
  }

  /** Gives up what waits behind a boundary: it is of a room that the member has left there (MOVE-13, MOVE-14). */
  discard(): void {
    const count = this.out.discard();
    if (count > 0) this.#lose({ beforeN: this.out.n + 1 }, count);
    this.#drops?.tellAll();
  }

  /** The transport takes messages again. */
  drained(): void {
    if (this.out.settled) return;
    this.out.pump();
    this.#session.room.relieved(this.#session);
  }

  /** Settles the account: everything is written that the end leaves time for, the rest is lost. */
  end(orderly: boolean): void {
    this.#pause?.stop();
    if (orderly) this.out.flush();
    const inTransport: Backlog = orderly && !this.#sink.fetches ? { messages: 0, bytes: 0 } : this.#sink.backlog();
    this.#lost = inTransport.messages;
    this.#lostBytes = inTransport.bytes;
    this.dropped += this.out.units(this.#lost + this.out.waiting, this.#lostBytes + this.out.waitingBytes);
    this.#ended = true;
    this.out.abandon();
    this.#drops?.tellAll();
  }

  #take(batch: Batch): void {
    this.enqueued += this.out.units(batch.messages.length, batch.bytes);
    this.#tail = null;
    this.out.push(batch);
  }

  #dropOldest(): void {
    const count = this.out.dropOldest(this.#session.room.limits);
    if (count > 0) this.#lose({ beforeN: this.out.n + 1 }, count);
  }

  #giveWhatFits(batch: Batch): readonly Message[] {
    const dropped: Message[] = [];
    for (const message of batch.messages) {
      const fits = !this.out.exceeds(this.#session.room.limits, { messages: 1, bytes: message.payload.length });
      if (fits) this.#take(new MessageBatch([message]));
      else {
        dropped.push(message);
        const count = this.out.units(1, message.payload.length);
        this.enqueued += count;
        this.#lose(this.place(), count);
      }
    }
    return dropped;
  }

  #lose(place: Place, count: number): void {
    this.dropped += count;
    this.drops.lost(place, count);
    this.#session.room.dropping(this);
  }

  #tellDrop(place: Place, count: number): void {
    this.#session.emit('pipe.dropped', { ...this.told(place), count });
  }

  /** The transport was handed a batch whose first message has this number. */
  wrote(batch: Batch, first: number): void {
    this.#drops?.tellAll(); // the place of what was dropped at the front is passed now
    const { observers, trace } = this.#session;
    if (observers.wants('pipe.manifest')) observers.delivered(this.at(first), batch.messages);
    if (trace.tracing) trace.envelopes(this.at(first), batch.messages);
  }
}
