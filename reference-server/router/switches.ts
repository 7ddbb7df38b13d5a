import type { CallParams, CallResults, OpenSwitch } from '../../generated/types.js';
import type { Result } from '../ports/refusal.js';
import type { SwitchCalls } from '../ports/switching.js';
import type { Pipe } from './pipe.js';
import type { Session } from './session.js';
import { InboundSwitches } from './switches-c2s.js';
import { OutboundSwitches } from './switches-s2c.js';

/** The switches of one pipe; made when the first call about one comes. */
export class Switches {
  readonly c2s: InboundSwitches;
  readonly s2c: OutboundSwitches;

  constructor(session: Session, pipe: Pipe) {
    this.c2s = new InboundSwitches(session, pipe);
    this.s2c = new OutboundSwitches(session, pipe);
  }

  get open(): readonly OpenSwitch[] {
    return [this.c2s.open, this.s2c.open].filter((open) => open !== null);
  }

  /** Voids what is open; before anything is said about the end itself (SWITCH-11). */
  end(): void {
    this.c2s.end();
    this.s2c.end();
  }
}

/** The calls about switches, for whichever pipe the session has at the time. */
export function switchCalls(session: Session): SwitchCalls {
  return {
    propose: (params: CallParams['switch.propose']): Result<CallResults['switch.propose']> =>
      session.pipe?.switches().c2s.propose(params) ?? { refused: 'no_pipe' },
    abort: ({ id }: CallParams['switch.abort']): Result<CallResults['switch.abort']> =>
      session.pipe?.switches().c2s.abort(id) ?? { refused: 'switch_unknown' },
    request: ({ set }: CallParams['switch.request']): Result<CallResults['switch.request']> =>
      session.pipe?.switches().s2c.request(set) ?? { refused: 'no_pipe' },
    ack: ({ id }: CallParams['switch.ack']): Result<CallResults['switch.ack']> =>
      session.pipe?.switches().s2c.ack(id) ?? { refused: 'switch_unknown' },
    refuse: ({ id }: CallParams['switch.refuse']): Result<CallResults['switch.refuse']> =>
      session.pipe?.switches().s2c.refuse(id) ?? { refused: 'switch_unknown' },
    abortAck: ({ id }: CallParams['switch.abortAck']): Result<CallResults['switch.abortAck']> =>
      session.pipe?.switches().s2c.abortAck(id) ?? { refused: 'switch_unknown' },
  };
}
