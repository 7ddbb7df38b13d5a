import t from 'tap';
import { at, room } from '../testing/world.js';

const json = { format: 'json' } as const;

function proposal(id: string, n: number, epoch = 1): Record<string, unknown> {
  return { id, dir: 'c2s', at: { epoch, n }, set: json };
}

void t.test('what the client sends is switched at the message that was agreed on', (t) => {
  const { world, members } = room({});
  const [alice, bob] = [at(members, 0), at(members, 1)];
  t.match(alice.sibling.call('switch.propose', proposal('a', 2)), { result: { status: 'acknowledged', at: { n: 2 } } });
  for (const text of ['one', '{}', 'three']) alice.send(text);
  world.scheduler.tick();
  t.same(alice.heard(), ['switch.done 2', 'pipe.refused 3 format_mismatch']);
  t.same(bob.received, ['text one', 'json {}']);
  t.end();
});

void t.test('the crossing is told behind what the messages before it have to say', (t) => {
  const { world, members } = room({ format: 'any' }, [{}, { receive: ['json'] }]);
  const [alice, bob] = [at(members, 0), at(members, 1)];
  alice.sibling.call('switch.propose', proposal('a', 2));
  alice.send('one');
  alice.send('{}');
  world.scheduler.tick();
  t.same(alice.heard(), ['pipe.undeliverable 1 undeliverable 1', 'switch.done 2']);
  t.same(bob.received.length, 1);
  t.end();
});

void t.test('the last 64 switches are remembered, and older ones are not', (t) => {
  const { members } = room({});
  const alice = at(members, 0);
  for (let index = 0; index < 65; index++) {
    alice.sibling.call('switch.propose', proposal(`s${String(index)}`, 1));
    alice.sibling.call('switch.abort', { id: `s${String(index)}` });
  }
  t.match(alice.sibling.call('switch.abort', { id: 's1' }), { result: { status: 'aborted' } });
  t.match(alice.sibling.call('switch.abort', { id: 's0' }), { error: { data: { name: 'switch_unknown' } } });
  t.end();
});

void t.test('to call off again what was called off leaves the next switch alone', (t) => {
  const { world, members } = room({});
  const [alice, bob] = [at(members, 0), at(members, 1)];
  alice.sibling.call('switch.propose', proposal('a', 1));
  alice.sibling.call('switch.abort', { id: 'a' });
  alice.sibling.call('switch.propose', proposal('b', 1));
  t.match(alice.sibling.call('switch.abort', { id: 'a' }), { result: { id: 'a', status: 'aborted' } });
  alice.send('{}');
  world.scheduler.tick();
  t.same(alice.heard(), ['switch.abort 1 called_off', 'switch.done 1']);
  t.same(bob.received, ['json {}']);
  t.end();
});

void t.test('what is held goes out under the settings that the answer decides', (t) => {
  const { world, members } = room({ onMismatch: 'convert' });
  const [alice, bob] = [at(members, 0), at(members, 1)];
  const request = { dir: 's2c', set: { format: 'binary' } };
  for (const [answer, kind] of [
    ['switch.refuse', 'text'],
    ['switch.ack', 'binary'],
  ] as const) {
    const id = String(bob.sibling.call('switch.request', request)?.result?.id);
    alice.send(answer);
    world.scheduler.tick();
    t.notMatch(bob.received.at(-1), answer, 'nothing is written while the switch is open');
    bob.sibling.call(answer, { id });
    t.equal(bob.received.at(-1), `${kind} ${answer}`);
  }
  t.end();
});

void t.test('the server gives up, waits for the acknowledgement of that, and then ends the pipe', (t) => {
  const { world, members } = room({ onMismatch: 'convert' });
  const [alice, bob] = [at(members, 0), at(members, 1)];
  bob.sibling.call('switch.request', { dir: 's2c', set: { format: 'binary' } });
  alice.send('held');
  world.scheduler.tick();
  bob.heard();
  world.clock.advance(4999);
  t.same(bob.heard(), []);
  world.clock.advance(1);
  t.same(bob.heard(), ['switch.abort 1 timeout']);
  t.match(bob.sibling.call('switch.ack', { id: '1' }), { result: { status: 'aborting' } });
  world.clock.advance(5000);
  t.same(bob.heard(), ['pipe.ended 0 switch_timeout', 'pipe.ended 0 switch_timeout']);
  t.same(bob.received, []);
  t.equal(bob.sink.closedWith, 'switch_timeout');
  t.end();
});
