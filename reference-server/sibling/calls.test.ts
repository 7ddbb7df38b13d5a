import t from 'tap';
import type { MemorySibling } from '../testing/memory.js';
import { World } from '../testing/world.js';

/** A bound member with an open pipe, and a second connection of the same services. */
function bound(): { world: World; member: ReturnType<World['join']>; sibling: MemorySibling } {
  const world = new World();
  const member = world.join();
  return { world, member, sibling: member.sibling };
}

void t.test('waits of a connection that is gone do not count among those of the next', (t) => {
  const { world, member, sibling } = bound();
  const wait = { after: { epoch: 1, c2s: 9 } };
  for (let n = 0; n < 16; n++) t.equal(sibling.call('fence', wait), undefined);
  t.match(sibling.call('fence', wait)?.error, { data: { name: 'busy', limit: 16 } });
  t.ok(sibling.call('fence')?.result, 'what need not wait is answered even then');
  sibling.cut();
  const next = world.sibling();
  next.bind(member.grant);
  t.equal(next.call('fence', wait), undefined, 'there is room again');
  world.clock.advance(world.limits.fenceMs);
  t.match(next.replyTo(next.lastId)?.error, { data: { name: 'fence_timeout', counters: { c2sReceived: 0 } } });
  t.end();
});

void t.test('an operation is carried out once, whoever asks and however often', (t) => {
  const { world, member, sibling } = bound();
  const first = sibling.call('pipe.ticket', { transport: 'websocket', replace: true, op: 'a' })?.result;
  t.same(sibling.call('pipe.ticket', { transport: 'other', op: 'a' })?.result, first);
  t.equal(sibling.refusal('sibling.stay', { ms: 1, op: 'a' }), 'invalid_params', 'not for another method');
  t.equal(sibling.refusal('pipe.close', { op: 'b' }), 'no_pipe');
  member.open(String(first?.pipeTicket));
  t.equal(sibling.refusal('pipe.close', { op: 'b' }), 'no_pipe', 'a refusal is a result too');
  t.equal(sibling.call('pipe.close', { op: 'c', after: { epoch: 2, n: 1 } }), undefined);
  const heir = world.sibling();
  heir.bind(member.grant);
  for (let n = 0; n < 63; n++) t.equal(heir.call('pipe.close', { op: 'c' }), undefined);
  t.equal(heir.refusal('pipe.close', { op: 'c' }), 'busy', 'but not so often that it piles up');
  member.send('');
  world.scheduler.tick();
  const answers = heir.sent.filter(({ result }) => result?.at);
  t.equal(answers.length, 63);
  t.match(answers[0]?.result, { at: { epoch: 2, dir: 'c2s', n: 1 } });
  for (let n = 0; n < 64; n++) heir.call('sibling.stay', { ms: 5, op: `later-${String(n)}` });
  t.not(
    heir.call('pipe.ticket', { transport: 'websocket', op: 'a' })?.result?.pipeTicket,
    first?.pipeTicket,
    'forgotten',
  );
  t.end();
});

void t.test('what turns out to be invalid only when it is carried out was no operation either', (t) => {
  const { sibling } = bound();
  const create = (spec: object): object => ({ room: 'workshop', spec, op: 'make' });
  t.equal(sibling.refusal('room.create', create({ limits: { maxMembers: 999_999 } })), 'invalid_params');
  t.match(sibling.call('room.create', create({}))?.result, { rev: 1 });
  t.end();
});

void t.test('a fence waits for its place, and says why it cannot be reached', (t) => {
  const { world, member, sibling } = bound();
  const zero = { epoch: 0, c2sReceived: 0, c2sRouted: 0, s2cEnqueued: 0, s2cWritten: 0, s2cDropped: 0, headSeq: 0 };
  const fresh = world.member();
  fresh.sibling.bind(fresh.grant);
  t.same(fresh.sibling.call('fence')?.result, zero);
  t.equal(fresh.sibling.refusal('fence', { after: { epoch: 1, c2s: 0 } }), 'no_pipe');
  t.equal(sibling.refusal('fence', { scope: 'mesh' }), 'not_supported');
  member.send('one');
  t.match(
    sibling.call('fence', { after: { epoch: 1, c2s: 1 }, scope: 'room' })?.result,
    { c2sReceived: 1, c2sRouted: 1 },
    'within the tick',
  );
  t.equal(sibling.call('fence', { after: { epoch: 1, c2s: 3 }, timeoutMs: 10 }), undefined);
  const waiting = sibling.lastId;
  t.ok(sibling.call('fence')?.result, 'is overtaken by those behind it');
  member.send('two');
  world.scheduler.tick();
  t.equal(sibling.replyTo(waiting), undefined);
  world.clock.advance(10);
  t.match(sibling.replyTo(waiting)?.error, {
    data: { name: 'fence_timeout', counters: { c2sReceived: 2, c2sRouted: 2 } },
  });
  sibling.call('fence', { after: { epoch: 1, c2s: 3 } });
  member.source.ended('lost');
  t.match(sibling.replyTo(sibling.lastId)?.error, { data: { name: 'pipe_ended' } });
  t.ok(sibling.call('fence', { after: { epoch: 1, c2s: 2 } })?.result, 'what was reached stays reached');
  t.equal(sibling.refusal('fence', { after: { epoch: 1, c2s: 3 } }), 'pipe_ended');
  member.reopen();
  t.equal(
    sibling.refusal('fence', { after: { epoch: 1, c2s: 0 } }),
    'pipe_ended',
    'of an earlier pipe nothing is kept',
  );
  t.equal(sibling.refusal('fence', { after: { epoch: 3, c2s: 0 } }), 'no_pipe');
  t.end();
});

void t.test('what a fence has waited for is said before its answer, on every sibling', (t) => {
  const world = new World();
  const [alice, bob] = [world.join(), world.join({ formats: { send: [], receive: ['binary'] } })];
  alice.sibling.call('subscribe', { events: ['pipe.receipt'] });
  bob.sibling.call('subscribe', { events: ['pipe.manifest'] });
  alice.sibling.call('fence', { after: { epoch: 1, c2s: 3 }, scope: 'room' });
  alice.send('text');
  alice.send(Buffer.from('b'));
  alice.send(Buffer.alloc(70_000));
  world.scheduler.tick();
  const order = alice.sibling.sent.slice(-5).map(({ method, id }) => method ?? id);
  t.same(order, ['pipe.undeliverable', 'pipe.receipt', 'pipe.receipt', 'pipe.refused', alice.sibling.lastId]);
  t.same(
    bob.sibling.events().map(({ method }) => method),
    ['pipe.manifest', 'pipe.undeliverable'],
  );
  t.end();
});
