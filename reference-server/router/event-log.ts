import type { EventLog, LoggedEvent } from '../ports/sibling.js';

/** How much a log keeps: whichever of the two is reached first. */
export interface Retention {
  readonly events: number;
  readonly bytes: number;
}

const NOTHING: Retention = { events: 0, bytes: 0 };

/** What is kept for a `pipe.mark` that is to come; none is as long. */
const MARK: Retention = { events: 1, bytes: 256 };

interface Entry {
  readonly event: LoggedEvent;
  readonly bytes: number;
  readonly guest: boolean;
}

/**
 * A ring of events numbered from 1 (SIB-1), bounded in count and bytes, trimmed by acknowledgement (SIB-2). What other
 * members have to say, its guests, may take up half of it.
 */
export class EventRing implements EventLog {
  readonly #retention: Retention;
  readonly #entries: Entry[] = [];
  #head = 0;
  #acked = 0;
  #bytes = 0;
  readonly #guests = { events: 0, bytes: 0 };
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
    this.#push(this.#made(method, params, false));
  }

  /**
   * Appends what another member caused; false where its like fills its half of the ring already (AGENT-12). With
   * `andMore` there has to be room for a mark too, which is kept until it comes (END-11).
   */
  offer(method: string, params: Readonly<Record<string, unknown>>, { andMore = false } = {}): boolean {
    const entry = this.#made(method, params, true);
    const { events, bytes } = this.#retention;
    const more = andMore ? MARK : NOTHING;
    if (this.#guests.events + 1 + more.events > Math.floor(events / 2)) return false;
    if (this.#guests.bytes + entry.bytes + more.bytes > Math.floor(bytes / 2)) return false;
    this.#countGuests(more, 1);
    this.#push(entry);
    return true;
  }

  /** Appends a mark for which room was kept. */
  redeem(method: string, params: Readonly<Record<string, unknown>>): void {
    this.#countGuests(MARK, -1);
    this.#push(this.#made(method, params, true));
  }

  #made(method: string, params: Readonly<Record<string, unknown>>, guest: boolean): Entry {
    const seq = this.#head + 1;
    const event = { seq, method, params: { seq, ...params } };
    const bytes = Buffer.byteLength(JSON.stringify({ jsonrpc: '2.0', method, params: event.params }));
    return { event, bytes, guest };
  }

  #push(entry: Entry): void {
    this.#head = entry.event.seq;
    this.#newest = entry.event;
    this.#entries.push(entry);
    this.#count(entry, 1);
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
    const entry = this.#entries.shift();
    if (entry) this.#count(entry, -1);
  }

  #count({ bytes, guest }: Entry, sign: 1 | -1): void {
    this.#bytes += sign * bytes;
    if (guest) this.#countGuests({ events: 1, bytes }, sign);
  }

  #countGuests({ events, bytes }: Retention, sign: 1 | -1): void {
    this.#guests.events += sign * events;
    this.#guests.bytes += sign * bytes;
  }
}
