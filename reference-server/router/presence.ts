import type { Member } from '../../generated/types.js';
import type { Room } from './room.js';
import type { Session } from './session.js';

export type Presence = 'joined' | 'opened' | 'closed' | 'left';

/** What one member is told of another: nothing by which an account could be known (MEMBER-3). */
export function memberFor(viewer: Session, member: Session): Member {
  const { pipe } = member;
  return {
    sid: member.sid,
    anonymous: member.account === null,
    yours: member.account !== null && member.account === viewer.account,
    pipe: pipe?.open === true,
    ...(pipe?.open && { transport: pipe.transport }),
  };
}

/** Tells whoever of the room has asked for it; the end of a whole room is told otherwise (MEMBER-4). */
export function announce(room: Room, change: Presence, about: Session): void {
  if (room.ended) return;
  for (const viewer of room.members) {
    if (viewer.observers.wants('room.member')) viewer.observers.presence(change, memberFor(viewer, about));
  }
}
