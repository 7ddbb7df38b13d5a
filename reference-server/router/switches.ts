import type { CallParams, CallResults, OpenSwitch, SwitchSet } from '../../generated/types.js';
import type { Result } from '../ports/refusal.js';
import type { SwitchCalls } from '../ports/switching.js';
import type { Move } from './moves.js';
import type { Pipe } from './pipe.js';
import type { Session } from './session.js';
import { InboundSwitches } from './switches-c2s.js';
import { OutboundSwitches } from './switches-s2c.js';

/** The switches of one pipe; made when the first call about one comes. */
export class Switches {
  readonly c2s: InboundSwitches;
  readonly s2c: OutboundSwitches;

  constructor(session: Session, pipe: Pipe) {
    this.s2c = new OutboundSwitches(session, pipe);
    this.c2s = new InboundSwitches(session, pipe, this.s2c);
  }

  get open(): readonly OpenSwitch[] {
    return [this.c2s.open, this.s2c.open].filter((open) => open !== null);
  }

  /** The session has a place in another room: both directions are to be switched to it (MOVE-7). */
  move(move: Move): void {
    this.s2c.begin(move);
  }

  /** The other room will not be there; whoever may have sent for it already has to begin anew (MOVE-24, MOVE-25). */
  barred(): void {
    if (this.c2s.crossing) this.c2s.barred();
    else this.s2c.callOff();
  }

  /** Nothing more is taken from the client, so that a move may never get across (DRAIN-5). */
  draining(): void {
    if (!this.c2s.crossing) this.s2c.callOff();
  }

  /** The client says no more, so that nothing comes of what it would have had to come to. */
  sendingEnded(): void {
    this.barred();
    this.c2s.sendingEnded();
  }

  /** Voids what is open; before anything is said about the end itself (SWITCH-11). */
  end(): void {
    this.c2s.end();
    this.s2c.end();
  }
}

/** What is to be switched, and nothing else that a call has said. */
export function settingsOf({ format, room = '', moveId = '' }: SwitchSet): SwitchSet {
  return format === undefined ? { room, moveId } : { format };
}

/** The calls about switches, for whichever pipe the session has at the time. */
export function switchCalls(session: Session): SwitchCalls {
  return {
    propose: (params: CallParams['switch.propose']): Result<CallResults['switch.propose']> =>
      session.pipe?.switches().c2s.propose({ ...params, set: settingsOf(params.set) }) ?? { refused: 'no_pipe' },
    abort: ({ id }: CallParams['switch.abort']): Result<CallResults['switch.abort']> =>
      session.pipe?.switches().c2s.abort(id) ?? { refused: 'switch_unknown' },
    request: ({ set }: CallParams['switch.request']): Result<CallResults['switch.request']> =>
      session.pipe?.switches().s2c.request(set.format) ?? { refused: 'no_pipe' },
    ack: ({ id }: CallParams['switch.ack']): Result<CallResults['switch.ack']> =>
      session.pipe?.switches().s2c.ack(id) ?? { refused: 'switch_unknown' },
    refuse: ({ id }: CallParams['switch.refuse']): Result<CallResults['switch.refuse']> =>
      session.pipe?.switches().s2c.refuse(id) ?? { refused: 'switch_unknown' },
    abortAck: ({ id }: CallParams['switch.abortAck']): Result<CallResults['switch.abortAck']> =>
      session.pipe?.switches().s2c.abortAck(id) ?? { refused: 'switch_unknown' },
  };
}
