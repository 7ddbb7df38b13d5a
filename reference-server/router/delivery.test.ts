import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import type { Formats } from '../../generated/types.js';
import { holds } from '../testing/property.js';
import { World, at, room } from '../testing/world.js';

const [first, second] = [0, 1];

void t.test('a message reaches every other member of its room at the end of the tick, and nobody else', (t) => {
  const { world, members } = room({}, [{}, {}, {}]);
  const elsewhere = world.join({ room: 'lobby' });
  at(members, first).send('ahoy');
  at(members, first).send(Buffer.from([0, 255]));
  t.same(at(members, second).received, [], 'not before the end of the tick');
  t.equal(world.scheduler.tick(), 1, 'one flush, however many messages');
  const raw = at(members, second).sink.batches.flatMap(({ messages }) => messages.map(({ payload }) => payload));
  t.same(raw, [Buffer.from('ahoy'), Buffer.from([0, 255])]);
  t.equal(at(members, 2).received.length, 2);
  t.same([at(members, first).received, elsewhere.received], [[], []], 'neither the sender nor another room');
  t.end();
});

void t.test('where messages come one at a time, none waits; what comes in a crowd leaves together', (t) => {
  const { world, members } = room({}, [{}, {}]);
  const [alice, bob] = [at(members, first), at(members, second)];
  const waits = (text: string): boolean => {
    const before = bob.received.length;
    alice.send(text);
    return bob.received.length === before;
  };
  const tick = (...texts: string[]): boolean[] => {
    const waited = texts.map(waits);
    world.scheduler.tick();
    return waited;
  };
  t.same(tick('1'), [true], 'of a new room nothing is known');
  t.same(tick('2'), [false]);
  t.same(tick('3', '4', '5'), [false, true, true], 'only the first of a tick can be alone');
  t.same(tick('6'), [true], 'another might come, as it did before');
  t.same(tick('7'), [false]);
  t.same(
    bob.received,
    ['1', '2', '3', '4', '5', '6', '7'].map((text) => `text ${text}`),
  );
  t.equal(bob.sink.batches.length, 6);
  t.end();
});

void t.test('members share one batch, framed once; the sender has one of its own or none', (t) => {
  const { world, members } = room({}, [{}, {}, {}, {}]);
  at(members, first).send('one');
  at(members, second).send('two');
  world.scheduler.tick();
  const [third, fourth] = [at(members, 2).sink.batches, at(members, 3).sink.batches];
  t.equal(third.length, 1);
  t.equal(third[0], fourth[0], 'the very same batch');
  let framed = 0;
  const encode = (): object => ({ framed: ++framed });
  t.equal(third[0]?.encoding('test', encode), fourth[0]?.encoding('test', encode), 'the very same frames');
  t.equal(framed, 1);
  t.same([at(members, first).received, at(members, second).received], [['text two'], ['text one']]);
  t.end();
});

void t.test('a room that echoes gives the sender the common batch, if it may receive', (t) => {
  const { world, members } = room({ echo: true });
  const mute = world.join({ room: 'harbour', scopes: ['send'] });
  at(members, first).send('a');
  mute.send('b');
  world.scheduler.tick();
  t.equal(at(members, first).sink.batches[0], at(members, second).sink.batches[0]);
  t.same(at(members, first).received, ['text a', 'text b']);
  t.same(mute.received, [], 'without the scope receive nothing arrives');
  t.end();
});

void t.test('refused messages are counted, said and cost nothing else; events keep the order of the messages', (t) => {
  const { world, members } = room({ limits: { maxMessageBytes: 4 } }, [{}, { receive: ['binary'] }]);
  const alice = at(members, first);
  alice.send('12345');
  t.same(alice.heard(), ['pipe.refused 1 message_too_large'], 'at once where nothing is pending');
  alice.send('1234');
  alice.send('too long');
  alice.send('4');
  alice.send(Buffer.alloc(0));
  t.same(alice.heard(), [], 'behind what earlier messages have to say');
  world.scheduler.tick();
  t.same(alice.heard(), [
    'pipe.undeliverable 2 undeliverable 1',
    'pipe.refused 3 message_too_large',
    'pipe.undeliverable 4 undeliverable 1',
  ]);
  t.same(at(members, second).received, ['binary ']);
  t.same(at(members, second).heard(), ['pipe.undeliverable 0 undeliverable 1', 'pipe.undeliverable 0 undeliverable 1']);
  const fence = alice.sibling.call('fence', { after: { epoch: 1, c2s: 5 } })?.result;
  t.match(fence, { c2sReceived: 5, c2sRouted: 5 });
  const watcher = world.join({ room: 'harbour', scopes: ['receive'] });
  watcher.send('no');
  t.same(watcher.heard(), ['pipe.refused 1 forbidden']);
  t.end();
});

void t.test('the first reason in the order of the specification is the one that is said', (t) => {
  const world = new World();
  const text: Formats = { send: ['text'], receive: ['text'] };
  const spec = { format: 'text', limits: { maxMessageBytes: 2 } } as const;
  const sender = world.join({ room: 'harbour', create: spec, formats: text });
  const mute = world.join({ room: 'harbour', scopes: ['receive'], formats: text });
  mute.send(Buffer.alloc(3));
  sender.send(Buffer.alloc(3));
  sender.send(Buffer.alloc(2));
  t.same(mute.heard(), ['pipe.refused 1 forbidden']);
  t.same(sender.heard(), ['pipe.refused 1 message_too_large', 'pipe.refused 2 format_mismatch']);
  t.end();
});

void t.test('a member that does not read loses its pipe, and nobody else notices', (t) => {
  const { world, members } = room({ limits: { maxQueuedMessages: 2, maxQueuedBytes: 8 } }, [{}, {}, {}]);
  const [alice, slow, quick] = [at(members, first), at(members, second), at(members, 2)];
  slow.sink.stalled = true;
  alice.send('longer than eight bytes');
  world.scheduler.tick();
  t.equal(slow.sink.closedWith, null, 'one message alone never makes a slow consumer');
  alice.send('longer than eight bytes too');
  world.scheduler.tick();
  t.equal(slow.sink.closedWith, null, 'nor does one that waits behind what the transport has');
  alice.send('next');
  world.scheduler.tick();
  t.equal(slow.sink.closedWith, 'slow_consumer');
  t.same(slow.heard(), ['pipe.ended 0 slow_consumer', 'pipe.ended 3 slow_consumer'], 'what waited goes out before');
  t.equal(quick.received.length, 3);
  slow.reopen();
  slow.sink.stalled = true;
  for (const text of ['1', '2', '3']) alice.send(text);
  world.scheduler.tick();
  t.equal(slow.sink.closedWith, null, 'what arrives together is queued together');
  slow.sink.resume();
  for (const text of ['4', '5', '6']) alice.send(text);
  world.scheduler.tick();
  t.equal(slow.sink.closedWith, null, 'who reads again is not slow');
  slow.sink.stalled = true;
  for (let n = 0; n < 4; n++) {
    alice.send('x');
    world.scheduler.tick();
  }
  t.equal(slow.sink.closedWith, 'slow_consumer', 'too many messages, however short');
  t.end();
});

void t.test('a slow consumer that is a sender too has its own messages accounted for before its end', (t) => {
  const { world, members } = room({ limits: { maxQueuedMessages: 1, maxMessageBytes: 9 } }, [
    {},
    { receive: ['text'] },
    {},
  ]);
  const slow = at(members, first);
  slow.sink.stalled = true;
  for (let n = 0; n < 2; n++) {
    at(members, 2).send('x');
    world.scheduler.tick();
  }
  slow.send(Buffer.from('b'));
  slow.send('much too long');
  at(members, 2).send('last');
  world.scheduler.tick();
  t.same(slow.heard(), [
    'pipe.undeliverable 1 undeliverable 1',
    'pipe.refused 2 message_too_large',
    'pipe.ended 2 slow_consumer',
    'pipe.ended 3 slow_consumer',
  ]);
  t.end();
});

void t.test('a flood within one tick does not pile up', (t) => {
  const { world, members } = room({});
  for (let n = 0; n < 5000; n++) at(members, first).send('');
  t.ok(at(members, second).sink.batches.length >= 4, 'batches leave before the tick is over');
  world.scheduler.tick();
  t.equal(at(members, second).received.length, 5000);
  const mute = world.join({ room: 'harbour', scopes: ['receive'] });
  at(members, first).send('pending');
  for (let n = 0; n < 3000; n++) mute.send('');
  t.ok(mute.sibling.events().length > 1000, 'refusals do not wait for ever either');
  t.end();
});

void t.test('a pipe that is closing is delivered to no more, and counts no more', (t) => {
  const { world, members } = room({});
  at(members, first).send('one');
  world.scheduler.tick();
  at(members, second).sink.writable = false;
  at(members, first).send('two');
  world.scheduler.tick();
  at(members, second).source.ended('closed_by_peer');
  at(members, second).source.ended('lost');
  t.same(at(members, second).received, ['text one']);
  t.same(at(members, second).heard(), ['pipe.ended 0 closed_by_peer', 'pipe.ended 1 closed_by_peer'], 'once');
  at(members, second).send('late');
  t.equal(world.scheduler.tick(), 0, 'what comes after the end does not count');
  t.end();
});

void t.test('what was queued when the connection broke is dropped, and the account says so', (t) => {
  const { world, members } = room({});
  const bob = at(members, second);
  at(members, first).send('one');
  world.scheduler.tick();
  bob.sink.stalled = true;
  at(members, first).send('two!');
  world.scheduler.tick();
  t.match(bob.sibling.call('fence')?.result, { s2cEnqueued: 2, s2cWritten: 1, s2cDropped: 0 });
  bob.source.ended('lost');
  t.match(bob.sibling.events().at(-1)?.params, { dir: 's2c', finalN: 1, finalBytes: 3, cause: 'lost' });
  t.match(bob.sibling.call('fence')?.result, { s2cEnqueued: 2, s2cWritten: 1, s2cDropped: 1 });
  t.match(bob.sibling.call('pipe.state')?.result, {
    state: { pipe: { status: 'ended', s2c: { n: 1, bytes: 3, dropped: 1 } } },
  });
  t.end();
});

void t.test('what was sent while a member had no pipe is not for it', (t) => {
  const { world, members } = room({});
  const [alice, bob] = [at(members, first), at(members, second)];
  bob.source.ended('lost');
  alice.send('missed');
  bob.reopen();
  world.scheduler.tick();
  alice.send('heard');
  world.scheduler.tick();
  t.same(bob.received, ['text heard']);
  t.match(bob.sibling.call('fence')?.result, { epoch: 2, s2cEnqueued: 1 });
  t.end();
});

void t.test('whatever is sent and whoever comes and goes, each receiver has per-sender order, exactly once', (t) => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('send' as const), who: fc.nat(2), bytes: fc.nat(6) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('tick' as const), who: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const), who: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('fence' as const), who: fc.nat(2) }) },
  );
  holds(
    t,
    fc.property(fc.boolean(), fc.array(step, { maxLength: 40 }), (echo, steps) => {
      const { world, members } = room({ echo, limits: { maxMessageBytes: 9 } }, [{}, {}, {}]);
      const pipes = members.map((member) => ({ got: [] as string[], sink: member.sink }));
      const sent: { who: number; text: string; to: number[] }[] = [];
      steps.forEach((step, index) => {
        const member = at(members, step.who);
        if (step.do === 'tick') world.scheduler.tick();
        else if (step.do === 'fence') member.sibling.call('fence');
        else if (step.do === 'reopen') {
          member.source.ended('lost');
          pipes[step.who]?.got.push(...member.received);
          member.reopen();
        } else {
          const text = `${String(step.who)}:${String(index)}:${'x'.repeat(step.bytes)}`;
          member.send(text);
          if (text.length <= 9)
            sent.push({ who: step.who, text, to: [0, 1, 2].filter((to) => echo || to !== step.who) });
        }
      });
      world.scheduler.tick();
      members.forEach((member, to) => {
        const got = [...(pipes[to]?.got ?? []), ...member.received].map((text) => text.replace('text ', ''));
        for (const who of [0, 1, 2]) {
          const wanted = sent
            .filter((message) => message.who === who && message.to.includes(to))
            .map(({ text }) => text);
          const mine = got.filter((text) => text.startsWith(`${String(who)}:`));
          assert.deepEqual(mine, wanted);
        }
      });
    }),
    60,
  );
  t.end();
});
