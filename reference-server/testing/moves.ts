import type { RoomSpec, SessionRequest } from '../../generated/types.js';
import { type Member, World } from './world.js';

/** Alice and bob in the harbour, carol in the annex, where alice is about to go. */
export function scene(specs: { harbour?: RoomSpec; annex?: RoomSpec; alice?: Partial<SessionRequest> } = {}): {
  world: World;
  alice: Member;
  bob: Member;
  carol: Member;
} {
  const world = new World();
  const bob = world.join({ account: 'bob', room: 'harbour', create: specs.harbour ?? {} });
  const carol = world.join({
    account: 'carol',
    room: 'annex',
    create: specs.annex ?? {},
    limits: { sessionLingerMs: 10 },
  });
  const alice = world.join({ room: 'harbour', ...specs.alice });
  for (const member of [alice, bob, carol]) member.sibling.events();
  return { world, alice, bob, carol };
}

/** What came of a call in short: its status, or the name of its error. */
export function ask(member: Member, method: string, params: Record<string, unknown>): string {
  const { result, error } = member.sibling.call(method, params) ?? {};
  return String(error?.data['name'] ?? result?.['status']);
}

/** One half of a move to the annex, as its switch is proposed. */
export const half = (n: number, moveId = '1', id = `half-${moveId}-${String(n)}`): Record<string, unknown> => ({
  id,
  dir: 'c2s',
  at: { epoch: 1, n },
  set: { room: 'annex', moveId },
});

/** The room that the member's state names. */
export function roomOf(member: Member): string {
  const answer = member.sibling.call('pipe.state', {}) as { result: { state: { room: { name: string } } } };
  return answer.result.state.room.name;
}

/** Both halves, with the first message of the other room next. */
export function over(alice: Member, n = 1): void {
  ask(alice, 'room.move', { room: 'annex' });
  ask(alice, 'switch.ack', { id: '1' });
  ask(alice, 'switch.propose', half(n));
}
