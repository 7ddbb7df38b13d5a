import type { Member, Position } from '../../generated/types.js';
import type { Message } from '../ports/message.js';
import type { Bindings } from './bindings.js';
import { numbersFrom } from './numbers.js';
import type { Presence } from './presence.js';

/** The events that a client opts in to; nobody else pays for them (RCPT-6). */
export const OBSERVABLE = ['pipe.receipt', 'pipe.manifest', 'room.member'] as const;
export type Observable = (typeof OBSERVABLE)[number];

export interface Receipt {
  readonly n: number;
  readonly id: string;
  readonly members: number;
}

/** The session whose client is told. */
interface Observed {
  readonly sid: string;
  readonly account: string | null;
  readonly bindings: Bindings;
}

const NOTHING: ReadonlySet<Observable> = new Set();

/** Items in one event; keeps an event well inside what a small client can take. */
const ITEMS_PER_EVENT = 100;

/** High-rate events: batched, never retained, numbered apart from the log (RCPT-5). */
export class Observers {
  readonly #session: Observed;
  #events = NOTHING;
  #vseq = 0;

  constructor(session: Observed) {
    this.#session = session;
  }

  get #available(): readonly Observable[] {
    return OBSERVABLE.filter((event) => this.#session.account !== null || event !== 'room.member'); // MEMBER-6
  }

  get subscribed(): Observable[] {
    return OBSERVABLE.filter((event) => this.#events.has(event));
  }

  /** Replaces what was subscribed to; names that nobody knows are left out of the answer (RCPT-1). */
  subscribe(events: readonly string[]): Observable[] {
    this.#events = new Set(this.#available.filter((event) => events.includes(event)));
    return this.subscribed;
  }

  /** Number of the last report of the present connection (MEMBER-8). */
  get vseq(): number {
    return this.#vseq;
  }

  wants(event: Observable): boolean {
    return this.#events.has(event);
  }

  /** Another socket holds the command channel; its reports are numbered from 1. */
  rebound(): void {
    this.#vseq = 0;
  }

  accepted(receipt: Receipt, epoch: number): void {
    if (this.wants('pipe.receipt')) this.#emit('pipe.receipt', epoch, [receipt]);
  }

  /** Messages that took the positions from `first` on in the member's pipe, where manifests are wanted. */
  delivered(first: Position, messages: readonly Message[]): void {
    const numbers = numbersFrom(first, messages);
    const items = messages.map(({ id, from }, index) => ({ n: numbers[index], id, from, hops: [] }));
    this.#emit('pipe.manifest', first.epoch, items);
  }

  presence(change: Presence, member: Member): void {
    this.#send('room.member', { vseq: ++this.#vseq, sid: this.#session.sid, change, member });
  }

  #emit(method: Observable, epoch: number, items: readonly object[]): void {
    const { sid } = this.#session;
    for (let at = 0; at < items.length; at += ITEMS_PER_EVENT) {
      const some = items.slice(at, at + ITEMS_PER_EVENT);
      this.#send(method, { vseq: ++this.#vseq, sid, epoch, items: some });
    }
  }

  #send(method: Observable, params: Readonly<Record<string, unknown>>): void {
    this.#session.bindings.outlet('command')?.sendUnlogged(method, params);
  }
}
