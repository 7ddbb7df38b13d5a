import type { EndCause } from '../../../generated/types.js';
import type { Backlog, Outcome, PipeSink } from '../../ports/pipe.js';

const NOTHING: Backlog = { messages: 0, bytes: 0 };

/** What a pipe that is a form tells whoever reads the form. */
export interface FormPipeEvents {
  reading(on: boolean): void;
  closed(cause: EndCause): void;
  settled(outcome: Outcome): void;
}

/** One POST as a pipe: it leads to the server only, so that its member receives nothing (FORM-19). */
export class FormPipe implements PipeSink {
  readonly transport = 'form';
  readonly writable = false;
  readonly ready = true;
  readonly #events: FormPipeEvents;

  constructor(events: FormPipeEvents) {
    this.#events = events;
  }

  deliver(): void {
    throw new Error('nothing is delivered to a form');
  }

  backlog(): Backlog {
    return NOTHING;
  }

  reading(on: boolean): void {
    this.#events.reading(on);
  }

  close(cause: EndCause): void {
    this.#events.closed(cause);
  }

  settled(outcome: Outcome): void {
    this.#events.settled(outcome);
  }
}
