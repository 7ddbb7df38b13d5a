import type { SessionState } from '../../generated/types.js';
import { missingFrom } from './fence.js';
import type { Pipe } from './pipe.js';
import { limitsIn } from './room-terms.js';
import { described, owns } from './rooms.js';
import type { Session } from './session.js';

/** A session as the state shows it, as of the head of its log (SIB-6). */
export function stateOf(session: Session): SessionState {
  const { pipe, room } = session;
  return {
    sid: session.sid,
    room: described(room),
    roomRev: room.rev,
    owned: owns(session.account, room),
    scopes: [...session.scopes],
    formats: session.formats,
    limits: limitsIn(room.limits, session.limits),
    pipe: pipeState(pipe),
    siblings: session.bindings.generations,
    switches: [...(pipe?.openSwitches ?? [])],
    subscriptions: session.observers.subscribed,
    ...(session.endings.size > 0 && { endings: announcedEndings(session) }),
  };
}

function pipeState(pipe: Pipe | null): SessionState['pipe'] {
  return {
    epoch: pipe?.epoch ?? 0,
    status: pipe === null ? 'none' : pipe.open ? 'open' : 'ended',
    ...(pipe && { transport: pipe.transport }),
    ...(pipe?.framing && { framing: pipe.framing }),
    ...(pipe?.cause && { cause: pipe.cause }),
    c2s: {
      n: pipe?.c2s.received ?? 0,
      bytes: pipe?.c2s.bytes ?? 0,
      ...missingFrom(pipe),
      ...(pipe?.open && pipe.sendingOver && { ended: true }),
    },
    s2c: { ...(pipe?.s2c.written ?? { n: 0, bytes: 0 }), dropped: pipe?.s2c.dropped ?? 0 },
    ...(pipe?.s2c.paused && { paused: true }),
    ...(pipe?.open && pipe.ending && { ending: pipe.ending.announced }),
  };
}

function announcedEndings({ endings }: Session): { from: string; mark?: number }[] {
  return [...endings].map(([from, mark]) => ({ from, ...(mark !== null && { mark }) }));
}
