import type { CallParams, CallResults } from '../../generated/types.js';
import type { Refusal, Result } from '../ports/refusal.js';
import { exceeds } from './json-bytes.js';
import type { Session } from './session.js';

/** Arrays and objects within each other in a body; parsers of receivers give up somewhere beyond (AGENT-17). */
const MOST_NESTED = 64;

type Command = CallParams['agent.command'];

/** Whether a session sends agent commands and is sent them (AGENT-1, AGENT-2). */
export const takesPart = (session: Session): boolean => session.scopes.includes('command');

/** What is wrong with a command before anybody has to be looked for; takes its token (AGENT-14). */
export function refusedCommand(session: Session, { body }: Command): Refusal | null {
  const { agentCommandBytes, agentCommandsPerSecond } = session.limits;
  if (!takesPart(session)) return { refused: 'forbidden' };
  const excess = body === undefined ? null : exceeds(body, { bytes: agentCommandBytes, depth: MOST_NESTED });
  if (excess) {
    return { refused: 'invalid_params', pointer: '/body', limit: excess === 'bytes' ? agentCommandBytes : MOST_NESTED };
  }
  return session.commands.take() ? null : { refused: 'rate_limited', limit: agentCommandsPerSecond };
}

/** The other members who take part: all of them, or the one of that sid (AGENT-3, AGENT-4). */
function receiversOf(session: Session, to: string): Session[] {
  const others = [...session.room.members].filter((member) => member !== session && takesPart(member));
  return to === 'room' ? others : others.filter(({ sid }) => sid === to);
}

/** Queues a command for those who get it; everything that the sender's messages caused is queued by then (AGENT-11). */
export function sendCommand(session: Session, { to, name, body }: Command): Result<CallResults['agent.command']> {
  const receivers = receiversOf(session, to);
  if (to !== 'room' && receivers.length === 0) return { refused: 'no_such_member' };
  const id = session.nextMessageId();
  const event = { from: session.sid, to, name, ...(body !== undefined && { body }), id };
  const told = receivers.filter((member) => member.offer('agent.command', event));
  if (to !== 'room' && told.length === 0) return { refused: 'busy' }; // AGENT-15
  const { pipe } = session;
  const at = pipe && { at: pipe.at('c2s', pipe.c2s.received) };
  return { id, members: told.length, missed: receivers.length - told.length, ...at };
}
