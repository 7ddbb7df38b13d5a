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
