import type { Batch, Message } from '../ports/message.js';
import type { PipeSink, Queued, Unit } from '../ports/pipe.js';
import { LARGE_COUNT } from './large-count.js';
import { type Marker, WaitQueue, isBatch } from './wait-queue.js';

/** Who keeps a pipe from being written to: its member, or a switch that waits for its acknowledgement. */
export type Hold = 'pause' | 'switch';

/** What the queue of a pipe may hold. */
export interface QueueLimits {
  readonly maxQueuedMessages: number;
  readonly maxQueuedBytes: number;
}

/** Whoever wants to know what was handed to the transport, and the number of its first message. */
interface Writer {
  wrote(batch: Batch, first: number): void;
}

const NO_HOLDS: readonly Hold[] = [];

/**
 * The way of messages into one pipe. What the transport can take goes straight into it; what it cannot take yet waits
 * here without a position, so that a drop leaves no hole in the numbers (POS-2).
 */
export class Outbound {
  readonly #sink: PipeSink;
  readonly #writer: Writer;
  readonly #countsBytes: boolean;
  #queue: WaitQueue | null = null;
  #holds = NO_HOLDS;
  /** Messages that have a position, and their payload bytes. */
  #n = 0;
  #bytes = LARGE_COUNT;

  constructor(sink: PipeSink, writer: Writer) {
    this.#sink = sink;
    this.#writer = writer;
    this.#countsBytes = sink.unit === 'byte';
  }

  get unit(): Unit {
    return this.#countsBytes ? 'byte' : 'msg';
  }

  /** In what the pipe's positions count. */
  units(messages: number, bytes: number): number {
    return this.#countsBytes ? bytes : messages;
  }

  /** Position of the last message, or byte, that was handed to the transport. */
  get n(): number {
    return this.#countsBytes ? this.#bytes : this.#n;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get waiting(): number {
    return this.#queue?.messages ?? 0;
  }

  get waitingBytes(): number {
    return this.#queue?.bytes ?? 0;
  }

  /** Whether nothing waits, so that the next message's number is known. */
  get settled(): boolean {
    return this.#queue === null;
  }

  /** Whether a message would go straight to the transport. */
  get flowing(): boolean {
    return this.#queue === null && this.#holds.length === 0 && this.#sink.ready;
  }

  held(by: Hold): boolean {
    return this.#holds.includes(by);
  }

  /** Lets a batch wait behind what waits already, unless the client is there to fetch it. */
  push(batch: Batch): void {
    (this.#queue ??= new WaitQueue()).push(batch);
    if (this.#sink.fetches) this.pump();
  }

  /** Marks the place behind everything that there is by now; `reached` learns its number, at once where nothing waits. */
  mark(reached: (n: number) => void): void {
    if (this.#queue === null) reached(this.n);
    else this.#queue.push({ reached });
  }

  /** Whether more waits than the limits allow; one message alone never is too much (DELIV-11). */
  exceeds({ maxQueuedMessages, maxQueuedBytes }: QueueLimits, more = { messages: 0, bytes: 0 }): boolean {
    const messages = this.waiting + more.messages;
    return messages > maxQueuedMessages || (messages > 1 && this.waitingBytes + more.bytes > maxQueuedBytes);
  }

  /** Drops what has waited longest until the limits hold; returns how many units. */
  dropOldest(limits: QueueLimits): number {
    return this.#dropWhile(() => this.exceeds(limits));
  }

  #dropWhile(over: () => boolean): number {
    const bytes = this.waitingBytes;
    const messages = this.#queue?.dropWhile(over) ?? 0;
    if (this.#queue?.empty) this.#queue = null;
    const dropped = this.units(messages, bytes - this.waitingBytes);
    return dropped;
  }

  /** Gives up all messages that wait, and none of the places that are marked; returns how many units. */
  discard(): number {
    return this.#dropWhile(() => true);
  }

  /** Goes over what waits; see {@link WaitQueue.change}. */
  change(change: (message: Message) => Message | Marker): void {
    this.#queue?.change(change);
  }

  hold(by: Hold): void {
    if (!this.held(by)) this.#holds = [...this.#holds, by];
  }

  release(by: Hold): void {
    this.#holds = this.#holds.filter((hold) => hold !== by);
    this.pump();
  }

  /** Writes on, as far as the transport takes it. */
  pump(): void {
    while (this.#queue !== null && this.#holds.length === 0 && this.#takes(this.#queue)) this.#next(this.#queue);
  }

  /**
   * Hands everything to the transport, which is about to end in order; only a switch still keeps what it holds, and a
   * client that fetches its messages has no more time for that.
   */
  flush(): void {
    while (this.#queue !== null && !this.#sink.fetches && !this.held('switch')) this.#next(this.#queue);
  }

  /** Gives up what waits; the places that were marked have come as close as they ever will. */
  abandon(): void {
    for (let entry = this.#queue?.shift(); entry; entry = this.#queue?.shift()) {
      if (!isBatch(entry)) entry.reached(this.n);
    }
    this.#queue = null;
  }

  /** A place is told as soon as the stream is there, and not when the client fetches the next message. */
  #takes(queue: WaitQueue): boolean {
    return this.#sink.ready || (this.#sink.fetches === true && queue.beginsWithMark);
  }

  /** The oldest of what waits, at most so many messages. */
  listed(most: number): readonly Queued[] {
    return this.#queue?.oldest(most).map(({ kind, payload }) => ({ kind, bytes: payload.length })) ?? [];
  }

  #next(queue: WaitQueue): void {
    const entry = this.#sink.fetches ? queue.shiftOne() : queue.shift();
    if (queue.empty) this.#queue = null; // before a marker's doings find it
    if (!entry) return;
    if (isBatch(entry)) this.write(entry);
    else entry.reached(this.n);
  }

  /** Hands a batch to the transport; nothing may wait that came before it. */
  write(batch: Batch): void {
    const first = this.n + 1;
    this.#n += batch.messages.length;
    this.#bytes += batch.bytes;
    this.#sink.deliver(batch);
    this.#writer.wrote(batch, first);
  }
}
