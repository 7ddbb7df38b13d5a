import type { Limits } from '../../generated/types.js';
import type { Clock, Entropy, Scheduler } from '../ports/clock.js';

/** Everything that the router has from outside: it looks at no clock and draws no randomness of its own. */
export interface RouterContext {
  /** The server's; where `scopedClocks` is set, a session's own context has a clock of its own. */
  readonly clock: Clock;
  /** Tests may let time pass in single sessions (HOOK-5). */
  readonly scopedClocks?: boolean;
  readonly scheduler: Scheduler;
  readonly entropy: Entropy;
  readonly limits: Readonly<Required<Limits>>;
  /** Identifies this life of the server; a restart begins another (SIB-5). */
  readonly eventEpoch: string;
}
