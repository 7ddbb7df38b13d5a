import type { CallParams, CallResults, OpenSwitch } from '../../generated/types.js';
import type { Result } from '../ports/refusal.js';
import type { SwitchCalls } from '../ports/switching.js';
import type { Pipe } from './pipe.js';
import type { Session } from './session.js';
import { InboundSwitches } from './switches-c2s.js';

/** The switches of one pipe; made when the first call about one comes. */
export class Switches {
  readonly c2s: InboundSwitches;

  constructor(session: Session, pipe: Pipe) {
    this.c2s = new InboundSwitches(session, pipe);
  }

  get open(): readonly OpenSwitch[] {
    return this.c2s.open ? [this.c2s.open] : [];
  }

  /** Voids what is open; before anything is said about the end itself (SWITCH-11). */
  end(): void {
    this.c2s.end();
  }
}

/** The calls about switches, for whichever pipe the session has at the time. */
export function switchCalls(session: Session): SwitchCalls {
  return {
    propose: (params: CallParams['switch.propose']): Result<CallResults['switch.propose']> =>
      session.pipe?.switches().c2s.propose(params) ?? { refused: 'no_pipe' },
    abort: ({ id }: CallParams['switch.abort']): Result<CallResults['switch.abort']> =>
      session.pipe?.switches().c2s.abort(id) ?? { refused: 'switch_unknown' },
  };
}
