import type { Cancel, Clock } from '../ports/clock.js';

interface PauseParts {
  readonly clock: Clock;
  /** Keeps the pipe from being written to, or lets it go on. */
  readonly hold: (on: boolean) => void;
  /** The pause was ended for the client; called before anything more is written. */
  readonly overdue: () => void;
}

/** A client's wish to be spared its own stream for a while (PAUSE-1), which nobody keeps up for ever (PAUSE-4). */
export class Pause {
  readonly #parts: PauseParts;
  #overdue: Cancel | null = null;

  constructor(parts: PauseParts) {
    this.#parts = parts;
  }

  get on(): boolean {
    return this.#overdue !== null;
  }

  /** A pause that is on already goes on, with the time that it has left. */
  start(ms: number): void {
    if (this.on) return;
    this.#overdue = this.#parts.clock.after(ms, () => {
      this.stop();
      this.#parts.overdue();
      this.#parts.hold(false);
    });
    this.#parts.hold(true);
  }

  /** Ends it on the client's own word. */
  resume(): void {
    this.stop();
    this.#parts.hold(false);
  }

  /** The pipe is over. */
  stop(): void {
    this.#overdue?.();
    this.#overdue = null;
  }
}
