import type { Account, GrantDoor } from '../ports/access.js';
import type { PipeDoor, PipeOffer } from '../ports/pipe.js';
import type { Result } from '../ports/refusal.js';

interface Doors {
  readonly grants: GrantDoor;
  readonly door: PipeDoor;
}

/** What is asked for, in a room that is there: such a grant waits for nothing. */
type Asked = Omit<Parameters<GrantDoor['grant']>[0], 'create'>;

/** Enters a room with a session whose ticket never leaves the server, for whoever comes without one. */
export function enter({ grants, door }: Doors, asked: Asked, account: Account): Result<PipeOffer> {
  const grant = grants.grant(asked, account);
  if (grant instanceof Promise) throw new Error('a grant in a room that is there waits for nothing');
  if ('refused' in grant) return { refused: grant.refused, ...(grant.limit !== undefined && { limit: grant.limit }) };
  return door.redeem(grant.pipeTicket, asked.transport);
}
