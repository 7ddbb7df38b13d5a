import t from 'tap';
import type { Grant, RoomSpec } from '../../generated/types.js';
import type { Result } from '../ports/refusal.js';
import type { StoredRoom } from '../ports/store.js';
import { MemoryStore } from '../store/memory.js';
import { HandStore } from '../testing/hand-store.js';
import { type Member, World } from '../testing/world.js';

const PERSISTENT = { lifetime: 'persistent' } as const;
const SPEC: RoomSpec = {
  ...PERSISTENT,
  visibility: 'private',
  format: 'json',
  onMismatch: 'convert',
  anonymous: { send: true },
  echo: true,
  limits: { maxMessageBytes: 64, maxMembers: 3 },
};

const nameOf = (answer: Result<Grant>): string => ('refused' in answer ? answer.refused : answer.room);

void t.test('a persistent room is answered for when it is kept, and is nowhere before', async (t) => {
  const store = new HandStore();
  const world = new World({ store });
  const answers: string[] = [];
  const asked = world.ask({ room: 'harbour', create: PERSISTENT });
  void Promise.resolve(asked).then((answer) => answers.push(nameOf(answer)));
  await new Promise((resolve) => setImmediate(resolve));
  t.same([answers, store.writing], [[], 1]);
  t.equal(world.refusal({ room: 'harbour' }), 'room_not_found', 'nobody can enter it');
  t.equal(world.refusal({ room: 'harbour', create: {}, account: 'bob' }), 'room_exists', 'its name is taken');
  t.equal(world.refusal({ room: 'harbour', create: PERSISTENT }), 'room_exists', 'for a persistent one too');
  t.same([world.router.rooms, world.router.sessions], [1, 0]);
  await store.end();
  t.same(answers, ['harbour']);
  t.equal(world.refusal({ room: 'harbour', account: 'bob' }), undefined);
  t.equal(world.refusal({ room: 'harbour', create: {} }), 'room_exists');
});

void t.test('a room that could not be kept is none, its name is free, and its place too', async (t) => {
  const store = new HandStore();
  const world = new World({ store, limits: { maxSessions: 1 } });
  const asked = world.ask({ room: 'harbour', create: PERSISTENT });
  t.equal(world.refusal(), 'busy', 'the session to come counts');
  await store.end(new Error('no space'));
  t.equal(nameOf(await asked), 'internal_error');
  t.same([world.router.rooms, world.router.sessions], [1, 0], 'nothing is left');
  t.equal(world.refusal({ room: 'harbour' }), 'room_not_found');
  t.equal(world.refusal({ room: 'harbour', create: {}, account: 'bob' }), undefined);
});

void t.test('what is not persistent waits for no disk', async (t) => {
  const store = new HandStore();
  const world = new World({ store });
  const slow = world.ask({ room: 'slow', create: PERSISTENT });
  t.equal(nameOf(world.grant({ room: 'quick', create: {} })), 'quick');
  t.equal(nameOf(world.grant()), 'lobby');
  await store.end();
  t.equal(nameOf(await slow), 'slow');
  t.equal(nameOf(world.grant({ room: 'slow' })), 'slow', 'nor does it to enter one that is');
  t.equal(store.writing, 0);
});

void t.test('a persistent room stays when its last session ends, and a transient one does not', async (t) => {
  const world = new World({ store: new MemoryStore() });
  const gone = { limits: { sessionLingerMs: 1, ticketMs: 1 } };
  await world.ask({ room: 'stays', create: SPEC, ...gone });
  world.grant({ room: 'goes', create: {}, ...gone });
  world.clock.advance(10);
  t.same([world.router.sessions, world.router.rooms], [0, 2]);
  t.equal(world.refusal({ room: 'stays', account: 'bob' }), 'room_not_found', 'private as it was');
  t.equal(world.refusal({ room: 'stays', create: {}, account: 'bob' }), 'room_exists');
  t.equal(world.refusal({ room: 'stays' }), undefined);
  t.equal(world.refusal({ room: 'goes' }), 'room_not_found');
});

void t.test('a server that starts again has every room as it was, and no session', async (t) => {
  const records = new Map<string, string>();
  const before = new World({ store: new MemoryStore(records) });
  await before.ask({ room: 'study', create: SPEC });
  await before.ask({ room: 'plain', create: PERSISTENT, account: 'bob' });
  const state = before.join({ room: 'study' }).sibling.call('pipe.state', {})?.result?.['state'];
  before.grant({ room: 'brief', create: {} });
  const after = new World({ store: new MemoryStore(records), limits: { maxMembers: 2, hardMessageBytes: 32 } });
  t.same([after.router.rooms, after.router.sessions], [3, 0], 'with the lobby, without what was transient');
  t.equal(after.refusal({ room: 'study', account: 'bob' }), 'room_not_found', 'what was private is');
  t.equal(after.refusal({ room: 'plain', create: {} }), 'room_exists');
  const owner = after.join({ room: 'study' });
  const { room } = owner.sibling.call('pipe.state', {})?.result?.['state'] as { room: object };
  t.strictSame(room, (state as { room: object }).room, 'the spec too, though the server permits less by now');
});

void t.test('an account has so many persistent rooms and no more, on their way or there', async (t) => {
  const store = new HandStore();
  const world = new World({ store, limits: { maxPersistentRooms: 2 } });
  const ask = (room: string, more: object = {}): Result<Grant> | Promise<Result<Grant>> =>
    world.ask({ room, create: PERSISTENT, ...more });
  const asked = [ask('one'), ask('two')] as const;
  t.same(ask('three'), { refused: 'too_many_rooms', limit: 2 });
  await store.end();
  await store.end();
  t.same([nameOf(await asked[0]), nameOf(await asked[1])], ['one', 'two']);
  t.same(ask('three'), { refused: 'too_many_rooms', limit: 2 });
  t.same(ask('one'), { refused: 'room_exists' }, 'the name comes first');
  t.equal(nameOf(world.grant({ room: 'three', create: {} })), 'three', 'a transient one is no matter');
  const [four, few] = [
    ask('four', { account: 'bob' }),
    ask('few', { account: 'carol', limits: { maxPersistentRooms: 0 } }),
  ];
  t.same(few, { refused: 'too_many_rooms', limit: 0 }, 'who asks for less gets less');
  await store.end();
  t.equal(nameOf(await four), 'four', 'others have their own');
  t.equal(nameOf(await ask('five', { account: null })), 'unauthenticated');
});

void t.test('a sibling that makes a persistent room is answered in the order of its calls', async (t) => {
  const store = new HandStore();
  const world = new World({ store });
  const sibling = world.sibling();
  const ids = (): unknown[] => sibling.sent.filter(({ id }) => id !== undefined).map(({ id }) => id);
  const text = (id: number, method: string, params: object): void =>
    sibling.connection.receive(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
  text(1, 'session.create', { room: 'harbour', transport: 'websocket', token: 'dev.alice', create: PERSISTENT });
  text(2, 'pipe.state', {});
  await new Promise((resolve) => setImmediate(resolve));
  t.same([ids(), store.writing], [[], 1]);
  await store.end();
  t.same(ids(), [1, 2]);
});

/** A member of a persistent room of its own, in a world whose disk goes by hand. */
async function owner(
  store: HandStore,
  create: RoomSpec = PERSISTENT,
): Promise<{ world: World; member: ReturnType<World['join']>; answers: () => unknown[] }> {
  const world = new World({ store });
  const asked = world.ask({ room: 'harbour', create });
  await store.end();
  await asked;
  const member = world.join({ room: 'harbour' });
  let seen = member.sibling.sent.length;
  const answers = (): unknown[] => {
    const fresh = member.sibling.sent.slice(seen).filter(({ id }) => id !== undefined);
    seen = member.sibling.sent.length;
    return fresh.map(({ result, error }) => error?.data['name'] ?? result?.['rev'] ?? result?.['room'] ?? 'done');
  };
  return { world, member, answers };
}

void t.test('a change is in force at once and answered when it is kept, and what comes behind it waits', async (t) => {
  const store = new HandStore();
  const { world, member, answers } = await owner(store);
  const { sibling } = member;
  const call = (id: number, method: string, params: object): void =>
    sibling.connection.receive(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
  call(1, 'room.update', { spec: { visibility: 'private' }, op: 'hide' });
  call(2, 'room.update', { spec: { echo: true } });
  call(3, 'pipe.state', {});
  t.same([answers(), store.writing], [[], 1]);
  t.equal(world.refusal({ room: 'harbour', account: 'bob' }), 'room_not_found', 'nobody gets in meanwhile');
  const again = world.sibling();
  again.bind(member.grant);
  again.connection.receive(
    JSON.stringify({ jsonrpc: '2.0', id: 4, method: 'room.update', params: { spec: {}, op: 'hide' } }),
  );
  again.connection.receive(JSON.stringify({ jsonrpc: '2.0', id: 5, method: 'pipe.state', params: {} }));
  const ids = (): unknown[] => again.sent.filter(({ id }) => id === 4 || id === 5).map(({ id }) => id);
  t.same(ids(), [], 'nor is a repeat answered before, nor what is behind it');
  await store.end();
  t.same(ids(), [4, 5]);
  t.same(answers(), [], 'who was replaced hears no more');
  t.equal(store.writing, 0, 'and does no more');
});

void t.test('a change that could not be kept is answered with an error', async (t) => {
  const store = new HandStore();
  const { member, answers } = await owner(store);
  member.sibling.call('room.update', { spec: { echo: true } });
  await store.end(new Error('no space'));
  t.same(answers(), ['internal_error']);
});

void t.test('a room is closed when it is certain that it will not come back', async (t) => {
  const records = new Map<string, string>();
  const store = new HandStore(records);
  const { world, member, answers } = await owner(store);
  const other = world.join({ room: 'lobby' });
  member.sibling.call('room.close', {});
  other.sibling.call('room.close', { room: 'harbour' });
  other.sibling.call('room.update', { room: 'harbour', spec: { echo: true } });
  t.same([answers(), store.writing], [[], 2]);
  t.equal(member.sibling.closedWith, null);
  await store.end();
  t.same(answers(), ['harbour']);
  t.equal(member.sibling.closedWith, '4505 room_closed');
  await store.end();
  t.same(
    other.sibling.sent.filter(({ error }) => error).map(({ error }) => error?.data['name']),
    ['room_not_found', 'room_not_found'],
    'a second close, and a change behind it, come too late',
  );
  t.equal(store.writing, 0);
  t.equal(records.size, 0, 'nothing brings it back');
  t.equal(world.refusal({ room: 'harbour' }), 'room_not_found');
});

void t.test('a room that could not be forgotten stays open', async (t) => {
  const store = new HandStore();
  const { world, member, answers } = await owner(store);
  member.sibling.call('room.close', {});
  await store.end(new Error('no space'));
  t.same(answers(), ['internal_error']);
  t.equal(member.sibling.closedWith, null);
  t.equal(world.refusal({ room: 'harbour' }), undefined);
});

void t.test('what becomes of a room because its owner has left is kept too', async (t) => {
  for (const ownerLeaves of ['handover', 'close'] as const) {
    const records = new Map<string, string>();
    const store = new MemoryStore(records);
    const world = new World({ store, limits: { sessionLingerMs: 5, ticketMs: 5 } });
    await world.ask({ room: 'harbour', create: { ...PERSISTENT, visibility: 'public', ownerLeaves } });
    world.join({ room: 'harbour', account: 'bob' });
    world.clock.advance(20);
    const owners = new MemoryStore(records).kept.map((room) => room.owner);
    t.same(owners, ownerLeaves === 'handover' ? ['bob'] : [], ownerLeaves);
  }
});

void t.test('a lifetime is settled when a room is made', async (t) => {
  const world = new World({ store: new MemoryStore() });
  await world.ask({ room: 'stays', create: PERSISTENT });
  world.grant({ room: 'goes', create: {} });
  for (const [room, lifetime] of [
    ['stays', 'transient'],
    ['goes', 'persistent'],
  ]) {
    const { sibling } = world.join({ room: String(room) });
    t.match(sibling.call('room.update', { spec: { lifetime, echo: true } })?.error?.data, {
      name: 'invalid_params',
      pointer: '/spec/lifetime',
    });
    t.match(sibling.call('room.describe', {})?.result, { rev: 1 });
  }
});

/** Writes down what it is asked to keep. */
class Diary extends MemoryStore {
  readonly entries: string[] = [];

  override put(room: StoredRoom): Promise<void> {
    this.entries.push(`${room.name} ${String(room.rev)} ${room.owner}`);
    return super.put(room);
  }

  override remove(name: string): Promise<void> {
    this.entries.push(`${name} over`);
    return super.remove(name);
  }
}

void t.test('the store hears of each change of a persistent room once, of its end, and of nothing else', async (t) => {
  const store = new Diary();
  const world = new World({ store });
  const alice = world.join();
  const call = async (member: Member, method: string, params: object = {}): Promise<void> => {
    member.sibling.call(method, params);
    await new Promise((resolve) => setImmediate(resolve));
  };
  await call(alice, 'room.create', { room: 'brief', spec: {} });
  await call(alice, 'room.update', { room: 'brief', spec: { echo: true } });
  await call(alice, 'room.create', { room: 'den', spec: { ...PERSISTENT, ownerLeaves: 'handover' } });
  await call(alice, 'room.update', { room: 'den', spec: { echo: true } });
  await call(alice, 'room.update', { room: 'den', spec: { echo: true } });
  const gone = { limits: { sessionLingerMs: 1, ticketMs: 1 } };
  world.member({ room: 'den', ...gone });
  const heir = world.join({ room: 'den', account: 'bob' });
  world.clock.advance(100);
  await call(heir, 'room.close');
  await call(alice, 'room.close', { room: 'brief' });
  t.same(store.entries, ['den 1 alice', 'den 2 alice', 'den 2 bob', 'den over']);
});
