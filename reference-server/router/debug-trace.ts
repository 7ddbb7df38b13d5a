import type { Position } from '../../generated/types.js';
import type { Message } from '../ports/message.js';
import { numbersFrom } from './numbers.js';
import type { Session } from './session.js';
import { TokenBucket } from '../ports/token-bucket.js';

/** A refused message has no id. */
type Traced = Pick<Message, 'kind' | 'payload'> & { readonly id?: string };

export type DebugLevel = 'off' | 'info' | 'trace';

/** Diagnostics of one session: lossy, redacted and limited in rate, so that nothing can depend on them (DBG-2). */
export class DebugTrace {
  readonly #session: Session;
  level: DebugLevel = 'info';
  #seq = 0;
  #dropped = 0;
  #bucket: TokenBucket | null = null;

  constructor(session: Session) {
    this.#session = session;
  }

  log(level: 'info' | 'trace', text: string): void {
    if (this.level === 'off' || (level === 'trace' && this.level !== 'trace')) return;
    this.#send('debug.log', { level, text });
  }

  get headSeq(): number {
    return this.#seq;
  }

  /** Whether anybody would hear of single messages. */
  get tracing(): boolean {
    return this.level === 'trace' && this.#session.bindings.outlet('debug') !== undefined;
  }

  /** Messages that passed the pipe from position `first` on, all about them but their content. */
  envelopes(first: Position, messages: readonly Traced[]): void {
    if (!this.tracing) return;
    const { epoch, dir } = first;
    const numbers = numbersFrom(first, messages);
    messages.forEach(({ kind, payload, id }, index) => {
      this.#send('debug.envelope', { epoch, dir, n: numbers[index], kind, bytes: payload.length, id });
    });
  }

  #send(method: string, params: Readonly<Record<string, unknown>>): void {
    const outlet = this.#session.bindings.outlet('debug');
    if (!outlet) return;
    const { context, limits, sid } = this.#session;
    this.#bucket ??= new TokenBucket(context.clock, { perSecond: limits.debugEventsPerSecond });
    const dropped = this.#dropped > 0 ? { dropped: this.#dropped } : {};
    const event = { seq: this.#seq + 1, sid, ...dropped, ...params };
    if (this.#bucket.take() && outlet.sendUnlogged(method, event)) {
      this.#seq++;
      this.#dropped = 0;
    } else this.#dropped++;
  }
}
