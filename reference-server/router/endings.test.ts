import assert from 'node:assert/strict';
import t from 'tap';
import { World, type Member } from '../testing/world.js';

/** Three members of one room with open pipes and bound siblings. */
function three(): { world: World; alice: Member; bob: Member; carol: Member } {
  const world = new World();
  const [alice, bob, carol] = ['alice', 'bob', 'carol'].map((account) => world.join({ account }));
  assert.ok(alice && bob && carol);
  return { world, alice, bob, carol };
}

const events = (member: Member): string[] =>
  member.sibling.events().map(({ method = '', params = {} }) => {
    const { at, mark, inMs } = params as { at?: { n: number }; mark?: number; inMs?: number };
    return [method, at && `at ${String(at.n)}`, mark && `mark ${String(mark)}`, inMs].filter(Boolean).join(' ');
  });

await t.test('an announced end comes in its time, and everybody learns where', (t) => {
  const { world, alice, bob, carol } = three();
  carol.sink.stalled = true;
  t.match(alice.sibling.call('stream.end', { inMs: 100 })?.result, { members: 2, missed: 0 });
  world.clock.advance(99);
  alice.send('last');
  bob.send('after');
  t.equal(alice.sink.closedWith, null);
  t.match(alice.sibling.call('pipe.state')?.result, { state: { pipe: { ending: { inMs: 1 } } } });
  world.clock.advance(1);
  t.equal(alice.sink.closedWith, 'stream_ended');
  t.same(events(alice), ['pipe.ending 100', 'pipe.ended at 1', 'pipe.ended at 1']);
  t.same(events(bob), ['stream.ending mark 1 100', 'pipe.mark at 1 mark 1']);
  t.same(events(carol), ['stream.ending mark 1 100', 'pipe.mark at 2 mark 1'], 'what the transport has is written');
  t.equal(alice.sibling.refusal('stream.end', { inMs: 1 }), 'no_pipe');
  t.end();
});

await t.test('an end behind a message takes that one and no other, refused ones counted', (t) => {
  const { world, alice, bob } = three();
  alice.sibling.call('stream.end', { after: { epoch: 1, n: 2 } });
  alice.send(Buffer.alloc(70_000));
  alice.send('two');
  alice.send('three');
  world.scheduler.tick();
  t.same(bob.received, ['text two']);
  t.same(events(alice), ['pipe.ending at 2', 'pipe.refused at 1', 'pipe.ended at 2', 'pipe.ended at 0']);
  t.same(events(bob), ['stream.ending mark 1', 'pipe.mark at 1 mark 1']);
  t.end();
});

await t.test('marks come with the messages before them, and not to whoever has left', (t) => {
  const { world, alice, bob, carol } = three();
  bob.sibling.call('pipe.pause', { dir: 's2c' });
  alice.sibling.call('stream.end', { inMs: 60_000, op: 'bye' });
  t.match(alice.sibling.call('stream.end', { inMs: 60_000, op: 'bye' })?.result, { members: 2 });
  carol.sibling.call('pipe.close');
  carol.sibling.cut();
  world.clock.advance(30_000);
  alice.send('one');
  world.scheduler.tick();
  alice.source.ended('lost');
  t.same(events(bob), ['stream.ending mark 1 60000'], 'nothing more while it is paused');
  bob.sibling.call('pipe.resume', { dir: 's2c' });
  t.same(events(bob), ['pipe.mark at 1 mark 1']);
  t.match(carol.received, []);
  t.end();
});

await t.test('a pipe that is ended at once waits for nobody, one that drains for its member', (t) => {
  const { world, alice, bob, carol } = three();
  bob.sink.stalled = carol.sink.stalled = true;
  alice.send('one');
  world.scheduler.tick();
  alice.send('two');
  world.scheduler.tick();
  world.router.drain({ deadlineMs: 100, reconnectAfterMs: 1 });
  t.same([alice.sink.closedWith, bob.sink.closedWith, carol.sink.closedWith], ['draining', null, null]);
  alice.send('three');
  carol.send('four');
  world.scheduler.tick();
  bob.sink.resume();
  bob.source.drained();
  t.equal(bob.sink.closedWith, 'draining');
  t.same(bob.received, ['text one', 'text two'], 'and nothing that came later');
  t.same(events(bob), ['server.draining', 'pipe.ended at 0', 'pipe.ended at 2']);
  t.equal(bob.sibling.closedWith, '4009 draining');
  t.equal(carol.sibling.refusal('pipe.ticket', { transport: 'websocket', replace: true }), 'draining');
  t.equal(carol.sibling.closedWith, null);
  world.clock.advance(100);
  t.equal(carol.sink.closedWith, 'draining');
  t.same(
    events(carol),
    ['server.draining', 'pipe.ended at 0', 'pipe.ended at 0'],
    'what was not written does not count',
  );
  t.equal(carol.sibling.closedWith, '4009 draining');
  t.end();
});

await t.test('a sibling that does not read is closed behind what it has to hear', (t) => {
  const { world, bob } = three();
  bob.sibling.queued = 100_000;
  world.router.drain({ deadlineMs: 100, reconnectAfterMs: 1 });
  t.equal(bob.sibling.closedWith, null);
  bob.sibling.resume();
  t.same(events(bob), ['server.draining', 'pipe.ended at 0', 'pipe.ended at 0']);
  t.equal(bob.sibling.closedWith, '4009 draining');
  t.end();
});
