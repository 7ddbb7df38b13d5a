import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import type { Limits, RoomChanges, RoomSpec } from '../../generated/types.js';
import type { FromServer } from '../testing/memory.js';
import { holds } from '../testing/property.js';
import { type Member, World } from '../testing/world.js';

interface Entry {
  readonly name: string;
  readonly sid: string;
  readonly pipe: boolean;
}

const names = (reply?: FromServer): string[] => (reply?.result?.rooms as Entry[]).map(({ name }) => name);

function inRoom(spec: RoomSpec, accounts: readonly (string | null)[], limits: Partial<Limits> = {}): [World, Member[]] {
  const world = new World({ limits });
  const members = accounts.map((account, index) =>
    world.join({ room: 'harbour', account, ...(index === 0 ? { create: spec } : {}) }),
  );
  return [world, members];
}

function leave(world: World, member: Member | undefined): void {
  member?.sibling.cut();
  member?.source.ended('closed_by_peer');
  world.clock.advance(30_000);
}

void t.test('every name that is a room name can be made, found, listed and closed, and no other', (t) => {
  const world = new World({ rooms: {} });
  const alice = world.join({ room: 'm', create: {} });
  const good = ['constructor', 'tostring', 'a', '0', `z${'-'.repeat(62)}`, 'hasownproperty', 'a_', 'a-'];
  const bad = ['__proto__', `a${'b'.repeat(63)}`, '', 'Harbour', '-a', '_a', 'a b', 'ä', 'a.b'];
  for (const room of bad) {
    for (const method of ['room.create', 'room.describe', 'room.close'])
      t.equal(alice.sibling.refusal(method, { room }), 'invalid_params', `${method} ${room}`);
  }
  for (const room of good) {
    t.equal(alice.sibling.refusal('room.describe', { room }), 'room_not_found', room);
    t.match(alice.sibling.call('room.create', { room })?.result, { room: { name: room }, rev: 1 }, room);
    t.equal(alice.sibling.refusal('room.create', { room }), 'room_exists', room);
  }
  t.same(names(alice.sibling.call('room.list')), [...good, 'm'].sort());
  for (const room of good) t.match(alice.sibling.call('room.close', { room })?.result, { room, sessions: 0 });
  t.same(names(alice.sibling.call('room.list')), ['m']);
  t.end();
});

void t.test('pages of any length put together are the list, for each who may see what', (t) => {
  const NAME = fc.stringMatching(/^[a-c][a-c_-]{0,2}$/);
  holds(
    t,
    fc.property(
      fc.uniqueArray(fc.tuple(NAME, fc.boolean(), fc.boolean()), { selector: ([name]) => name, maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
      NAME,
      (rooms, limit, gone) => {
        const world = new World({ rooms: { lobby: {} } });
        const [alice, bob] = [world.join(), world.join({ account: 'bob' })];
        for (const [room, secret, bobs] of rooms)
          (bobs ? bob : alice).sibling.call('room.create', { room, spec: secret ? { visibility: 'private' } : {} });
        alice.sibling.call('room.close', { room: gone });
        const closed = rooms.some(([name, , bobs]) => name === gone && !bobs);
        const seen = rooms.filter(([name, secret, bobs]) => (!secret || bobs) && !(closed && name === gone));
        const all: string[] = [];
        for (let more = true; more;) {
          const page = bob.sibling.call('room.list', { limit, ...(all.length > 0 && { after: all.at(-1) }) });
          all.push(...names(page));
          more = page?.result?.more === true;
          assert.ok(!more || names(page).length === limit);
        }
        assert.deepEqual(all, [...seen.map(([name]) => name), 'lobby'].sort());
      },
    ),
    100,
  );
  t.end();
});

void t.test('the number of rooms and the length of a page have their limits', (t) => {
  const world = new World({ limits: { maxRooms: 3, maxPageItems: 2 }, rooms: { lobby: {} } });
  const alice = world.join();
  alice.sibling.call('room.create', { room: 'one' });
  alice.sibling.call('room.create', { room: 'two' });
  t.match(alice.sibling.call('room.create', { room: 'three' })?.error, { data: { name: 'busy', limit: 3 } });
  t.match(world.grant({ room: 'three', create: {} }), { refused: 'busy', limit: 3 });
  t.equal(alice.sibling.refusal('room.create', { room: 'Three' }), 'invalid_params');
  t.match(alice.sibling.call('room.list', { limit: 3 })?.result, { rooms: { length: 2 }, more: true });
  world.join();
  world.join();
  t.match(alice.sibling.call('room.members', { limit: 3 })?.result, { members: { length: 2 }, more: true });
  world.clock.advance(30_000);
  t.equal(world.router.rooms, 1, 'rooms that nobody entered are gone');
  t.match(alice.sibling.call('room.create', { room: 'three' })?.result, { rev: 1 });
  t.end();
});

void t.test('an empty room goes by its own time, not by that of a namesake before it', (t) => {
  const world = new World();
  const alice = world.join();
  alice.sibling.call('room.create', { room: 'den' });
  world.clock.advance(20_000);
  alice.sibling.call('room.close', { room: 'den' });
  alice.sibling.call('room.create', { room: 'den' });
  world.clock.advance(10_000);
  t.ok(alice.sibling.call('room.describe', { room: 'den' })?.result, 'the first one would end now');
  world.clock.advance(20_000);
  t.equal(alice.sibling.refusal('room.describe', { room: 'den' }), 'room_not_found');
  t.end();
});

void t.test('a change goes for messages behind it, and those before it are delivered as they were sent', (t) => {
  const [world, [alice, bob]] = inRoom({ echo: true }, ['alice', 'bob']);
  alice?.send('before');
  alice?.sibling.call('room.update', { spec: { echo: false, limits: { maxMessageBytes: 6 } } });
  alice?.send('after.');
  alice?.send('longer.');
  world.scheduler.tick();
  t.same(alice?.received, ['text before']);
  t.same(bob?.received, ['text before', 'text after.']);
  const updated = alice?.sibling.events().find(({ method }) => method === 'room.updated');
  t.match(updated?.params, { rev: 2, at: { epoch: 1, dir: 'c2s', n: 1 }, room: { echo: false } });
  t.equal(alice?.sibling.refusal('room.update', { spec: { limits: { maxMembers: 1001 } } }), 'invalid_params');
  const burst = alice?.sibling.call('room.update', { spec: { limits: { messageBurst: 5 } } });
  t.match(burst?.error?.data, { name: 'invalid_params', pointer: '/spec/limits/messagesPerSecond' });
  const smuggled = JSON.parse('{"junk":1,"__proto__":{"echo":true},"limits":{"junk":2}}') as RoomChanges;
  const result = alice?.sibling.call('room.update', { spec: smuggled })?.result;
  t.match(result, { rev: 2, room: { echo: false } });
  t.notMatch(JSON.stringify(result), /junk/);
  t.end();
});

void t.test(
  'a room is handed over to who has been in it for longest, and on, and closes with the last account',
  (t) => {
    const accounts = ['alice', null, 'bob', 'carol', 'bob'];
    const spec: RoomSpec = { ownerLeaves: 'handover', anonymous: { receive: true } };
    const [world, [alice, eve, bob, carol, late]] = inRoom(spec, accounts);
    const owned = (member?: Member): unknown => member?.sibling.call('room.describe')?.result?.owned;
    leave(world, alice);
    t.same([eve, bob, carol, late].map(owned), [false, true, false, true]);
    leave(world, bob);
    t.same([eve, carol, late].map(owned), [false, false, true], 'another session of the account is there');
    leave(world, late);
    t.same([eve, carol].map(owned), [false, true]);
    t.same(carol?.heard(), ['room.owner', 'room.owner']);
    leave(world, carol);
    t.match(eve?.sibling.events().at(-1), { method: 'room.closed', params: { cause: 'owner_left' } });
    t.equal(eve?.sibling.closedWith, '4505 room_closed');
    t.equal(world.router.rooms, 1);
    t.equal(world.router.sessions, 0);
    t.end();
  },
);

void t.test('a change of policy or rate goes for whoever is waiting, and for nobody who is not', (t) => {
  const limits = { maxQueuedMessages: 1, messagesPerSecond: 1, messageBurst: 2 };
  const [world, [alice, bob]] = inRoom({ slowConsumer: 'block', limits }, ['alice', 'bob']);
  if (!alice || !bob) throw new Error('nobody there');
  const update = (spec: RoomChanges): unknown => alice.sibling.call('room.update', { spec })?.result?.rev;
  const send = (count: number): void => {
    for (let n = 0; n < count; n++) {
      alice.send(String(n));
      world.scheduler.tick();
    }
  };
  bob.sink.stalled = true;
  send(3);
  t.same(alice.heard(), ['pipe.refused 3 rate_limited']);
  t.equal(update({ limits: { messagesPerSecond: null, messageBurst: null } }), 2);
  send(3);
  t.equal(alice.sink.listening, false, 'bob has too much to read');
  t.equal(update({ echo: false }), 2);
  t.equal(alice.sink.listening, false, 'no change, no relief');
  t.equal(update({ slowConsumer: 'dropOldest' }), 3);
  t.equal(alice.sink.listening, true);
  send(1);
  world.clock.advance(1_000_000);
  t.equal(bob.sink.closedWith, null, 'nor is anybody closed for what was too slow before');
  t.equal(update({ limits: { messagesPerSecond: 1 } }), 4);
  alice.heard();
  send(2);
  t.same(alice.heard(), ['pipe.refused 9 rate_limited'], 'a new rate begins with a full bucket');
  t.end();
});

void t.test('whatever was under way when a room closes comes to its end', (t) => {
  const [world, [alice, bob]] = inRoom({}, ['alice', 'bob']);
  const late = world.member({ room: 'harbour', account: 'bob' });
  late.sibling.bind(late.grant);
  const offer = world.router.redeem(late.grant.pipeTicket, 'websocket');
  bob?.sibling.call('fence', { after: { epoch: 1, c2s: 9 } });
  const fence = bob?.sibling.lastId;
  alice?.send('last words');
  const closing = alice?.sibling.call('room.close', { op: 'bye' });
  t.match(closing?.result, { room: 'harbour', sessions: 3 });
  t.same(bob?.received, ['text last words']);
  t.match(bob?.sibling.replyTo(fence)?.error, { data: { name: 'pipe_ended' } });
  t.equal(bob?.sink.closedWith, 'room_closed');
  const sent = alice?.sibling.sent.map(({ method, id }) => method ?? id);
  t.same(sent?.slice(-4), ['pipe.ended', 'pipe.ended', 'room.closed', closing?.id]);
  t.equal(alice?.sibling.closedWith, '4505 room_closed');
  if ('refused' in offer) return t.end();
  const sink = late.sink;
  offer.open(sink).receive('text', Buffer.from('too late'));
  t.equal(sink.closedWith, 'room_closed', 'a handshake that ends behind the room');
  world.clock.advance(1_000_000);
  t.same([world.router.sessions, world.router.rooms], [0, 1]);
  return t.end();
});

void t.test('list and events add up, whatever happens in between and wherever the list is asked for', (t) => {
  const STEP = fc.constantFrom('join', 'open', 'close', 'leave', 'list');
  holds(
    t,
    fc.property(fc.array(STEP, { maxLength: 30 }), (steps) => {
      const world = new World();
      const watcher = world.join();
      watcher.sibling.call('subscribe', { events: ['room.member'] });
      const others: Member[] = [];
      const open = new Set<Member>();
      const known = new Map<string, boolean>();
      const hear = (): void => {
        for (const { method, params = {} } of watcher.sibling.events()) {
          const { sid, pipe } = (params.member ?? {}) as Entry;
          if (method !== 'room.member') continue;
          if (params.change === 'left') known.delete(sid);
          else known.set(sid, pipe);
        }
      };
      const listed = (): unknown[] => {
        const members = watcher.sibling.call('room.members')?.result?.members as Entry[];
        return members.filter(({ sid }) => sid !== watcher.grant.sid).map(({ sid, pipe }) => [sid, pipe]);
      };
      for (const step of [...steps, 'list']) {
        const last = others.at(-1);
        if (step === 'join') others.push(world.member({ account: null }));
        else if (step === 'leave') world.clock.advance(90_000);
        else if (step === 'open' && last?.open() === undefined && last) open.add(last);
        else if (step === 'close' && last && open.delete(last)) last.source.ended('lost');
        else if (step === 'list') {
          hear();
          assert.deepEqual(
            listed(),
            [...known].sort(([a], [b]) => (a < b ? -1 : 1)),
          );
        }
      }
    }),
    100,
  );
  t.end();
});
