import type { IncomingMessage } from 'node:http';
import type { EndCause } from '../../../generated/types.js';
import type { Cancel, Clock } from '../../ports/clock.js';
import type { PipeOffer } from '../../ports/pipe.js';
import type { Refusal } from '../../ports/refusal.js';
import { refusalFor } from './causes.js';
import type { FormParser } from './parts.js';

/** What a body may cost before and beside its messages. */
export interface ReadingLimits {
  readonly bindMs: number;
  readonly httpBodyBytes: number;
}

/** What reading asks of whoever takes the fields. */
interface Taking {
  /** Whether it is known who posts. */
  readonly known: boolean;
  readonly messageBytes: number;
}

type Heard = Refusal | 'whole' | 'gone';

/** Reads the body of one form, piece by piece, and says once how that ended. */
export class Reading {
  readonly #request: IncomingMessage;
  readonly #limits: ReadingLimits;
  #clock: Clock;
  /** A client that is not known may take so long in all; one that is, so long between two pieces. */
  #patience: number;
  #heard: number;
  #listening = true;
  #bytes = 0;
  #stop: Cancel = () => undefined;
  #tell: ((heard: Heard) => void) | null = null;

  constructor(request: IncomingMessage, clock: Clock, limits: ReadingLimits) {
    this.#request = request;
    this.#limits = limits;
    this.#clock = clock;
    this.#patience = limits.bindMs;
    this.#heard = clock.now();
  }

  /** Resolves with how the body ended: whole, refused, or with the connection. Rejects with what `parser` throws. */
  through(parser: FormParser, taking: Taking): Promise<Heard> {
    const request = this.#request;
    return new Promise((resolve, reject) => {
      const guarded = (take: () => void): void => {
        try {
          take();
        } catch (error) {
          reject(error);
          this.#over('gone');
        }
      };
      this.#tell = resolve;
      this.#watch();
      request.on('data', (chunk: Buffer) => guarded(() => this.#take(chunk, parser, taking)));
      request.once('end', () => guarded(() => this.#over(parser.end() ?? 'whole')));
      request.once('error', () => this.#over('gone')).once('close', () => this.#over('gone'));
    });
  }

  /** The pipe is open: its time goes by the session's clock. */
  entered({ clock, limits }: PipeOffer): void {
    this.#clock = clock;
    this.#patience = limits.keepaliveMs;
    this.#heard = clock.now();
    this.#watch();
  }

  reading(on: boolean): void {
    this.#listening = on;
    this.#heard = this.#clock.now(); // who is not listened to is not silent
    if (on) this.#request.resume();
    else this.#request.pause();
  }

  closed(cause: EndCause): void {
    this.#over(cause === 'lost' ? 'gone' : refusalFor(cause));
  }

  #take(chunk: Buffer, parser: FormParser, taking: Taking): void {
    if (!this.#tell) return; // nobody looks at what comes behind a refusal
    if (taking.known) this.#heard = this.#clock.now();
    this.#bytes += chunk.length;
    const fault = parser.write(chunk);
    const { httpBodyBytes } = this.#limits;
    const beside = this.#bytes - taking.messageBytes * parser.swells;
    if (fault) this.#over(fault);
    else if (beside > httpBodyBytes) this.#over({ refused: 'body_too_large', limit: httpBodyBytes });
  }

  #watch(): void {
    this.#stop();
    const left = this.#heard + this.#patience - this.#clock.now();
    this.#stop = this.#clock.after(Math.max(1, left), () => {
      if (!this.#listening || this.#clock.now() < this.#heard + this.#patience) this.#watch();
      else this.#over({ refused: 'timeout' });
    });
  }

  #over(heard: Heard): void {
    const tell = this.#tell;
    this.#tell = null;
    this.#stop();
    if (!this.#listening) this.#request.resume(); // what is left is thrown away
    tell?.(heard);
  }
}
