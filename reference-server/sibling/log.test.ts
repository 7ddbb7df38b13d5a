import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import type { RequestedLimits } from '../../generated/types.js';
import { EventRing } from '../router/event-log.js';
import type { FromServer, MemorySibling } from '../testing/memory.js';
import { holds } from '../testing/property.js';
import { type Member, World } from '../testing/world.js';

/** A session without the scope to send: each message that it sends makes one event. */
function talker(limits: RequestedLimits = {}): { world: World; member: Member } {
  const world = new World();
  const member = world.member({ scopes: ['receive'], limits });
  member.open(); // event 1
  return { world, member };
}

function happen(member: Member, times: number): void {
  for (let n = 0; n < times; n++) member.send('');
}

/** Numbers of the events since the last look; those of a gap with a bar, replays with a star. */
function seqs(sibling: MemorySibling): string[] {
  const name = ({ method, params = {} }: FromServer): string => {
    if (method === 'sibling.gap') return `${String(params.from)}|${String(params.to)}`;
    return `${String(params.seq)}${params.replay ? '*' : ''}`;
  };
  return sibling
    .events()
    .filter(({ method }) => method !== 'sibling.hello')
    .map(name);
}

interface ResumeRow {
  readonly what: string;
  readonly acked?: number;
  readonly bind: { lastSeq?: number; eventEpoch?: string };
  readonly gap: { from: number; to: number } | null;
  readonly replayed: string[];
}

/** Nine events of which the ring keeps four, 6 to 9. */
const RESUMES: readonly ResumeRow[] = [
  { what: 'the whole past', bind: {}, gap: { from: 1, to: 5 }, replayed: ['6*', '7*', '8*', '9*'] },
  {
    what: 'from inside what is lost',
    bind: { lastSeq: 2 },
    gap: { from: 3, to: 5 },
    replayed: ['6*', '7*', '8*', '9*'],
  },
  { what: 'from its edge', bind: { lastSeq: 5 }, gap: null, replayed: ['6*', '7*', '8*', '9*'] },
  { what: 'from inside what is there', bind: { lastSeq: 7 }, gap: null, replayed: ['8*', '9*'] },
  { what: 'from the head', bind: { lastSeq: 9 }, gap: null, replayed: [] },
  { what: 'from beyond the head', bind: { lastSeq: 10 }, gap: { from: 1, to: 9 }, replayed: [] },
  { what: 'the same life', bind: { lastSeq: 8, eventEpoch: 'epoch-1' }, gap: null, replayed: ['9*'] },
  { what: 'another life', bind: { lastSeq: 8, eventEpoch: 'epoch-0' }, gap: { from: 1, to: 9 }, replayed: [] },
  {
    what: 'what was acknowledged is no gap',
    acked: 3,
    bind: { lastSeq: 1 },
    gap: { from: 4, to: 5 },
    replayed: ['6*', '7*', '8*', '9*'],
  },
  { what: 'nor replayed', acked: 7, bind: {}, gap: null, replayed: ['8*', '9*'] },
  { what: 'everything acknowledged', acked: 9, bind: {}, gap: null, replayed: [] },
];

void t.test('a bind says what is lost, and replays what is there', (t) => {
  for (const { what, acked, bind, gap, replayed } of RESUMES) {
    const { world, member } = talker({ ringEvents: 4 });
    member.sibling.bind(member.grant);
    happen(member, 8);
    if (acked !== undefined) {
      const oldestSeq = Math.max(6, acked + 1);
      t.same(member.sibling.call('sibling.ack', { seq: acked })?.result, { oldestSeq }, `${what}: acknowledged`);
    }
    const sibling = world.sibling();
    const result = sibling.bind(member.grant, bind)?.result;
    t.match(result, { generation: 2, eventEpoch: 'epoch-1', headSeq: 9, state: { pipe: { c2s: { n: 8 } } } }, what);
    t.same(result?.gap, gap, `${what}: gap`);
    t.same(seqs(sibling), replayed, `${what}: replayed`);
    const order = sibling.sent.map(({ id, params }) => (id === undefined ? params?.seq : 'reply'));
    t.equal(order[1], 'reply', `${what}: the reply goes before the replay`);
    happen(member, 1);
    t.same(seqs(sibling), ['10'], `${what}: live events follow`);
  }
  t.end();
});

void t.test('before anything happened there is nothing to lose', (t) => {
  const world = new World();
  const { grant, sibling } = world.member();
  t.match(sibling.bind(grant, { eventEpoch: 'other', lastSeq: 7 })?.result, { headSeq: 0, oldestSeq: 1, gap: null });
  t.end();
});

void t.test('acknowledging is idempotent, and never goes beyond the head', (t) => {
  const { member } = talker();
  member.sibling.bind(member.grant);
  happen(member, 2);
  t.same(member.sibling.call('sibling.ack', { seq: 2 })?.result, { oldestSeq: 3 });
  t.same(member.sibling.call('sibling.ack', { seq: 2 })?.result, { oldestSeq: 3 });
  t.same(member.sibling.call('sibling.ack', { seq: 0 })?.result, { oldestSeq: 3 });
  t.match(member.sibling.call('sibling.ack', { seq: 4 })?.error, { data: { name: 'invalid_params', pointer: '/seq' } });
  t.same(member.sibling.call('sibling.ack', { seq: 3 })?.result, { oldestSeq: 4 });
  t.end();
});

void t.test('an event that alone exceeds the ring is sent, and not retained', (t) => {
  const { world, member } = talker({ ringBytes: 1 });
  member.sibling.bind(member.grant, { lastSeq: 1 });
  happen(member, 2);
  t.same(seqs(member.sibling), ['2', '3']);
  const sibling = world.sibling();
  t.match(sibling.bind(member.grant, { lastSeq: 2 })?.result, { headSeq: 3, oldestSeq: 4, gap: { from: 3, to: 3 } });
  t.same(seqs(sibling), []);
  t.end();
});

void t.test('a sibling that does not read gets what the ring still has, behind a gap for the rest', (t) => {
  const { member } = talker({ ringEvents: 3, siblingQueuedBytes: 1024 });
  const { sibling } = member;
  sibling.bind(member.grant, { lastSeq: 1 });
  sibling.stalled = true;
  happen(member, 50);
  const sent = seqs(sibling);
  t.ok(sent.length > 2 && sent.length < 20, `no more than the limit is queued: ${String(sent.length)}`);
  t.equal(sibling.call('pipe.state'), undefined, 'nor is any call answered');
  t.equal(sibling.open, false, 'nor is any more read');
  sibling.resume();
  t.equal(sibling.open, true);
  t.same(seqs(sibling), [`${String(sent.length + 2)}|48`, '49*', '50*', '51*']);
  t.match(sibling.sent.find(({ method }) => method === 'sibling.gap')?.params, { state: { pipe: { c2s: { n: 50 } } } });
  t.ok(sibling.replyTo(sibling.lastId)?.result, 'the call has its answer behind the events that were there before');
  t.equal(sibling.sent.at(-1)?.id, sibling.lastId);
  happen(member, 1);
  t.same(seqs(sibling), ['52']);
  t.end();
});

void t.test('an acknowledgement that overtakes the writing is no gap', (t) => {
  const { world, member } = talker({ siblingQueuedBytes: 1024 });
  const { sibling } = member;
  sibling.bind(member.grant, { lastSeq: 1 });
  sibling.stalled = true;
  happen(member, 30);
  const last = Number(seqs(sibling).at(-1));
  sibling.connection.receive(JSON.stringify({ jsonrpc: '2.0', method: 'sibling.ack', params: { seq: last + 5 } }));
  sibling.resume();
  t.equal(seqs(sibling)[0], String(last + 6));
  t.equal(world.router.sessions, 1);
  t.end();
});

void t.test('the ring keeps its promises whatever is appended and acknowledged', (t) => {
  const step = fc.oneof(
    fc.record({ append: fc.string({ maxLength: 40, unit: 'grapheme' }) }),
    fc.record({ ack: fc.double({ min: 0, max: 1.2, noNaN: true }) }),
  );
  const retention = fc.record({ events: fc.integer({ min: 1, max: 6 }), bytes: fc.integer({ min: 1, max: 400 }) });
  holds(
    t,
    fc.property(retention, fc.array(step, { maxLength: 40 }), (limit, steps) => {
      const ring = new EventRing(limit);
      const texts: string[] = [];
      let acked = 0;
      for (const each of steps) {
        const before = ring.oldestSeq;
        if ('append' in each) {
          ring.append('an.event', { text: each.append });
          const params = { seq: ring.headSeq, text: each.append };
          texts.push(JSON.stringify({ jsonrpc: '2.0', method: 'an.event', params }));
        } else {
          const seq = Math.floor(each.ack * (texts.length + 1));
          assert.equal(ring.ack(seq), seq <= texts.length);
          if (seq <= texts.length) acked = Math.max(acked, seq);
        }
        const kept = texts.slice(ring.oldestSeq - 1);
        const bytes = kept.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
        assert.equal(ring.headSeq, texts.length);
        assert.equal(ring.ackedSeq, acked);
        assert.ok(ring.oldestSeq >= before && ring.oldestSeq > acked && ring.oldestSeq <= texts.length + 1);
        assert.ok(kept.length <= limit.events && bytes <= limit.bytes, 'within both limits');
        kept.forEach((text, index) => {
          const event = ring.at(ring.oldestSeq + index);
          assert.equal(JSON.stringify({ jsonrpc: '2.0', method: event?.method, params: event?.params }), text);
        });
        const oldest = ring.oldestSeq - 1;
        if (oldest > acked) {
          const more = texts.slice(oldest - 1).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
          const forgotten = before === ring.oldestSeq || kept.length + 1 > limit.events || more > limit.bytes;
          assert.ok(forgotten, 'nothing is dropped without need');
        }
      }
    }),
    200,
  );
  t.end();
});

void t.test('however it sleeps, stalls and acknowledges, a client hears every number once, or of its loss', (t) => {
  const step = fc.constantFrom('happen', 'happen', 'many', 'stall', 'resume', 'cut', 'ack', 'call');
  holds(
    t,
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(step, { maxLength: 40 }), (ringEvents, steps) => {
      const { world, member } = talker({ ringEvents, siblingQueuedBytes: 1024 });
      let sibling = member.sibling;
      let last = 0;
      let asked = 0;
      const hear = (): void => {
        for (const { method, params = {} } of sibling.events()) {
          if (method === 'sibling.gap') {
            assert.equal(params.from, last + 1);
            last = params.to as number;
          } else if (method !== 'sibling.hello') {
            assert.equal(params.seq, last + 1);
            last = params.seq;
          }
        }
        const replies = sibling.sent.filter(({ id }) => typeof id === 'number').map(({ id }) => id);
        assert.deepEqual(
          replies,
          replies.map((_id, index) => index + 1),
          'replies are in the order of the calls',
        );
      };
      const bind = (): void => {
        const result = sibling.bind(member.grant, { lastSeq: last })?.result;
        const gap = result?.gap as { from: number; to: number } | null;
        if (gap) {
          assert.equal(gap.from, last + 1);
          last = gap.to;
        }
        hear();
      };
      bind();
      for (const each of steps) {
        if (each === 'happen') happen(member, 1);
        else if (each === 'many') happen(member, 9);
        else if (each === 'stall') sibling.stalled = true;
        else if (each === 'resume') sibling.resume();
        else if (each === 'ack') sibling.call('sibling.ack', { seq: last });
        else if (each === 'call') sibling.call('pipe.state');
        else {
          hear();
          sibling.cut();
          sibling = world.sibling();
          bind();
        }
        asked++;
        hear();
      }
      sibling.resume();
      hear();
      assert.equal(asked, steps.length);
      const state = sibling.call('pipe.state')?.result;
      assert.equal(state?.headSeq, last, 'at last it is up to date');
    }),
    120,
  );
  t.end();
});
