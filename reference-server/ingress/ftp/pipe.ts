import type { EndCause } from '../../../generated/types.js';
import type { Batch, Kind, Message } from '../../ports/message.js';
import type { Backlog, Outcome, PipeSink, PipeSource, Queued, Unit } from '../../ports/pipe.js';
import type { LiveDownload } from './download.js';
import type { Upload } from './upload.js';

/** A message that the client fetches, and its position; it stays until it has been taken whole. */
export interface Fetched {
  readonly n: number;
  readonly message: Message;
}

const NOTHING: Backlog = { messages: 0, bytes: 0 };

/** The pipe of an FTP session: it lives as long as its control connection, and its data connections carry it. */
export class FtpPipe implements PipeSink {
  readonly transport = 'ftp';
  readonly unit: Unit;
  readonly #close: (cause: EndCause) => void;
  #source: PipeSource | null = null;
  #writable = true;
  #reading = true;
  #upload: Upload | null = null;
  #live: LiveDownload | null = null;
  #wanting = false;
  #come: (() => void) | null = null;
  #current: Fetched | null = null;
  /** What was written into live streams and never taken. */
  #lost = NOTHING;
  #written = 0;
  #sent = 0;
  #settled = 0;
  #error: Outcome | null = null;
  #last: Outcome | null = null;
  #told: (() => void) | null = null;

  /** `close` is called when the router ends the pipe. */
  constructor(unit: Unit, close: (cause: EndCause) => void) {
    this.unit = unit;
    this.#close = close;
  }

  get source(): PipeSource {
    if (!this.#source) throw new Error('not attached');
    return this.#source;
  }

  attach(source: PipeSource): void {
    this.#source = source;
  }

  get writable(): boolean {
    return this.#writable;
  }

  get ready(): boolean {
    return this.#live ? this.#live.ready : this.#wanting && this.#current === null;
  }

  get fetches(): boolean {
    return this.#live === null;
  }

  /** Position of the last message, or byte, that was handed over to the client. */
  get written(): number {
    return this.#written;
  }

  /** The same of what came from it. */
  get received(): number {
    return this.#sent;
  }

  deliver(batch: Batch): void {
    this.#written += this.unit === 'byte' ? batch.bytes : batch.messages.length;
    if (this.#live) {
      this.#live.deliver(batch);
      return;
    }
    const [message] = batch.messages;
    if (message) this.#current = { n: this.#written, message };
    this.#come?.();
  }

  backlog(): Backlog {
    const live = this.#live?.backlog ?? NOTHING;
    const fetched = this.#current === null ? 0 : 1;
    return {
      messages: live.messages + this.#lost.messages + fetched,
      bytes: live.bytes + this.#lost.bytes + (this.#current?.message.payload.length ?? 0),
    };
  }

  reading(on: boolean): void {
    this.#reading = on;
    this.#upload?.reading(on);
  }

  settled(outcome: Outcome): void {
    this.#settled = outcome.n;
    this.#last = outcome;
    if ('error' in outcome) this.#error ??= outcome;
    if (this.#settled >= this.#sent) this.#told?.();
  }

  close(cause: EndCause): void {
    this.over();
    this.#close(cause);
    queueMicrotask(() => this.#source?.ended(cause)); // whoever closes is told when it has done so
  }

  /** Nothing more is written, and nobody waits for anything. */
  over(): void {
    this.#writable = false;
    this.#come?.();
    this.#told?.();
    this.#live?.end();
  }

  /** An upload begins; it is read from as the room permits. */
  begin(make: (reading: boolean) => Upload): Upload {
    this.#error = null;
    this.#last = null; // no bytes of a stream have no outcome of their own
    this.#upload = make(this.#reading);
    return this.#upload;
  }

  /** Messages, or bytes, of the client's. */
  send(kind: Kind, payload: Buffer): void {
    this.#sent += this.unit === 'byte' ? payload.length : 1;
    this.source.receive(kind, payload);
  }

  /** An upload that broke off: where messages count, it was one (FTP-17). */
  truncated(): void {
    if (this.unit === 'byte') return;
    this.#sent++;
    this.source.truncated();
  }

  /** What became of everything sent since the upload began: the first refusal, or the last receipt. */
  async outcome(): Promise<Outcome | null> {
    this.#upload = null;
    if (this.#settled < this.#sent && this.#writable) {
      await new Promise<void>((resolve) => (this.#told = resolve));
      this.#told = null;
    }
    return this.#settled < this.#sent ? null : (this.#error ?? this.#last);
  }

  /** What waits to be fetched, oldest first. */
  queued(most: number): readonly Queued[] {
    const { message } = this.#current ?? {};
    const first = message ? [{ kind: message.kind, bytes: message.payload.length }] : [];
    return [...first, ...this.source.queued(most - first.length)];
  }

  /** The message that was not taken yet, or the next that waits; null where there is none. */
  fetch(): Fetched | null {
    this.#want(true);
    this.#want(false);
    return this.#current;
  }

  /** The same, but waits for one to come; null where the wait is broken off by `end` first. */
  async fetchNext(end: Promise<unknown>): Promise<Fetched | null> {
    this.#want(true);
    if (!this.#current && this.#writable) {
      const come = new Promise<void>((resolve) => (this.#come = resolve));
      await Promise.race([come, end]);
      this.#come = null;
    }
    this.#want(false);
    return this.#current;
  }

  /** The message that was fetched has been taken whole. */
  taken(): void {
    this.#current = null;
    this.source.drained();
  }

  /** Hands everything to a stream until that has ended; resolves with whether all was taken. */
  async stream(make: (drained: () => void) => LiveDownload): Promise<boolean> {
    const live = make(() => this.source.drained());
    this.#live = live;
    this.source.drained();
    const whole = await live.done;
    const { messages, bytes } = live.backlog;
    if (!whole) this.#lost = { messages: this.#lost.messages + messages, bytes: this.#lost.bytes + bytes };
    this.#live = null;
    return whole;
  }

  #want(on: boolean): void {
    this.#wanting = on;
    if (on && this.#current === null && this.#writable) this.source.drained();
  }
}
