import t from 'tap';
import type { RoomSpec } from '../../generated/types.js';
import type { Unit } from '../ports/pipe.js';
import { type Member, World, at } from '../testing/world.js';

const bytes = (length: number, fill = 7): Buffer => Buffer.alloc(length, fill);

/** Members of a new stream room of chunks of at most four bytes; each counts as it says. */
function stream(spec: RoomSpec, units: readonly Unit[]): { world: World; members: Member[] } {
  const world = new World({ streams: true });
  const create: RoomSpec = { ...spec, boundaries: 'ignored', limits: { maxMessageBytes: 4, ...spec.limits } };
  const members = units.map((unit, index) => world.join({ room: 'river', ...(index === 0 ? { create } : {}) }, unit));
  return { world, members };
}

const lengths = ({ sink }: Member): number[] =>
  sink.batches.flatMap(({ messages }) => messages.map(({ payload }) => payload.length));

const facts = (member: Member): unknown[] =>
  member.sibling.events().map(({ method, params }) => [method, params?.at, params?.from, params?.to, params?.error]);

const account = (member: Member): unknown => member.sibling.call('fence')?.result;

const place = (dir: string, unit: string, n: number): object => ({ epoch: 1, dir, unit, n });

void t.test('what is longer than a chunk flows in several, and counts as the one message that it is', (t) => {
  const { world, members } = stream({}, ['msg', 'msg', 'byte']);
  const [alice, bob, carol] = [at(members, 0), at(members, 1), at(members, 2)];
  alice.sibling.call('subscribe', { events: ['pipe.receipt'] });
  carol.sibling.call('subscribe', { events: ['pipe.manifest'] });
  alice.send(bytes(9));
  alice.send('text');
  world.scheduler.tick();
  t.same(lengths(bob), [4, 4, 1, 4]);
  t.match(account(alice), { c2sReceived: 2, c2sRouted: 2 });
  t.match(account(bob), { s2cEnqueued: 4, s2cWritten: 4 }, 'a chunk is a message to whoever receives messages');
  t.match(account(carol), { s2cEnqueued: 13, s2cWritten: 13 }, 'and bytes to whoever counts those');
  const [receipts, more] = alice.sibling.events().map(({ params }) => params?.items as object[]);
  t.match(
    [...(receipts ?? []), ...(more ?? [])],
    [
      { n: 1, members: 2 },
      { n: 2, members: 2 },
    ],
  );
  const [manifest] = carol.sibling.events().map(({ params }) => params?.items as { n: number; id: string }[]);
  t.same(
    manifest?.map(({ n }) => n),
    [4, 8, 9, 13],
    'the number of a chunk is that of its last byte',
  );
  t.equal(new Set(manifest?.map(({ id }) => id)).size, 2, 'the chunks of one message have its id');
  t.end();
});

void t.test('a message in parts flows as it comes, and is counted with its last part', (t) => {
  const { world, members } = stream({}, ['msg', 'msg']);
  const [alice, bob] = [at(members, 0), at(members, 1)];
  alice.source.receivePart('binary', bytes(3), false);
  world.scheduler.tick();
  t.same(lengths(bob), [3]);
  t.match(account(alice), { c2sReceived: 0, c2sRouted: 0 });
  t.match(
    alice.sibling.call('switch.propose', { id: 'a', dir: 'c2s', at: { epoch: 1, n: 1 }, set: { format: 'text' } }),
    { error: { data: { name: 'switch_too_late' } } },
    'what has begun is treated as it began',
  );
  alice.source.receivePart('binary', bytes(0), true);
  alice.source.receivePart('binary', bytes(2), false);
  alice.source.forgetPart();
  alice.source.receivePart('binary', bytes(0), true);
  world.scheduler.tick();
  t.same(lengths(bob), [3, 2, 0], 'one that is forgotten has been delivered so far, and is not counted');
  t.match(account(alice), { c2sReceived: 2, c2sRouted: 2 });
  t.match(alice.sibling.call('pipe.state')?.result, { state: { pipe: { c2s: { n: 2, bytes: 3 } } } });
  t.end();
});

void t.test('where boundaries are kept, parts make one message or none', (t) => {
  const world = new World({ streams: true });
  const create = { limits: { maxMessageBytes: 4 } };
  const [alice, bob] = [world.join({ room: 'harbour', create }), world.join({ room: 'harbour' })];
  for (const part of ['a', 'b']) alice.source.receivePart('text', Buffer.from(part), false);
  alice.source.receivePart('text', Buffer.from('cd'), true);
  for (let index = 0; index < 6; index++) alice.source.receivePart('binary', bytes(1), index === 5);
  alice.source.receivePart('binary', bytes(0), true);
  world.scheduler.tick();
  t.same(bob.received, ['text abcd', 'binary ']);
  t.same(facts(alice), [['pipe.refused', place('c2s', 'msg', 2), 2, 2, { name: 'message_too_large', limit: 4 }]]);
  t.match(account(alice), { c2sReceived: 3 });
  t.end();
});

void t.test('a pipe without messages counts bytes in everything that is said about it', (t) => {
  const { world, members } = stream({}, ['byte', 'byte', 'msg']);
  const [alice, bob, carol] = [at(members, 0), at(members, 1), at(members, 2)];
  alice.send(bytes(6));
  alice.send(bytes(0));
  alice.send(bytes(1));
  world.scheduler.tick();
  t.match(account(alice), { c2sReceived: 7, c2sRouted: 7 });
  t.match(account(bob), { s2cEnqueued: 7, s2cWritten: 7, s2cDropped: 0 });
  t.same(lengths(carol), [4, 2, 1], 'no bytes are no message');
  t.match(alice.sibling.call('fence', { after: { epoch: 1, c2s: 5 } }), { result: { c2sReceived: 7 } });
  t.match(bob.sibling.call('pipe.pause', { dir: 's2c' })?.result, { at: place('s2c', 'byte', 7) });
  alice.source.ended('closed_by_peer');
  t.match(
    alice.sibling.events().map(({ params }) => params),
    [
      { at: place('c2s', 'byte', 7), finalN: 7, finalBytes: 7 },
      { at: place('s2c', 'byte', 0), finalN: 0, finalBytes: 0 },
    ],
  );
  t.end();
});

void t.test('refusals and drops of a pipe without messages tell their bytes', (t) => {
  const { world, members } = stream(
    { slowConsumer: 'dropOldest', limits: { maxQueuedMessages: 1, messagesPerSecond: 2 } },
    ['byte', 'byte'],
  );
  const [alice, bob] = [at(members, 0), at(members, 1)];
  bob.sink.stalled = true;
  alice.send(bytes(4));
  alice.send(bytes(3));
  alice.send(bytes(2));
  world.scheduler.tick();
  t.same(facts(alice), [['pipe.refused', place('c2s', 'byte', 9), 8, 9, { name: 'rate_limited', limit: 2 }]]);
  t.match(account(alice), { c2sReceived: 9, c2sRouted: 9 });
  world.clock.advance(1000);
  alice.send(bytes(1));
  world.scheduler.tick();
  alice.send(bytes(1));
  world.scheduler.tick();
  t.match(
    bob.sibling.events().map(({ method, params }) => [method, params]),
    [['pipe.dropped', { at: place('s2c', 'byte', 7), beforeN: 8, count: 1 }]],
  );
  alice.sibling.call('fence', { scope: 'room' });
  t.match(account(bob), { s2cEnqueued: 9, s2cDropped: 1 });
  t.end();
});

void t.test('an announced end of a pipe without messages comes behind just that byte', (t) => {
  const { world, members } = stream({}, ['byte', 'msg']);
  const [alice, bob] = [at(members, 0), at(members, 1)];
  alice.sibling.call('stream.end', { after: { epoch: 1, n: 5 } });
  alice.send(bytes(9));
  world.scheduler.tick();
  t.same(lengths(bob), [4, 1]);
  t.match(alice.sibling.events().at(-2)?.params, { dir: 'c2s', finalN: 5, cause: 'stream_ended' });
  t.end();
});

void t.test('a stream is binary: it is neither looked into nor converted', (t) => {
  const { world, members } = stream({ onMismatch: 'convert' }, ['msg', 'byte']);
  const carol = world.join({ room: 'river', formats: { send: ['text'], receive: ['text'] } });
  const [alice, bob] = [at(members, 0), at(members, 1)];
  alice.send(bytes(8));
  alice.send('ahoy');
  world.scheduler.tick();
  t.same(carol.received, ['text ahoy']);
  t.same(lengths(bob), [4, 4, 4]);
  t.same(carol.heard(), ['pipe.undeliverable 0 undeliverable 1'], 'once for the message, whatever its chunks');
  t.same(alice.heard(), ['pipe.undeliverable 1 undeliverable 1']);
  for (const format of ['text', 'json'] as const) {
    const refused = alice.sibling.call('room.create', { room: 'other', spec: { boundaries: 'ignored', format } });
    t.match(refused, { error: { data: { name: 'not_supported', pointer: '/spec/format' } } });
  }
  t.end();
});

void t.test('a server without a transport for streams has no stream rooms', (t) => {
  const world = new World();
  t.match(world.grant({ room: 'river', create: { boundaries: 'ignored' } }), {
    refused: 'not_supported',
    pointer: '/create/boundaries',
  });
  t.end();
});

void t.test('a pipe of bytes goes to another room between two of them, wherever chunks end', (t) => {
  const { world, members } = stream({}, ['byte', 'byte']);
  const [alice, bob] = [at(members, 0), at(members, 1)];
  const create: RoomSpec = { boundaries: 'ignored', limits: { maxMessageBytes: 8 } };
  const carol = world.join({ account: 'carol', room: 'delta', create }, 'byte');
  const { moveId } = alice.sibling.call('room.move', { room: 'delta' })?.result ?? {};
  bob.send(bytes(5));
  world.scheduler.tick();
  alice.sibling.call('switch.ack', { id: '1' });
  const half = { id: 'a', dir: 'c2s', at: { epoch: 1, n: 7 }, set: { room: 'delta', moveId } };
  t.match(alice.sibling.call('switch.propose', half), {
    result: { status: 'acknowledged', at: place('c2s', 'byte', 7) },
  });
  alice.sibling.events();
  alice.send(Buffer.concat([bytes(6, 1), bytes(9, 2)]));
  world.scheduler.tick();
  t.same(
    [bob, carol].map(({ sink }) => sink.batches.flatMap(({ messages }) => messages.map(({ payload }) => [...payload]))),
    [
      [
        [1, 1, 1, 1],
        [1, 1],
      ],
      [[2, 2, 2, 2, 2, 2, 2, 2], [2]],
    ],
  );
  const told = alice.sibling.events().map(({ method, params }) => [method, params?.count ?? params?.at]);
  t.same(told.slice(0, 2), [
    ['switch.done', place('c2s', 'byte', 7)],
    ['pipe.dropped', 5],
  ]);
  t.end();
});
