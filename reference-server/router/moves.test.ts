import t from 'tap';
import { ask, half, over, roomOf, scene } from '../testing/moves.js';
import { type Member, World } from '../testing/world.js';

void t.test('a pipe goes to another room between two messages, in both directions at once', (t) => {
  const { world, alice, bob, carol } = scene();
  t.equal(ask(alice, 'room.move', { room: 'annex' }), 'moving');
  t.same(alice.heard(), ['switch.propose 1']);
  bob.send('not for her any more');
  carol.send('not for her yet');
  world.scheduler.tick();
  t.equal(ask(alice, 'switch.propose', half(2)), 'switch_pending', 'the first half comes first');
  t.equal(ask(alice, 'switch.ack', { id: '1' }), 'acknowledged');
  t.equal(ask(alice, 'switch.propose', half(2)), 'acknowledged');
  alice.send('to the harbour');
  alice.send('to the annex');
  carol.send('for her');
  world.scheduler.tick();
  t.same(alice.heard(), ['switch.done 2', 'pipe.dropped 0 1', 'switch.done 1', 'room.moved']);
  t.same(alice.received, ['text for her']);
  t.same(bob.received, ['text to the harbour']);
  t.same(carol.received, ['text to the annex']);
  t.equal(roomOf(alice), 'annex');
  t.end();
});

void t.test('a session without a pipe is moved at once', (t) => {
  const { world, bob, carol } = scene();
  const dave = world.member({ account: 'dave', room: 'harbour' });
  dave.sibling.bind(dave.grant);
  dave.heard();
  t.match(dave.sibling.call('room.move', { room: 'annex' }), {
    result: { moveId: '1', status: 'moved', room: 'annex' },
  });
  t.same(dave.heard(), ['room.moved']);
  dave.open();
  bob.send('elsewhere');
  carol.send('here');
  world.scheduler.tick();
  t.same(dave.received, ['text here']);
  t.end();
});

void t.test('who does not agree stays, and has what was held', (t) => {
  const { world, alice, bob } = scene({ annex: { limits: { maxMembers: 2 } } });
  ask(alice, 'room.move', { room: 'annex' });
  bob.send('held');
  world.scheduler.tick();
  t.equal(world.refusal({ account: 'dave', room: 'annex' }), 'room_full', 'her place is kept');
  t.equal(ask(alice, 'switch.refuse', { id: '1' }), 'refused');
  t.same(alice.received, ['text held']);
  t.equal(world.refusal({ account: 'dave', room: 'annex' }), undefined);
  t.equal(ask(alice, 'room.move', { room: 'annex' }), 'room_full');
  t.equal(ask(alice, 'switch.propose', half(1)), 'switch_unknown');
  t.end();
});

for (const [name, steps] of [
  ['answers nothing', []],
  ['agrees to one half and proposes no other', ['switch.ack']],
] as const) {
  void t.test(`the server gives up on a client that ${name}, and writes on when that is acknowledged`, (t) => {
    const { world, alice, bob } = scene({ annex: { limits: { maxMembers: 2 } } });
    ask(alice, 'room.move', { room: 'annex' });
    for (const method of steps) ask(alice, method, { id: '1' });
    alice.heard();
    bob.send('held');
    world.clock.advance(5000);
    t.same(alice.heard(), ['switch.abort 1 timeout']);
    t.equal(world.refusal({ account: 'dave', room: 'annex' }), undefined, 'the place is free');
    t.equal(ask(alice, 'switch.propose', half(1)), 'switch_unknown');
    t.equal(ask(alice, 'switch.ack', { id: '1' }), 'aborting');
    t.same(alice.received, []);
    t.equal(ask(alice, 'switch.abortAck', { id: '1' }), 'aborted');
    t.same(alice.received, ['text held']);
    t.equal(roomOf(alice), 'harbour');
    t.end();
  });
}

void t.test('calling one half off calls the other one off, and leaves a later move alone', (t) => {
  const { alice } = scene();
  over(alice, 2);
  t.equal(ask(alice, 'switch.abort', { id: 'half-1-2' }), 'aborted');
  t.same(alice.heard(), ['switch.propose 1', 'switch.abort 2 called_off', 'switch.abort 1 called_off']);
  t.equal(ask(alice, 'room.move', { room: 'annex' }), 'switch_pending');
  t.equal(ask(alice, 'switch.abortAck', { id: '1' }), 'aborted');
  t.equal(ask(alice, 'room.move', { room: 'annex' }), 'moving');
  t.equal(ask(alice, 'switch.ack', { id: '2' }), 'acknowledged');
  t.equal(ask(alice, 'switch.abort', { id: 'half-1-2' }), 'aborted');
  t.equal(ask(alice, 'switch.propose', half(1, '2')), 'acknowledged');
  t.equal(roomOf(alice), 'annex', 'with nothing to send she need not wait');
  t.equal(ask(alice, 'switch.abort', { id: 'half-2-1' }), 'switch_too_late');
  t.end();
});

void t.test('no other switch is opened while a move is, and no move while another switch is', (t) => {
  const { alice } = scene();
  ask(alice, 'room.move', { room: 'annex' });
  const json = { id: 'json', dir: 'c2s', at: { epoch: 1, n: 5 }, set: { format: 'json' } };
  t.equal(ask(alice, 'switch.propose', json), 'switch_pending');
  t.equal(ask(alice, 'switch.request', { dir: 's2c', set: { format: 'json' } }), 'switch_pending');
  ask(alice, 'switch.refuse', { id: '1' });
  t.equal(ask(alice, 'switch.propose', json), 'acknowledged');
  t.equal(ask(alice, 'room.move', { room: 'annex' }), 'switch_pending');
  t.end();
});

void t.test('the end of the pipe before the crossing leaves the session where it was', (t) => {
  const { world, alice, bob } = scene({ annex: { limits: { maxMembers: 2 } } });
  over(alice, 2);
  alice.heard();
  bob.send('held');
  world.scheduler.tick();
  alice.source.ended('lost');
  t.same(alice.heard().slice(0, 2), ['switch.abort 2 pipe_ended', 'switch.abort 1 pipe_ended']);
  t.equal(roomOf(alice), 'harbour');
  t.same(alice.received, []);
  t.equal(world.refusal({ account: 'dave', room: 'annex' }), undefined);
  t.end();
});

void t.test('a room that is closed lets nobody in: who may have crossed begins with another pipe', (t) => {
  for (const [steps, heard, cause] of [
    [[], 'switch.abort 1 called_off', null],
    [['switch.ack'], 'switch.abort 1 called_off', null],
    [['switch.ack', 'switch.propose'], 'switch.abort 2 pipe_ended', 'move_failed'],
  ] as const) {
    const { alice, carol } = scene();
    ask(alice, 'room.move', { room: 'annex' });
    for (const method of steps) ask(alice, method, method === 'switch.ack' ? { id: '1' } : half(2));
    alice.heard();
    t.match(carol.sibling.call('room.close', {}), { result: { sessions: 1 } });
    t.equal(alice.heard()[0], heard);
    t.equal(alice.sink.closedWith, cause);
    t.equal(roomOf(alice), 'harbour');
  }
  t.end();
});

void t.test('a place that is kept keeps a room, and the last to give it back ends it', (t) => {
  const { world, alice, carol } = scene();
  ask(alice, 'room.move', { room: 'annex' });
  carol.sibling.cut();
  carol.source.ended('lost');
  world.clock.advance(10);
  t.match(alice.sibling.call('room.describe', { room: 'annex' }), { result: { members: 0 } });
  alice.source.ended('lost');
  t.equal(ask(alice, 'room.describe', { room: 'annex' }), 'room_not_found');
  t.end();
});

void t.test('a room that waits for its first member goes on waiting when a place in it is given back', (t) => {
  const { world, alice } = scene();
  alice.sibling.call('room.create', { room: 'den' });
  ask(alice, 'room.move', { room: 'den' });
  ask(alice, 'switch.refuse', { id: '1' });
  t.match(alice.sibling.call('room.describe', { room: 'den' }), { result: { members: 0 } });
  world.clock.advance(30_000);
  t.equal(ask(alice, 'room.describe', { room: 'den' }), 'room_not_found');
  t.end();
});

void t.test('marks that were promised are told where the ways part', (t) => {
  const { world, alice, bob, carol } = scene();
  bob.send('one');
  world.scheduler.tick();
  bob.sibling.call('stream.end', { inMs: 60_000 });
  alice.sibling.call('stream.end', { inMs: 50_000 });
  for (const member of [alice, bob]) member.sibling.events();
  over(alice);
  t.same(alice.heard(), ['switch.propose 2', 'switch.done 1', 'switch.done 2', 'pipe.mark 1', 'room.moved']);
  t.same(bob.heard(), ['pipe.mark 0']);
  t.match(alice.sibling.call('pipe.state', {}), { result: { state: { endings: undefined } } });
  world.clock.advance(50_000);
  t.same(alice.heard(), ['pipe.ended 0 stream_ended', 'pipe.ended 1 stream_ended'], 'her end comes all the same');
  world.clock.advance(10_000);
  t.same([...alice.heard(), ...carol.heard()], [], 'and his is no news to her');
  t.end();
});

void t.test('the owner who moves has left, and presence tells it on both sides', (t) => {
  const world = new World();
  const alice = world.join({ room: 'harbour', create: { ownerLeaves: 'handover' } });
  const bob = world.join({ account: 'bob', room: 'harbour' });
  const carol = world.join({ account: 'carol', room: 'annex', create: {} });
  for (const member of [alice, bob, carol]) {
    member.sibling.call('subscribe', { events: ['room.member'] });
    member.sibling.events();
  }
  over(alice);
  const told = (member: Member): unknown[] =>
    member.sibling.events().map(({ method, params }) => params?.['change'] ?? params?.['owned'] ?? method);
  t.same(told(bob), ['left', true]);
  t.same(told(carol), ['joined']);
  t.same(told(alice), ['switch.propose', 'switch.done', 'switch.done', false, 'joined']);
  t.end();
});

void t.test('the limits and the rate are those of the room that a message goes to', (t) => {
  const { world, alice, carol } = scene({
    harbour: { limits: { messagesPerSecond: 1 } },
    annex: { limits: { maxMessageBytes: 4 } },
  });
  alice.send('12345');
  alice.send('one too many');
  over(alice, 3);
  alice.send('12345');
  for (let n = 0; n < 3; n++) alice.send('1234');
  world.scheduler.tick();
  t.same(
    alice.heard().filter((event) => event.startsWith('pipe.refused')),
    ['pipe.refused 2 rate_limited', 'pipe.refused 3 message_too_large'],
  );
  t.equal(carol.received.length, 3);
  t.match(alice.sibling.call('pipe.state', {}), {
    result: { state: { limits: { maxMessageBytes: 4, messagesPerSecond: undefined } } },
  });
  t.end();
});

void t.test('who leaves a room that is held up is read from again, and no longer holds it up', (t) => {
  const { world, alice, bob } = scene({ harbour: { slowConsumer: 'block', limits: { maxQueuedMessages: 1 } } });
  ask(alice, 'room.move', { room: 'annex' });
  for (const text of ['one', 'two']) bob.send(text);
  world.scheduler.tick();
  t.same([alice.sink.listening, bob.sink.listening], [false, false], 'she holds the harbour up');
  ask(alice, 'switch.ack', { id: '1' });
  ask(alice, 'switch.propose', half(1));
  t.same([alice.sink.listening, bob.sink.listening], [true, true]);
  t.end();
});

void t.test('a server that stops calls a move off, so that what was held can be written', (t) => {
  const { world, alice, bob } = scene();
  ask(alice, 'room.move', { room: 'annex' });
  bob.send('held');
  world.scheduler.tick();
  alice.heard();
  world.router.drain({ deadlineMs: 1000, reconnectAfterMs: 1 });
  t.same(alice.heard(), ['server.draining', 'switch.abort 1 called_off']);
  t.equal(ask(alice, 'switch.abortAck', { id: '1' }), 'aborted');
  t.same(alice.received, ['text held']);
  t.end();
});

void t.test('a move may wait for a message, and is asked for once', (t) => {
  const { world, alice } = scene();
  const asked = { room: 'annex', after: { epoch: 1, n: 1 }, op: 'go' };
  t.equal(alice.sibling.call('room.move', asked), undefined);
  alice.send('one');
  world.scheduler.tick();
  const told = { result: { moveId: '1', status: 'moving', at: { n: 1 } } };
  t.match(alice.sibling.call('room.move', asked), told);
  t.equal(ask(alice, 'switch.refuse', { id: '1' }), 'refused');
  t.match(alice.sibling.call('room.move', asked), told, 'a repeat is no second one');
  t.end();
});
