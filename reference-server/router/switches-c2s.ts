import type { CallParams, CallResults, OpenSwitch, SwitchEnd, SwitchSet } from '../../generated/types.js';
import type { Kind } from '../ports/message.js';
import type { Result } from '../ports/refusal.js';
import { overlaps } from './formats.js';
import type { Pipe } from './pipe.js';
import type { Session } from './session.js';
import type { OutboundSwitches } from './switches-s2c.js';
import { Settled } from './switches-settled.js';

type Propose = CallParams['switch.propose'];

interface Known {
  readonly id: string;
  readonly n: number;
  readonly set: SwitchSet;
  /** Whether it is half of a move. */
  readonly half: boolean;
  status: 'acknowledged' | 'done' | 'aborted';
}

const sameSet = (one: SwitchSet, other: SwitchSet): boolean =>
  one.format === other.format && one.room === other.room && one.moveId === other.moveId;

/** Switches of what the client sends: it picks n, and the reply to its proposal is the acknowledgement. */
export class InboundSwitches {
  readonly #session: Session;
  readonly #pipe: Pipe;
  readonly #other: OutboundSwitches;
  readonly #settled = new Settled<Known>();
  #open: Known | null = null;
  #crossed: { readonly n: number; readonly before: Session['sending'] } | null = null;

  constructor(session: Session, pipe: Pipe, other: OutboundSwitches) {
    this.#session = session;
    this.#pipe = pipe;
    this.#other = other;
  }

  get open(): OpenSwitch | null {
    if (!this.#open) return null;
    const { id, n, set, status } = this.#open;
    return { id, dir: 'c2s', at: this.#pipe.at('c2s', n), set, status };
  }

  propose(params: Propose): Result<CallResults['switch.propose']> {
    if (params.set.room !== undefined) this.#session.room.flush(); // it may cross at once, and must still be possible
    const known = this.#known(params.id);
    if (known) return this.#repeated(known, params); // SWITCH-6
    const { epoch, n } = params.at;
    if (epoch > this.#pipe.epoch) return { refused: 'no_pipe' };
    if (epoch < this.#pipe.epoch || !this.#pipe.open || this.#pipe.sendingOver) return { refused: 'pipe_ended' };
    const { format } = params.set;
    const move = format === undefined ? this.#other.moveTo(params.set) : null;
    if (move && 'refused' in move) return move;
    if (this.#open || (format && this.#other.moving)) return { refused: 'switch_pending' };
    if (n <= this.#pipe.c2s.begun) return this.#tooLate(); // SWITCH-3
    if (format && !this.#allowed(format)) return { refused: 'format_unsupported', pointer: '/set/format' };
    return this.#agree({ id: params.id, n, set: params.set, half: move !== null, status: 'acknowledged' });
  }

  #agree(open: Known): CallResults['switch.propose'] {
    const answer = this.#answer(open);
    this.#open = open;
    if (open.half) this.#other.joined();
    this.taken(this.#pipe.c2s.received);
    return answer;
  }

  abort(id: string): Result<CallResults['switch.abort']> {
    const known = this.#known(id);
    if (!known) return { refused: 'switch_unknown' };
    if (known.status === 'done') return this.#tooLate();
    if (known === this.#open) {
      this.#give('called_off'); // a repeat must not hit the next one
      if (known.half) this.#other.callOff();
    }
    return { id, status: 'aborted' };
  }

  /** As what a message was sent that comes late, from before the latest boundary (udp.md); null for any other. */
  before(n: number): Session['sending'] | null {
    return this.#crossed && n < this.#crossed.n ? this.#crossed.before : null;
  }

  /** The n-th message is here, and not yet treated: the new settings hold from the one on that was agreed. */
  counted(n: number): void {
    const open = this.#open;
    if (!open || open.half || n < open.n) return;
    this.#crossed = { n: open.n, before: this.#session.sending };
    this.#done(open);
    if (open.set.format) this.#session.sendAs(open.set.format);
    // Behind what the messages before it have to say (SIB-1).
    this.#session.room.inTurn(() => this.#tellDone(open));
  }

  /**
   * Everything up to the n-th message is treated. A half of a move crosses when nothing more can come for the old room:
   * who has nothing to send for a while is not to hold the other half up (MOVE-11).
   */
  taken(n: number): void {
    const open = this.#open;
    if (!open?.half || open.n !== n + 1) return;
    this.#session.room.flush(); // which may end the pipe, and the move with it
    if (open !== this.#open) return;
    this.#done(open);
    this.#tellDone(open);
    this.#other.cross();
  }

  /** Number of the last message, or byte, before the boundary of a move that is agreed on. */
  get lastHere(): number {
    return this.#open?.half ? this.#open.n - 1 : Infinity;
  }

  /** Whether half of a move is agreed on, so that the client may have sent for the other room. */
  get crossing(): boolean {
    return this.#open?.half === true;
  }

  /** The other room is over, and nothing can be taken for it nor be asked back. */
  barred(): void {
    this.#pipe.close('move_failed');
  }

  #done(open: Known): void {
    this.#open = null;
    open.status = 'done';
    this.#settled.add(open);
  }

  #tellDone({ id, n, set }: Known): void {
    this.#session.emit('switch.done', { at: this.#pipe.at('c2s', n), id, dir: 'c2s', set });
  }

  /** What it was agreed about will not come. */
  sendingEnded(): void {
    this.end();
  }

  /** The pipe has ended: what it was agreed about will not come. */
  end(): void {
    this.#give('pipe_ended');
  }

  #known(id: string): Known | undefined {
    return this.#open?.id === id ? this.#open : this.#settled.get(id);
  }

  #repeated(known: Known, { at, set }: Propose): Result<CallResults['switch.propose']> {
    const same = at.epoch === this.#pipe.epoch && at.n === known.n && sameSet(set, known.set);
    return same ? this.#answer(known) : { refused: 'invalid_params', pointer: '/id' };
  }

  #answer({ id, n, status }: Known): CallResults['switch.propose'] {
    return { id, status, at: this.#pipe.at('c2s', n) };
  }

  #tooLate(): Result<never> {
    return { refused: 'switch_too_late', data: { at: this.#pipe.at('c2s', this.#pipe.c2s.received) } };
  }

  /** Whether the session could have entered with this (FMT-7). */
  #allowed(format: Kind): boolean {
    if (this.#pipe.unit === 'byte') return false; // BYTE-3
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
