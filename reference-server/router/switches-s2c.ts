import type { CallResults, OpenSwitch, SwitchEnd, SwitchSet } from '../../generated/types.js';
import type { Kind, Message } from '../ports/message.js';
import type { Cancel } from '../ports/clock.js';
import type { Result } from '../ports/refusal.js';
import { kindForMember, overlaps } from './formats.js';
import type { Move } from './moves.js';
import type { Pipe } from './pipe.js';
import type { Session } from './session.js';
import { Settled } from './switches-settled.js';
import { SETTLED } from './waiting.js';

interface Switch {
  readonly id: string;
  readonly set: SwitchSet;
  /** Of which it is a half; null where it is a switch of format. */
  readonly move: Move | null;
  /** Number of the first message under the new settings; null while it has none. */
  n: number | null;
  /** Whether the place of the boundary is marked in the queue. */
  marked: boolean;
  status: 'waiting' | 'proposed' | 'acknowledged' | 'done' | 'refused' | 'aborting' | 'aborted';
}

type Answer = Result<CallResults['switch.ack']>;

/**
 * Switches of what goes to the client: the server picks n when everything before it has been written, and holds what
 * belongs behind it until the client has answered (SWITCH-20).
 */
export class OutboundSwitches {
  readonly #session: Session;
  readonly #pipe: Pipe;
  readonly #settled = new Settled<Switch>();
  #open: Switch | null = null;
  #made = 0;
  #cancel: Cancel = SETTLED;

  constructor(session: Session, pipe: Pipe) {
    this.#session = session;
    this.#pipe = pipe;
  }

  get open(): OpenSwitch | null {
    if (!this.#open) return null;
    const { id, set, status } = this.#open;
    return { id, dir: 's2c', ...this.#at(this.#open), set, status };
  }

  /** Whether a message that is given to the pipe now belongs behind a boundary of which nobody knows what becomes. */
  get undecided(): boolean {
    return this.#open?.marked === true;
  }

  request(format: Kind): Result<CallResults['switch.request']> {
    if (!this.#pipe.open) return { refused: 'no_pipe' };
    if (this.#open) return { refused: 'switch_pending' };
    if (!this.#allowed(format)) return { refused: 'format_unsupported', pointer: '/set/format' };
    return { id: this.#begin({ format }, null) };
  }

  /** Half of a move; no switch of the pipe is open (MOVE-7). */
  begin(move: Move): void {
    this.#begin(move.set, move);
  }

  #begin(set: SwitchSet, move: Move | null): string {
    const id = String(++this.#made);
    this.#open = { id, set, move, n: null, marked: false, status: 'waiting' };
    this.#mark(this.#open);
    return id;
  }

  ack(id: string): Answer {
    return this.#answered(id, (status) => status === 'proposed' && this.#acknowledged());
  }

  refuse(id: string): Answer {
    if (this.#known(id)?.status === 'done') {
      return { refused: 'switch_too_late', data: { at: this.#pipe.at('s2c', this.#pipe.s2c.out.n) } };
    }
    return this.#answered(id, (status) => (status === 'proposed' || status === 'waiting') && this.#settle('refused'));
  }

  abortAck(id: string): Answer {
    return this.#answered(id, (status) => status === 'aborting' && this.#settle('aborted'));
  }

  /** Whether a move is under way, and neither half may be taken for another switch. */
  get moving(): boolean {
    return this.#open !== null && this.#open.move !== null;
  }

  /** The move that these settings are the other half of, once the client has agreed to this one (MOVE-9, MOVE-10). */
  moveTo({ room, moveId }: SwitchSet): Result<Move> {
    const open = this.#open;
    if (!open?.move || open.status === 'aborting') return { refused: 'switch_unknown' };
    if (open.move.id !== moveId || open.move.room.name !== room) return { refused: 'switch_unknown' };
    return open.status === 'acknowledged' ? open.move : { refused: 'switch_pending' };
  }

  /** The other half of the move is agreed on, and its sender takes the time that it needs. */
  joined(): void {
    this.#cancel();
    this.#cancel = SETTLED;
  }

  /** The other half of the move has come to its boundary, and so both cross (MOVE-11). */
  cross(): void {
    const open = this.#open;
    if (!open?.move) return;
    this.#close('done');
    this.#pipe.s2c.discard();
    this.#session.emit('switch.done', { ...this.#at(open), id: open.id, dir: 's2c', set: open.set });
    open.move.cross();
    this.#pipe.s2c.release('switch');
  }

  /** The move is off, and not by the client's answer to this half of it. */
  callOff(): void {
    const open = this.#open;
    if (!open?.move || open.status === 'aborting') return;
    if (open.status !== 'waiting') {
      this.#giveUp(open, 'called_off');
      return;
    }
    this.#close('aborted');
    this.#tell(open, 'called_off');
    this.#decide();
  }

  /** Whether a proposal waits for a command channel. */
  get awaitsBind(): boolean {
    return this.#open?.status === 'waiting' && !this.#open.marked;
  }

  /** The command channel has been bound: what waited for it can be proposed (SWITCH-21). */
  bound(): void {
    if (this.#open && this.awaitsBind) this.#mark(this.#open);
  }

  /** The pipe is about to end. What is held stays so: nobody knows how its client would read it. */
  end(): void {
    const open = this.#open;
    if (!open) return;
    if (open.status !== 'aborting') this.#tell(open, 'pipe_ended'); // SWITCH-11
    if (open.n === null) this.#decide();
    this.#close('aborted');
  }

  #known(id: string): Switch | undefined {
    return this.#open?.id === id ? this.#open : this.#settled.get(id);
  }

  #answered(id: string, act: (status: Switch['status']) => unknown): Answer {
    const known = this.#known(id);
    if (!known) return { refused: 'switch_unknown' };
    act(known.status);
    return { id, status: known.status };
  }

  /** Whether the session could have entered with this (FMT-7). */
  #allowed(format: Kind): boolean {
    if (this.#pipe.unit === 'byte') return false; // BYTE-3
    const { room, scopes } = this.#session;
    const receives = scopes.filter((scope) => scope === 'receive');
    return overlaps(room.terms, { send: [format], receive: [format] }, receives);
  }

  #mark(open: Switch): void {
    this.#session.room.flush(); // what came before is written under the old settings
    open.marked = true;
    this.#pipe.s2c.out.mark((n) => this.#reached(open, n + 1));
  }

  /** Everything before the boundary has been written. */
  #reached(open: Switch, n: number): void {
    if (open !== this.#open) return;
    if (!this.#session.bindings.outlet('command')) {
      open.marked = false;
      this.#decide();
      return;
    }
    open.n = n;
    open.status = 'proposed';
    this.#pipe.s2c.out.hold('switch');
    this.#pipe.s2c.drops.tellAll(); // of places before this one
    const { id, set } = open;
    this.#session.emit('switch.propose', { ...this.#at(open), id, dir: 's2c', set });
    this.#allow(open);
  }

  /** The client has agreed; of a move it has to propose the other half now (MOVE-21). */
  #acknowledged(): void {
    const open = this.#open;
    if (!open?.move) {
      this.#settle('done');
      return;
    }
    open.status = 'acknowledged';
    this.#cancel();
    this.#allow(open);
  }

  /** Gives the client its time for what it has to do next. */
  #allow(open: Switch): void {
    const { clock } = this.#session.context;
    this.#cancel = clock.after(this.#session.limits.switchAckMs, () => this.#giveUp(open, 'timeout'));
  }

  /** The client has not answered; its acknowledgement may be under way, so nothing is written yet (SWITCH-26). */
  #giveUp(open: Switch, cause: SwitchEnd): void {
    this.#cancel();
    open.status = 'aborting';
    open.move?.cancel();
    this.#tell(open, cause);
    const { clock } = this.#session.context;
    this.#cancel = clock.after(this.#session.limits.abortAckMs, () => this.#pipe.close('switch_timeout'));
  }

  #settle(status: 'done' | 'refused' | 'aborted'): void {
    const open = this.#open;
    if (!open) return;
    this.#close(status);
    if (status === 'done') {
      if (open.set.format) this.#session.receiveAs(open.set.format);
      this.#session.emit('switch.done', { ...this.#at(open), id: open.id, dir: 's2c', set: open.set });
    } else if (status === 'refused') this.#tell(open, 'refused');
    this.#decide();
    this.#pipe.s2c.release('switch');
  }

  /** Nothing is open any more. */
  #close(status: 'done' | 'refused' | 'aborted'): void {
    this.#cancel();
    this.#cancel = SETTLED;
    if (!this.#open) return;
    if (status !== 'done') this.#open.move?.cancel();
    this.#open.status = status;
    this.#settled.add(this.#open);
    this.#open = null;
  }

  #tell(open: Switch, cause: SwitchEnd): void {
    this.#session.emit('switch.abort', { ...this.#at(open), id: open.id, dir: 's2c', cause });
  }

  #at({ n }: Switch): { at?: OpenSwitch['at'] & object } {
    return n === null ? {} : { at: this.#pipe.at('s2c', n) };
  }

  /** What waited for the outcome gets the kind that it is delivered as, or is undeliverable. */
  #decide(): void {
    const { room, formats } = this.#session;
    const kindOf = (message: Message): Kind | null => kindForMember(room.terms, formats.receive, message);
    this.#pipe.s2c.decide(kindOf);
  }
}
