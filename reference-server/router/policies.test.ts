import t from 'tap';
import type { RoomSpec } from '../../generated/types.js';
import { type Member, type World, at, room } from '../testing/world.js';

const S2C = { dir: 's2c' } as const;

/** A room with a sender, a member whose transport stalls with one message in it, and one that reads. */
function stalled(spec: RoomSpec): { world: World; alice: Member; bob: Member; carol: Member } {
  const { world, members } = room(spec, [{}, {}, {}]);
  const [alice, bob, carol] = [at(members, 0), at(members, 1), at(members, 2)];
  bob.sink.stalled = true;
  say(world, alice, 'in the transport');
  return { world, alice, bob, carol };
}

function say(world: World, member: Member, ...texts: readonly string[]): void {
  for (const text of texts) member.send(text);
  world.scheduler.tick();
}

const dropped = (member: Member): unknown[] =>
  member.sibling
    .events()
    .filter(({ method }) => method === 'pipe.dropped' || method === 'pipe.mark')
    .map(({ params }) => [params?.at, params?.beforeN, params?.mark, params?.count]);

const place = (n: number): object => ({ epoch: 1, dir: 's2c', unit: 'msg', n });

void t.test('the oldest messages go where the oldest go, and never one that the transport has', (t) => {
  const { world, alice, bob, carol } = stalled({ slowConsumer: 'dropOldest', limits: { maxQueuedMessages: 2 } });
  say(world, alice, 'a', 'b', 'c');
  t.same(dropped(bob), [[place(1), 2, undefined, 1]]);
  say(world, alice, 'd');
  say(world, alice, 'e');
  t.same(dropped(bob), [], 'more at the same place is gathered');
  world.clock.advance(1000);
  t.same(dropped(bob), [[place(1), 2, undefined, 2]], 'for a second at most');
  say(world, alice, 'f');
  alice.sibling.call('fence', { scope: 'room' });
  t.same(dropped(bob), [[place(1), 2, undefined, 1]], 'or until somebody asks');
  say(world, alice, 'g');
  bob.sink.resume();
  t.same(dropped(bob), [[place(1), 2, undefined, 1]], 'or until the place is passed');
  t.same(bob.received, ['text in the transport', 'text f', 'text g']);
  t.equal(carol.received.length, 8);
  t.match(bob.sibling.call('fence')?.result, { s2cEnqueued: 8, s2cWritten: 3, s2cDropped: 5 });
  t.end();
});

void t.test('the newest messages go where the newest go, and their place is marked', (t) => {
  const { world, alice, bob } = stalled({ slowConsumer: 'dropNewest', limits: { maxQueuedBytes: 4 } });
  say(world, alice, 'long enough', 'xx', '');
  t.same(dropped(bob), [[place(1), undefined, 1, 2]], 'even an empty one, behind what alone is too long');
  bob.sink.resume();
  t.same(dropped(bob), [[place(2), undefined, 1, undefined]]);
  bob.sink.stalled = true;
  say(world, alice, 'a');
  say(world, alice, 'bb', 'ccc', 'dd', 'e');
  t.same(
    dropped(bob),
    [
      [place(3), undefined, 2, 1],
      [place(3), undefined, 3, 1],
    ].map((each) => [...each]),
  );
  bob.source.ended('lost');
  t.same(dropped(bob), [
    [place(3), undefined, 2, undefined],
    [place(3), undefined, 3, undefined],
  ]);
  t.match(bob.sibling.call('pipe.state')?.result, { state: { pipe: { s2c: { n: 2, bytes: 27, dropped: 7 } } } });
  t.end();
});

void t.test('receipts count the members that a message was not dropped for', (t) => {
  const { world, alice, bob } = stalled({ slowConsumer: 'dropNewest', limits: { maxQueuedMessages: 1 } });
  alice.sibling.call('subscribe', { events: ['pipe.receipt'] });
  say(world, alice, 'a', 'b');
  const receipts = alice.sibling.events().filter(({ method }) => method === 'pipe.receipt');
  t.match(
    receipts.map(({ params }) => params?.items),
    [[{ members: 2 }], [{ members: 1 }]],
  );
  bob.sink.resume();
  t.end();
});

void t.test(
  'a room that blocks listens to its senders again as soon as the slow one reads, ends or is given up',
  (t) => {
    const ways = {
      reads: ({ bob }: { bob: Member }) => bob.sink.resume(),
      ends: ({ bob }: { bob: Member }) => bob.source.ended('lost'),
      closes: ({ bob }: { bob: Member }) => bob.sibling.call('pipe.close'),
      'is given up': ({ world }: { world: World }) => world.clock.advance(5000),
    };
    for (const [way, relieve] of Object.entries(ways)) {
      const stage = stalled({ slowConsumer: 'block', limits: { maxQueuedMessages: 1 } });
      const { world, alice, carol } = stage;
      say(world, alice, 'a');
      t.ok(alice.sink.listening, 'a full queue is within the limits');
      say(world, alice, 'b');
      t.same(
        [alice, carol].map(({ sink }) => sink.listening),
        [false, false],
        way,
      );
      const dave = world.join({ room: 'harbour' });
      t.notOk(dave.sink.listening, 'whoever comes now is not listened to either');
      say(world, alice, 'c');
      relieve(stage);
      t.same(
        [alice, carol, dave].map(({ sink }) => sink.listening),
        [true, true, true],
        way,
      );
      t.equal(carol.received.length, 4, 'nothing was dropped for those who read');
    }
    t.end();
  },
);

void t.test('a pause keeps everything back, and an end in order writes it out', (t) => {
  const { world, members } = room({}, [{}, { receive: ['text'] }]);
  const [alice, bob] = [at(members, 0), at(members, 1)];
  t.same(bob.sibling.call('pipe.pause', S2C)?.result, { at: place(0) });
  say(world, alice, 'a', 'b');
  alice.send(Buffer.from([0]));
  say(world, alice, 'c');
  t.same(bob.received, []);
  t.same(bob.heard(), ['pipe.undeliverable 0 undeliverable']);
  t.match(bob.sibling.call('fence')?.result, { s2cEnqueued: 3, s2cWritten: 0 });
  bob.sibling.call('pipe.close');
  t.same(bob.received, ['text a', 'text b', 'text c']);
  t.same(bob.heard(), ['pipe.mark 2', 'pipe.ended 0 closed_by_session', 'pipe.ended 3 closed_by_session']);
  world.clock.advance(100_000);
  t.same(bob.heard(), [], 'the pause is over with its pipe');
  t.end();
});

void t.test('a pause ends when its time is up, however often it was asked for', (t) => {
  const { world, members } = room({});
  const [alice, bob] = [at(members, 0), at(members, 1)];
  bob.sibling.call('pipe.pause', S2C);
  world.clock.advance(59_999);
  bob.sibling.call('pipe.pause', S2C);
  say(world, alice, 'a');
  t.same(bob.received, []);
  world.clock.advance(1);
  t.same([bob.received, bob.heard()], [['text a'], ['pipe.resumed 0 timeout']]);
  t.same(bob.sibling.call('pipe.resume', S2C)?.result, { at: place(1) });
  t.end();
});

void t.test('a bucket refills evenly, belongs to the session, and is not emptied by what is refused', (t) => {
  const { world, members } = room({ limits: { messagesPerSecond: 2, messageBurst: 3 } });
  const [alice, bob] = [at(members, 0), at(members, 1)];
  say(world, alice, 'a', 'b', 'c', 'd', 'e');
  t.same(alice.heard(), ['pipe.refused 4 rate_limited', 'pipe.refused 5 rate_limited']);
  world.clock.advance(499);
  alice.source.ended('lost');
  alice.reopen();
  say(world, alice, 'too early');
  t.match(alice.heard().at(-1), 'pipe.refused 1 rate_limited');
  world.clock.advance(1);
  say(world, alice, 'f', 'g');
  t.same(alice.heard(), ['pipe.refused 3 rate_limited']);
  world.clock.advance(60_000);
  say(world, alice, 'h', 'i', 'j', 'k');
  t.same(alice.heard(), ['pipe.refused 7 rate_limited'], 'no more than the burst is kept');
  say(world, bob, 'l', 'm', 'n');
  t.same(bob.heard(), [], 'everybody has a bucket of their own');
  t.end();
});
