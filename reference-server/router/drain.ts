import type { Clock } from '../ports/clock.js';
import type { Session } from './session.js';

export interface DrainNotice {
  readonly deadlineMs: number;
  readonly reconnectAfterMs: number;
}

/**
 * Says that the server is about to stop, delivers what has been counted, and ends every pipe as soon as its member has
 * everything, at the latest at the deadline; each sibling hears of it before it is closed (DRAIN-1, DRAIN-4 to DRAIN-6).
 */
export function drain(sessions: readonly Session[], notice: DrainNotice, clock: Clock): void {
  for (const session of sessions) session.emit('server.draining', { ...notice });
  for (const { room } of sessions) room.flush();
  let begun = false;
  for (const session of sessions) {
    session.linger.stop();
    session.pipe?.finish('draining', () => {
      if (begun) leave(session);
    });
  }
  begun = true;
  // Behind all pipes that end at once, because one may have to tell the others where it did (END-6).
  for (const session of sessions) if (!session.pipe?.open) leave(session);
  clock.after(notice.deadlineMs, () => {
    for (const { pipe } of sessions) pipe?.abort('draining');
  });
}

function leave(session: Session): void {
  session.linger.stop();
  session.bindings.close('draining');
}
