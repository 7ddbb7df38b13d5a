import t from 'tap';
import type { FromServer, MemorySibling } from '../testing/memory.js';
import { type Member, World } from '../testing/world.js';

function debugOf(world: World, member: Member, level?: string): MemorySibling {
  const debug = world.sibling();
  debug.bind(member.grant, { channel: 'debug' });
  if (level) debug.call('debug.level', { level });
  debug.events();
  return debug;
}

const facts = ({ method, params = {} }: FromServer): string => {
  const { seq, dropped, level, dir, n, kind, bytes, id } = params;
  const rest = method === 'debug.log' ? [level] : [dir, n, kind, bytes, id === undefined ? 'no id' : 'id'];
  return [seq, method, ...rest, ...(dropped === undefined ? [] : ['dropped', dropped])].map(String).join(' ');
};

void t.test('at the level trace everything about each message is told, except what is in it', (t) => {
  const world = new World();
  const [alice, bob] = [world.join(), world.join()];
  const [debug, other] = [debugOf(world, alice, 'trace'), debugOf(world, bob, 'trace')];
  alice.send('secret');
  alice.send(Buffer.alloc(70_000));
  world.scheduler.tick();
  bob.send(Buffer.from('hush'));
  world.scheduler.tick();
  t.same(debug.events().map(facts), [
    '1 debug.envelope c2s 1 text 6 id',
    '2 debug.envelope c2s 2 binary 70000 no id',
    '3 debug.log info',
    '4 debug.envelope s2c 1 binary 4 id',
  ]);
  t.same(other.events().map(facts), ['1 debug.envelope s2c 1 text 6 id', '2 debug.envelope c2s 1 binary 4 id']);
  const told = JSON.stringify([debug.sent, other.sent]);
  for (const secret of ['secret', 'hush', alice.grant.pipeTicket, alice.grant.siblingSecret]) t.notMatch(told, secret);
  t.notOk(
    debug.sent.some(({ params }) => params?.sid === bob.grant.sid),
    'nor of any other session',
  );
  t.end();
});

void t.test('a debug channel has numbers of its own, begins at info, and can be silent', (t) => {
  const world = new World();
  const member = world.join({ scopes: ['receive', 'debug'] });
  const debug = debugOf(world, member, 'trace');
  member.send('');
  t.equal(debug.events().length, 2);
  t.match(debug.call('pipe.state')?.result, { headSeq: 2 });
  t.match(member.sibling.call('pipe.state')?.result, { headSeq: 2 }, 'pipe.opened and pipe.refused');
  const again = world.sibling();
  t.match(again.bind(member.grant, { channel: 'debug', lastSeq: 1 })?.result, {
    headSeq: 2,
    oldestSeq: 3,
    gap: null,
    generation: 2,
  });
  member.send('');
  t.same(again.events().slice(1).map(facts), ['3 debug.log info'], 'nothing replayed, and no envelopes at first');
  t.match(again.call('debug.level', { level: 'off' })?.result, { level: 'off' });
  member.send('');
  t.same(again.events(), []);
  t.equal(again.refusal('debug.level', { level: 'loud' }), 'invalid_params');
  for (const method of ['fence', 'sibling.ack', 'pipe.ticket', 'pipe.close', 'subscribe'])
    t.equal(again.refusal(method), 'forbidden', method);
  t.match(again.call('sibling.stay', { ms: 1 })?.result, { ms: 1 });
  t.equal(member.heard().length, 3, 'the command channel is the same with and without');
  t.end();
});

void t.test('debug events over their rate or to a sibling that does not read are lost and counted', (t) => {
  const world = new World();
  const member = world.join({ limits: { debugEventsPerSecond: 4 } });
  const debug = debugOf(world, member, 'trace');
  for (let n = 0; n < 10; n++) member.send('');
  t.equal(debug.events().length, 4, 'a bucket of one second');
  world.clock.advance(250);
  member.send('');
  t.same(debug.events().map(facts), ['5 debug.envelope c2s 11 text 0 id dropped 6']);
  world.clock.advance(9000);
  debug.stalled = true;
  debug.queued = 100_000;
  member.send('');
  debug.resume();
  member.send('');
  t.same(debug.events().map(facts), ['6 debug.envelope c2s 13 text 0 id dropped 1']);
  t.end();
});

interface Item {
  readonly n: number;
  readonly id: string;
}

const items = (events: readonly FromServer[]): Item[] => events.flatMap(({ params }) => params?.items as Item[]);

void t.test('whoever asks hears what became of each message, and where each came from', (t) => {
  const world = new World();
  const [alice, bob, carol] = [world.join(), world.join(), world.join({ formats: { send: [], receive: ['binary'] } })];
  t.match(alice.sibling.call('subscribe', { events: ['pipe.receipt', 'room.tide', '__proto__'] })?.result, {
    events: ['pipe.receipt'],
  });
  bob.sibling.call('subscribe', { events: ['pipe.manifest', 'pipe.receipt'] });
  alice.send('to one');
  alice.send(Buffer.alloc(70_000));
  alice.send(Buffer.from('to both'));
  world.scheduler.tick();
  const receipts = alice.sibling.events().filter(({ method }) => method === 'pipe.receipt');
  t.match(
    items(receipts),
    [
      { n: 1, members: 1 },
      { n: 3, members: 2 },
    ],
    'none for the refused one',
  );
  const manifests = bob.sibling.events();
  t.match(items(manifests), [{ n: 1, from: alice.grant.sid, hops: [] }, { n: 2 }]);
  t.same(
    items(manifests).map(({ id }) => id),
    items(receipts).map(({ id }) => id),
    'by the same names',
  );
  t.same(carol.heard(), ['pipe.undeliverable 0 undeliverable 1'], 'who did not ask hears nothing of it');
  bob.source.ended('lost');
  carol.source.ended('lost');
  alice.send('to nobody');
  world.scheduler.tick();
  t.match(items(alice.sibling.events()), [{ n: 4, members: 0 }]);
  t.end();
});

void t.test(
  'receipts and manifests are numbered on each connection, and what is dropped leaves its number out',
  (t) => {
    const world = new World();
    const [alice, bob] = [world.join(), world.join()];
    const vseqs = (sibling: MemorySibling): unknown[] =>
      sibling
        .events()
        .map(({ params }) => params?.vseq)
        .filter(Boolean);
    bob.sibling.call('subscribe', { events: ['pipe.manifest'] });
    for (let n = 0; n < 250; n++) alice.send('');
    world.scheduler.tick();
    t.same(vseqs(bob.sibling), [1, 2, 3], 'in batches');
    bob.sibling.queued = 100_000;
    alice.send('');
    world.scheduler.tick();
    bob.sibling.resume();
    alice.send('');
    world.scheduler.tick();
    t.same(vseqs(bob.sibling), [5]);
    bob.sibling.cut();
    alice.send('');
    world.scheduler.tick();
    const next = world.sibling();
    t.match(
      next.bind(bob.grant)?.result,
      { state: { subscriptions: ['pipe.manifest'] } },
      'the wish outlasts the connection',
    );
    alice.send('');
    world.scheduler.tick();
    t.same(vseqs(next), [1]);
    next.call('subscribe', { events: [] });
    alice.send('');
    world.scheduler.tick();
    t.same(vseqs(next), []);
    t.end();
  },
);
