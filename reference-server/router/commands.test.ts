import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { holds } from '../testing/property.js';
import { HandClock } from '../testing/time.js';
import { World } from '../testing/world.js';
import { exceeds } from './json-bytes.js';
import { TokenBucket } from '../ports/token-bucket.js';

await t.test('what is as long and as deep as it may be is taken, and nothing beyond', (t) => {
  holds(
    t,
    fc.property(fc.jsonValue({ depthSize: 'medium' }), (value) => {
      const bytes = Buffer.byteLength(JSON.stringify(value));
      assert.equal(exceeds(value, { bytes, depth: 1000 }), null);
      assert.equal(exceeds(value, { bytes: bytes - 1, depth: 1000 }), 'bytes');
    }),
    300,
  );
  const deep = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
  t.equal(exceeds(deep(3), { bytes: 100, depth: 3 }), null);
  t.equal(exceeds(deep(4), { bytes: 100, depth: 3 }), 'depth');
  t.equal(exceeds(deep(100_000), { bytes: Infinity, depth: Infinity }), null, 'without running out of stack');
  t.end();
});

await t.test('a bucket begins full, refills evenly, and never overflows', (t) => {
  const clock = new HandClock();
  const bucket = new TokenBucket(clock, { perSecond: 4 });
  const taken = (): number => {
    let count = 0;
    while (bucket.take()) count++;
    return count;
  };
  t.equal(taken(), 4);
  clock.advance(249);
  t.equal(taken(), 0);
  clock.advance(1);
  t.equal(taken(), 1);
  clock.advance(500);
  t.equal(taken(), 2);
  clock.advance(100_000);
  t.equal(taken(), 4);
  t.end();
});

await t.test('a flood at a sleeper is bounded, whoever takes part in it, and its own events stay', (t) => {
  const world = new World();
  const floods = Array.from({ length: 20 }, (_, n) => world.join({ account: `flood-${String(n)}` }));
  const bob = world.join({ account: 'bob' });
  bob.sibling.cut();
  bob.send(Buffer.alloc(70_000)); // one refusal that bob must not miss
  world.scheduler.tick();
  for (const { sibling } of floods)
    for (let n = 0; n < 20; n++) sibling.call('agent.command', { to: 'room', name: 'x' });
  const awake = world.sibling();
  const answer = awake.bind(bob.grant, { lastSeq: 1 })?.result;
  t.match(answer, { gap: null, headSeq: 2 + world.limits.ringEvents / 2 });
  t.equal(awake.events()[1]?.method, 'pipe.refused');
  t.match(floods[0]?.sibling.call('agent.command', { to: bob.grant.sid, name: 'x' })?.error, {
    data: { name: 'rate_limited', limit: 20 },
  });
  world.clock.advance(50);
  t.equal(floods[0]?.sibling.refusal('agent.command', { to: bob.grant.sid, name: 'x' }), 'busy');
  awake.call('sibling.ack', { seq: 3 });
  world.clock.advance(50);
  t.ok(floods[0]?.sibling.call('agent.command', { to: bob.grant.sid, name: 'x' })?.result);
  t.end();
});

await t.test('a command waits for its place with its connection, or without where it has an op', (t) => {
  const world = new World();
  const [alice, bob] = [world.join(), world.join({ account: 'bob' })];
  const after = { epoch: 1, n: 1 };
  alice.sibling.call('agent.command', { to: 'room', name: 'forgotten', after });
  alice.sibling.call('agent.command', { to: 'room', name: 'kept', after, op: 'kept' });
  alice.sibling.cut();
  alice.send('one');
  world.scheduler.tick();
  const told = bob.sibling.events().map(({ params }) => params?.name);
  t.same(told, ['kept']);
  const again = world.sibling();
  again.bind(alice.grant);
  t.match(again.call('agent.command', { to: 'room', name: 'kept', after, op: 'kept' })?.result, { members: 1 });
  t.same(bob.sibling.events(), [], 'and not again');
  t.end();
});
