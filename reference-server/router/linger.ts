import type { Clock } from '../ports/clock.js';
import { SETTLED } from './waiting.js';

/** What may linger: a session. */
interface Lingering {
  readonly context: { readonly clock: Clock };
  readonly limits: { readonly sessionLingerMs: number };
  /** An open pipe or a bound sibling holds the session. */
  readonly held: boolean;
  /** Until when an unused ticket holds the session, in clock time. */
  ticketUntil(): number;
  end(): void;
}

/** Decides when a session that nobody holds any more is over (SESS-1). */
export class Linger {
  readonly #session: Lingering;
  #cancel = SETTLED;
  #stayMs = 0;
  #over = false;
  /** When the present lingering began, or will begin with the ticket's end, in clock time. */
  #since = Infinity;

  constructor(session: Lingering) {
    this.#session = session;
  }

  /** Once its sockets are gone the session lives this long, one time; 0 takes that back (SESS-3). */
  stay(ms: number): void {
    this.#stayMs = ms;
  }

  /** To be called whenever a pipe, a binding or a ticket came or went. */
  review(): void {
    this.#cancel();
    this.#cancel = SETTLED;
    if (this.#over) return;
    const session = this.#session;
    const { clock } = session.context;
    const lingerMs = session.limits.sessionLingerMs;
    const now = clock.now();
    if (session.held) {
      if (this.#since <= now) this.#stayMs = 0; // a stay is for one absence
      this.#since = Infinity;
      return;
    }
    if (this.#since > now) this.#since = Math.max(now, session.ticketUntil());
    this.#cancel = clock.after(this.#since - now + Math.max(lingerMs, this.#stayMs), () => session.end());
  }

  /** Nothing is to be decided any more. */
  stop(): void {
    this.#over = true;
    this.#cancel();
  }
}
