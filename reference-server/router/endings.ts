import type { CallParams, CallResults, SessionState } from '../../generated/types.js';
import type { Cancel } from '../ports/clock.js';
import type { Result } from '../ports/refusal.js';
import { takesPart } from './commands.js';
import type { Pipe } from './pipe.js';
import type { Session } from './session.js';
import { SETTLED } from './waiting.js';

type End = CallParams['stream.end'];
type Announced = NonNullable<SessionState['pipe']['ending']>;

/** An announced end of a pipe, and who was told of it under which mark (END-2, END-5). */
export class Ending {
  readonly #session: Session;
  readonly #pipe: Pipe;
  /** The mark of each member that was told; null where it has no place in a stream. */
  readonly #told = new Map<Session, number | null>();
  #due: number | null = null;
  #behind: number | null = null;
  #cancel: Cancel = SETTLED;

  constructor(session: Session, pipe: Pipe) {
    this.#session = session;
    this.#pipe = pipe;
  }

  /** Number of the last message that is counted, where that is how it ends (END-4). */
  get behind(): number | null {
    return this.#behind;
  }

  /** What is left of it, for the state (END-13). */
  get announced(): Announced {
    if (this.#behind !== null) return { at: this.#pipe.at('c2s', this.#behind) };
    return { inMs: Math.max(0, Math.ceil((this.#due ?? 0) - this.#session.context.clock.now())) };
  }

  /** Announces an end in place of what was announced before (END-7). */
  announce({ inMs, after }: End): CallResults['stream.end'] {
    this.#cancel();
    const { clock } = this.#session.context;
    this.#due = inMs === undefined ? null : clock.now() + inMs;
    this.#behind = after ? Math.max(after.n, this.#pipe.c2s.received) : null;
    const { announced } = this;
    this.#session.emit('pipe.ending', { ...announced, cause: 'stream_ended' });
    const others = [...this.#session.room.members].filter((member) => member !== this.#session);
    const members = others.filter((member) => this.#tell(member, inMs)).length;
    if (inMs !== undefined) this.#cancel = clock.after(inMs, () => this.#pipe.close('stream_ended'));
    else if (this.#behind === this.#pipe.c2s.received) this.#pipe.close('stream_ended');
    return { members, missed: others.length - members, ...(announced.at && { at: announced.at }) };
  }

  /** False where the member's share of its log has no room for it (END-11). */
  #tell(member: Session, inMs: number | undefined): boolean {
    const known = this.#told.get(member);
    const mark = known ?? (member.pipe ? member.nextMark() : null);
    const event = { from: this.#session.sid, ...(inMs !== undefined && { inMs }), ...(mark !== null && { mark }) };
    if (!member.offer('stream.ending', event, { andMore: mark !== null && mark !== known })) return false;
    this.#told.set(member, mark);
    member.endings.set(this.#session.sid, mark);
    return true;
  }

  /** The pipe has ended, as announced or earlier (END-5, END-6). */
  over(): void {
    this.#cancel();
    this.leave();
  }

  /** Nothing more comes of the stream into the room, whether the pipe has ended or has gone elsewhere (MOVE-18). */
  leave(): void {
    for (const member of [...this.#told.keys()]) this.forget(member);
  }

  /** A member that was told hears no more of the stream (MOVE-17). */
  forget(member: Session): void {
    const mark = this.#told.get(member);
    if (mark === undefined) return;
    this.#told.delete(member);
    member.endings.delete(this.#session.sid);
    if (mark !== null && this.#session.room.members.has(member)) placeMark(member, mark);
  }
}

/** Settles what was announced between a session and the room that it is about to leave. */
export function takeLeave(session: Session): void {
  session.pipe?.ending?.leave();
  if (session.endings.size === 0) return;
  for (const { pipe } of session.room.members) pipe?.ending?.forget(session);
}

/** Tells the place behind everything that a member has been sent so far. */
function placeMark(member: Session, mark: number): void {
  const { pipe } = member;
  const tell = (method: string, params: Readonly<Record<string, unknown>>): void => member.redeem(method, params);
  if (pipe?.open) pipe.s2c.mark(mark, tell);
  else if (pipe) tell('pipe.mark', { mark, at: pipe.at('s2c', pipe.s2c.written.n) });
}

/** `stream.end`. */
export function endStream(session: Session, params: End): Result<CallResults['stream.end']> {
  if (!takesPart(session)) return { refused: 'forbidden' };
  if (!session.commands.take()) return { refused: 'rate_limited', limit: session.limits.agentCommandsPerSecond };
  session.room.flush(); // what came before the call is counted, and may have ended the pipe
  const { pipe } = session;
  const epoch = params.after?.epoch ?? pipe?.epoch ?? 0;
  if (!pipe?.open || epoch > pipe.epoch) return { refused: 'no_pipe' };
  if (epoch < pipe.epoch || pipe.sendingOver) return { refused: 'pipe_ended' };
  pipe.ending ??= new Ending(session, pipe);
  return pipe.ending.announce(params);
}
