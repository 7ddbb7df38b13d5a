import type { HookAdvance, HookDone, HookScope, HookSimulate, HookView } from '../../generated/types.js';
import type { Result } from './refusal.js';

/** Where tests come in: what the profile `testhooks` lets an operator do to sessions, and nobody else. */
export interface HookDoor {
  /** Lets time pass in the sessions of the scope, and in no other (HOOK-5, HOOK-7). */
  advance(asked: HookAdvance): Result<HookDone>;
  /** What there is to see of them; never a secret. */
  inspect(scope: HookScope): Result<HookView>;
  /** Ends a connection as a lost network would. */
  simulate(fault: HookSimulate): Result<HookDone>;
}
