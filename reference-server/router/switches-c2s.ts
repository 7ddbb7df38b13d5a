import type { CallParams, CallResults, OpenSwitch, SwitchEnd, SwitchSet } from '../../generated/types.js';
import type { Result } from '../ports/refusal.js';
import { overlaps } from './formats.js';
import type { Pipe } from './pipe.js';
import type { Session } from './session.js';
import { Settled } from './switches-settled.js';

type Propose = CallParams['switch.propose'];

interface Known {
  readonly id: string;
  readonly n: number;
  readonly set: SwitchSet;
  status: 'acknowledged' | 'done' | 'aborted';
}

/** Switches of what the client sends: it picks n, and the reply to its proposal is the acknowledgement. */
export class InboundSwitches {
  readonly #session: Session;
  readonly #pipe: Pipe;
  readonly #settled = new Settled<Known>();
  #open: Known | null = null;
  #crossed: { readonly n: number; readonly before: Session['sending'] } | null = null;

  constructor(session: Session, pipe: Pipe) {
    this.#session = session;
    this.#pipe = pipe;
  }

  get open(): OpenSwitch | null {
    if (!this.#open) return null;
    const { id, n, set, status } = this.#open;
    return { id, dir: 'c2s', at: this.#pipe.at('c2s', n), set, status };
  }

  propose(params: Propose): Result<CallResults['switch.propose']> {
    const known = this.#known(params.id);
    if (known) return this.#repeated(known, params); // SWITCH-6
    const { epoch, n } = params.at;
    if (epoch > this.#pipe.epoch) return { refused: 'no_pipe' };
    if (epoch < this.#pipe.epoch || !this.#pipe.open) return { refused: 'pipe_ended' };
    if (this.#open) return { refused: 'switch_pending' };
    if (n <= this.#pipe.begun) return this.#tooLate(); // SWITCH-3
    if (!this.#allowed(params.set)) return { refused: 'format_unsupported', pointer: '/set/format' };
    this.#open = { id: params.id, n, set: params.set, status: 'acknowledged' };
    return this.#answer(this.#open);
  }

  abort(id: string): Result<CallResults['switch.abort']> {
    const known = this.#known(id);
    if (!known) return { refused: 'switch_unknown' };
    if (known.status === 'done') return this.#tooLate();
    if (known === this.#open) this.#give('called_off'); // a repeat must not hit the next one
    return { id, status: 'aborted' };
  }

  /** As what a message was sent that comes late, from before the latest boundary (udp.md); null for any other. */
  before(n: number): Session['sending'] | null {
    return this.#crossed && n < this.#crossed.n ? this.#crossed.before : null;
  }

  /** The n-th message is here, and not yet treated: the new settings hold from the one on that was agreed. */
  counted(n: number): void {
    const open = this.#open;
    if (!open || n < open.n) return;
    this.#crossed = { n: open.n, before: this.#session.sending };
    this.#open = null;
    open.status = 'done';
    this.#settled.add(open);
    const { id, set } = open;
    this.#session.sendAs(set.format);
    // Behind what the messages before it have to say (SIB-1).
    this.#session.room.inTurn(() => {
      this.#session.emit('switch.done', { at: this.#pipe.at('c2s', open.n), id, dir: 'c2s', set });
    });
  }

  /** The pipe has ended: what it was agreed about will not come. */
  end(): void {
    this.#give('pipe_ended');
  }

  #known(id: string): Known | undefined {
    return this.#open?.id === id ? this.#open : this.#settled.get(id);
  }

  #repeated(known: Known, { at, set }: Propose): Result<CallResults['switch.propose']> {
    const same = at.epoch === this.#pipe.epoch && at.n === known.n && set.format === known.set.format;
    return same ? this.#answer(known) : { refused: 'invalid_params', pointer: '/id' };
  }

  #answer({ id, n, status }: Known): CallResults['switch.propose'] {
    return { id, status, at: this.#pipe.at('c2s', n) };
  }

  #tooLate(): Result<never> {
    return { refused: 'switch_too_late', data: { at: this.#pipe.at('c2s', this.#pipe.c2s.received) } };
  }

  /** Whether the session could have entered with this (FMT-7). */
  #allowed({ format }: SwitchSet): boolean {
    const { room, scopes } = this.#session;
    const sends = scopes.filter((scope) => scope === 'send');
    return overlaps(room.terms, { send: [format], receive: [format] }, sends);
  }

  /** Nothing comes of the open switch. */
  #give(cause: SwitchEnd): void {
    const open = this.#open;
    if (!open) return;
    this.#open = null;
    open.status = 'aborted';
    this.#settled.add(open);
    this.#session.emit('switch.abort', { at: this.#pipe.at('c2s', open.n), id: open.id, dir: 'c2s', cause });
  }
}
