// The methods of a bound command channel (sibling.md, fence.md): each answers with a result or a Refusal, or later.
import { Refusal } from './registry.mjs';

/** Operations that a session remembers (RPC-9). */
const MAX_OPS = 64;
const WITH_OP = new Set(['pipe.ticket', 'pipe.close', 'sibling.stay']);
const no = (name, data) => new Refusal(name, data);

export const METHODS = {
  'sibling.ack'(session, { seq }, done) {
    if (seq > session.log.headSeq) return done(no('invalid_params', { pointer: '/seq' }));
    session.log.ack(seq);
    return done({ oldestSeq: session.log.oldestSeq });
  },

  'sibling.stay'(session, { ms }, done) {
    session.stayMs = Math.min(ms, session.limits.maxStayMs);
    return done({ ms: session.stayMs });
  },

  'pipe.state'(session, _params, done) {
    return done({ headSeq: session.log.headSeq, state: session.state() });
  },

  'pipe.ticket'(session, { transport, replace = false }, done) {
    if (transport !== 'websocket') return done(no('transport_unsupported'));
    if (session.openPipe && !replace) return done(no('pipe_exists'));
    session.openPipe?.end('replaced', 4503);
    const epoch = (session.pipe?.epoch ?? 0) + 1;
    const endpoints = { pipe: session.grantEndpoints.pipe };
    return done({ pipeTicket: session.newTicket(), endpoints, epoch, expiresInMs: session.limits.ticketMs });
  },

  'pipe.close'(session, { after }, done, dropped) {
    const pipe = session.openPipe;
    if (pipe === undefined) return done(no('no_pipe'));
    const close = (refusal) => {
      if (refusal) return done(refusal);
      if (pipe.cause) return done(no('pipe_ended'));
      pipe.close();
      return done({ at: pipe.position('c2s') });
    };
    return after ? session.reach(after, close, dropped) : close();
  },

  /** Events are queued in the moment in which a message is counted, in every scope that there is (FENCE-2). */
  fence(session, { after, scope, timeoutMs: ms }, done) {
    if (scope === 'mesh') return done(no('not_supported', { pointer: '/scope' }));
    const answer = (refusal) => done(refusal ?? session.counters());
    return after ? session.reach({ epoch: after.epoch, n: after.c2s, ms }, answer) : answer();
  },
};

/** Carries out a call, once for each `op` (RPC-9, RPC-11). */
export function carryOut(session, { method, params }, done) {
  const op = WITH_OP.has(method) ? params.op : undefined;
  if (op === undefined) return METHODS[method](session, params, done);
  const earlier = session.ops.get(op);
  if (earlier && earlier.method !== method) return done(no('invalid_params', { pointer: '/op' }));
  if (earlier) return earlier.outcome ? done(earlier.outcome) : earlier.waiting.push(done);
  const operation = { method, waiting: [done] };
  session.ops.set(op, operation);
  if (session.ops.size > MAX_OPS) session.ops.delete(session.ops.keys().next().value);
  const finish = (outcome) => {
    operation.outcome = outcome;
    for (const tell of operation.waiting) tell(outcome);
  };
  // A wait that ended with its connection had no effect: the next call with this op is a new one.
  return METHODS[method](session, params, finish, () => session.ops.delete(op));
}
