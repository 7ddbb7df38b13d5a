import type { EndCause, Limits } from '../../../generated/types.js';
import type { GrantDoor } from '../../ports/access.js';
import type { Clock } from '../../ports/clock.js';
import type { PipeDoor, PipeOffer } from '../../ports/pipe.js';
import type { Refusal, Result } from '../../ports/refusal.js';
import { FtpPipe } from './pipe.js';

/** A session that a control connection is in. */
export interface Membership {
  readonly sid: string;
  /** Where it is now: a session can move. */
  readonly room: string;
  readonly epoch: number;
  readonly stream: boolean;
  /** Whether it may receive where it is now. */
  readonly receives: boolean;
  readonly limits: Readonly<Required<Limits>>;
  readonly clock: Clock;
  readonly pipe: FtpPipe;
}

/** Opens the pipe of a session (FTP-7). */
export function open(offer: PipeOffer, closed: (cause: EndCause) => void): Membership {
  const { stream } = offer;
  const pipe = new FtpPipe(stream ? 'byte' : 'msg', closed);
  const source = offer.open(pipe);
  pipe.attach(source);
  const { sid, limits, clock } = offer;
  return {
    sid,
    get room() {
      return offer.room;
    },
    get receives() {
      return offer.receives;
    },
    ...{ epoch: source.epoch, stream, limits, clock, pipe },
  };
}

/** The offer of a session of its own for a client without an account (FTP-10). */
export async function anonymousOffer(
  doors: { readonly grants: GrantDoor; readonly door: PipeDoor },
  room: string,
): Promise<Result<PipeOffer>> {
  // Nobody knows the secret of such a session: when its pipe is over, so is it.
  const request = { room, transport: 'ftp', limits: { sessionLingerMs: 1 } };
  const grant: Result<{ readonly pipeTicket: string }> = await doors.grants.grant(request, null);
  if ('refused' in grant) return grant;
  return doors.door.redeem(grant.pipeTicket, 'ftp');
}

export const isRefusal = (value: object): value is Refusal => 'refused' in value;
