import type { Cancel, Clock } from '../ports/clock.js';

interface LingerRules {
  readonly clock: Clock;
  readonly lingerMs: number;
  /** An open pipe or a bound sibling holds the session. */
  readonly held: () => boolean;
  /** Until when an unused ticket holds the session, in clock time. */
  readonly ticketUntil: () => number;
  readonly end: () => void;
}

/** Decides when a session that nobody holds any more is over (SESS-1). */
export class Linger {
  readonly #rules: LingerRules;
  #cancel: Cancel = () => undefined;
  #stayMs = 0;
  #over = false;
  /** When the present lingering began, or will begin with the ticket's end, in clock time. */
  #since = Infinity;

  constructor(rules: LingerRules) {
    this.#rules = rules;
  }

  /** Once its sockets are gone the session lives this long, one time; 0 takes that back (SESS-3). */
  stay(ms: number): void {
    this.#stayMs = ms;
  }

  /** To be called whenever a pipe, a binding or a ticket came or went. */
  review(): void {
    this.#cancel();
    this.#cancel = () => undefined;
    if (this.#over) return;
    const { clock, lingerMs, held, ticketUntil, end } = this.#rules;
    const now = clock.now();
    if (held()) {
      if (this.#since <= now) this.#stayMs = 0; // a stay is for one absence
      this.#since = Infinity;
      return;
    }
    if (this.#since > now) this.#since = Math.max(now, ticketUntil());
    this.#cancel = clock.after(this.#since - now + Math.max(lingerMs, this.#stayMs), end);
  }

  /** Nothing is to be decided any more. */
  stop(): void {
    this.#over = true;
    this.#cancel();
  }
}
