import type { CallParams, CallResults } from '../../generated/types.js';
import type { Cancel } from '../ports/clock.js';
import type { Refusal, Result } from '../ports/refusal.js';
import type { Pipe } from './pipe.js';
import type { Session } from './session.js';
import { SETTLED } from './waiting.js';

type Counters = CallResults['fence'];

/** How many numbers have not come, where a pipe's messages carry theirs (UDP-16). */
export function missingFrom(pipe: Pipe | null): { missing?: number } {
  const missing = pipe?.c2s.missing ?? null;
  return missing === null ? {} : { missing };
}

/** The account of a pipe as it stands, or zeros where there never was one (FENCE-4). */
export function counters(session: Session, pipe: Pipe | null): Counters {
  return {
    epoch: pipe?.epoch ?? 0,
    c2sReceived: pipe?.c2s.received ?? 0,
    c2sRouted: pipe?.c2s.routed ?? 0,
    ...missingFrom(pipe),
    s2cEnqueued: pipe?.s2c.enqueued ?? 0,
    s2cWritten: pipe?.s2c.written.n ?? 0,
    s2cDropped: pipe?.s2c.dropped ?? 0,
    headSeq: session.log.headSeq,
  };
}

interface After {
  readonly epoch: number;
  readonly n: number;
}

/**
 * Settles once the n-th message of the epoch is counted and routed, or tells why that cannot be any more. Whoever waits
 * in vain may be cancelled, and is then not heard of again.
 */
export function whenRouted(
  session: Session,
  wait: { after: After | undefined; ms: number; settle: (refusal?: Refusal) => void },
): Cancel {
  session.room.flush();
  session.room.tellDrops();
  const { after, settle } = wait;
  const { pipe } = session;
  if (!after) settle();
  else if (!pipe || after.epoch > pipe.epoch) settle({ refused: 'no_pipe' });
  else if (after.epoch === pipe.epoch && after.n <= pipe.c2s.routed) settle();
  else if (after.epoch < pipe.epoch || !pipe.open || pipe.sendingOver)
    settle({ refused: 'pipe_ended', data: { counters: counters(session, pipe) } });
  else if (pipe.waiting.size >= session.limits.maxPendingFences) {
    settle({ refused: 'busy', limit: session.limits.maxPendingFences });
  } else {
    const late = (): Refusal => ({ refused: 'fence_timeout', data: { counters: counters(session, pipe) } });
    return pipe.waiting.add({ n: after.n, ms: wait.ms, late, settle });
  }
  return SETTLED;
}

/**
 * Answers once every effect of the messages asked about is queued at every member: routing runs to its end within
 * one tick here, so the room's pending messages are all that can be in the way (FENCE-1, FENCE-2).
 */
export function fence(
  session: Session,
  params: CallParams['fence'],
  reply: (result: Result<Counters>) => void,
): Cancel {
  if (params.scope === 'mesh') {
    reply({ refused: 'not_supported', pointer: '/scope' });
    return SETTLED;
  }
  const pipe = session.pipe;
  return whenRouted(session, {
    after: params.after && { epoch: params.after.epoch, n: params.after.c2s },
    ms: Math.min(params.timeoutMs ?? session.limits.fenceMs, session.limits.fenceMs),
    settle: (refusal) => {
      reply(refusal ?? counters(session, pipe));
    },
  });
}
