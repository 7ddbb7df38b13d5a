import type { EventLog, LoggedEvent } from '../ports/sibling.js';

/** How much a log keeps: whichever of the two is reached first. */
export interface Retention {
  readonly events: number;
  readonly bytes: number;
}

interface Entry {
  readonly event: LoggedEvent;
  readonly bytes: number;
}

/** A ring of events numbered from 1 (SIB-1), bounded in count and bytes, trimmed by acknowledgement (SIB-2). */
export class EventRing implements EventLog {
  readonly #retention: Retention;
  readonly #entries: Entry[] = [];
  #head = 0;
  #acked = 0;
  #bytes = 0;
  #newest: LoggedEvent | undefined;

  constructor(retention: Retention) {
    this.#retention = retention;
  }

  get headSeq(): number {
    return this.#head;
  }

  get oldestSeq(): number {
    return this.#head - this.#entries.length + 1;
  }

  get ackedSeq(): number {
    return this.#acked;
  }

  /** The newest is there even where it alone exceeds what is retained: it is sent once (SIB-2). */
  at(seq: number): LoggedEvent | undefined {
    if (seq === this.#newest?.seq) return this.#newest;
    return this.#entries[seq - this.oldestSeq]?.event;
  }

  append(method: string, params: Readonly<Record<string, unknown>>): void {
    const seq = ++this.#head;
    const event = { seq, method, params: { seq, ...params } };
    const bytes = Buffer.byteLength(JSON.stringify({ jsonrpc: '2.0', method, params: event.params }));
    this.#newest = event;
    this.#entries.push({ event, bytes });
    this.#bytes += bytes;
    while (this.#entries.length > this.#retention.events || this.#bytes > this.#retention.bytes) this.#drop();
  }

  /** Lets go of everything up to `seq`; false where that number was never given out (SIB-7). */
  ack(seq: number): boolean {
    if (seq > this.#head) return false;
    this.#acked = Math.max(this.#acked, seq);
    while (this.oldestSeq <= this.#acked && this.#entries.length > 0) this.#drop();
    return true;
  }

  #drop(): void {
    this.#bytes -= this.#entries.shift()?.bytes ?? 0;
  }
}
