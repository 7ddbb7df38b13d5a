import t from 'tap';
import type { Authenticator } from '../ports/access.js';
import { MemorySibling } from '../testing/memory.js';
import { World } from '../testing/world.js';

/** A bound member with an open pipe, and a second connection of the same services. */
function bound(): { world: World; member: ReturnType<World['join']>; sibling: MemorySibling } {
  const world = new World();
  const member = world.join();
  return { world, member, sibling: member.sibling };
}

interface TextRow {
  readonly text: string;
  readonly id?: unknown;
  readonly name?: string;
  readonly pointer?: string;
}

const deep = '['.repeat(30_000);
const CALL = '"jsonrpc":"2.0"';
const TEXTS: readonly TextRow[] = [
  { text: '', id: null, name: 'parse_error' },
  { text: '{', id: null, name: 'parse_error' },
  { text: '\ufeff{}', id: null, name: 'parse_error' },
  { text: deep, id: null, name: 'parse_error' },
  { text: deep + ']'.repeat(30_000), id: null, name: 'invalid_request' },
  { text: '[]', id: null, name: 'invalid_request' },
  { text: 'null', id: null, name: 'invalid_request' },
  { text: '7', id: null, name: 'invalid_request' },
  { text: '{"id":1,"method":"fence"}', id: 1, name: 'invalid_request' },
  { text: `{${CALL},"id":"a"}`, id: 'a', name: 'invalid_request' },
  { text: `{${CALL},"id":2,"method":null}`, id: 2, name: 'invalid_request' },
  { text: `{${CALL},"id":null,"method":"fence"}`, id: null, name: 'invalid_request' },
  { text: `{${CALL},"id":1.5,"method":"fence"}`, id: null, name: 'invalid_request' },
  { text: `{${CALL},"id":9007199254740992,"method":"fence"}`, id: null, name: 'invalid_request' },
  { text: `{${CALL},"id":1e999,"method":"fence"}`, id: null, name: 'invalid_request' },
  { text: `{${CALL},"id":{},"method":"fence"}`, id: null, name: 'invalid_request' },
  { text: `{${CALL},"id":"${'i'.repeat(129)}","method":"fence"}`, id: null, name: 'invalid_request' },
  { text: `{${CALL},"id":"${'i'.repeat(128)}","method":"fence"}`, id: 'i'.repeat(128) },
  { text: `{${CALL},"id":1.0,"method":"fence"}`, id: 1 },
  { text: `{${CALL},"id":-3,"method":"fence"}`, id: -3 },
  { text: `{${CALL},"id":"","method":"fence","junk":{}}`, id: '' },
  { text: `{${CALL},"id":4,"method":"nothing"}`, id: 4, name: 'method_not_found' },
  { text: `{${CALL},"id":5,"method":"__proto__"}`, id: 5, name: 'method_not_found' },
  { text: `{${CALL},"id":5,"method":"constructor"}`, id: 5, name: 'method_not_found' },
  { text: `{${CALL},"id":6,"method":"debug.level","params":{"level":"off"}}`, id: 6, name: 'forbidden' },
  { text: `{${CALL},"id":7,"method":"fence","params":null}`, id: 7, name: 'invalid_params', pointer: '' },
  { text: `{${CALL},"id":7,"method":"fence","params":[]}`, id: 7, name: 'invalid_params', pointer: '' },
  { text: `{${CALL},"id":7,"method":"fence","params":"x"}`, id: 7, name: 'invalid_params', pointer: '' },
  { text: `{${CALL},"id":8,"method":"sibling.ack"}`, id: 8, name: 'invalid_params', pointer: '/seq' },
  {
    text: `{${CALL},"id":8,"method":"sibling.ack","params":{"seq":9007199254740992}}`,
    id: 8,
    name: 'invalid_params',
    pointer: '/seq',
  },
  { text: `{${CALL},"id":9,"method":"fence","params":{"__proto__":{"after":1},"constructor":1}}`, id: 9 },
  {
    text: `{${CALL},"id":9,"method":"fence","params":{"after":{"epoch":1}}}`,
    id: 9,
    name: 'invalid_params',
    pointer: '/after/c2s',
  },
  { text: `{${CALL},"id":10,"method":"sibling.bind","params":{}}`, id: 10, name: 'already_bound' },
  { text: `{${CALL},"id":11,"method":"session.create","params":{}}`, id: 11, name: 'already_bound' },
  { text: `{${CALL},"id":12,"method":"fence","params":{"op":{}}}`, id: 12 },
  {
    text: `{${CALL},"id":13,"method":"sibling.stay","params":{"ms":0,"op":"sp ace"}}`,
    id: 13,
    name: 'invalid_params',
    pointer: '/op',
  },
];

void t.test('each text gets the answer that it deserves, and the connection lives', (t) => {
  const { sibling } = bound();
  for (const { text, id, name, pointer } of TEXTS) {
    sibling.connection.receive(text);
    const answer = sibling.sent.at(-1);
    const what = text.slice(0, 80);
    t.equal(answer?.id, id, what);
    t.equal(answer?.error?.data.name, name, what);
    t.equal(answer?.error?.data.pointer, pointer, what);
    t.notOk(answer?.error && answer.result, what);
  }
  t.equal(sibling.closedWith, null);
  const count = sibling.sent.length;
  sibling.connection.receive(`{${CALL},"method":"nothing"}`);
  sibling.connection.receive(`{${CALL},"method":"subscribe","params":{"events":["pipe.receipt"]}}`);
  t.equal(sibling.sent.length, count, 'what has no id is never answered');
  sibling.call('pipe.state');
  t.match(sibling.sent.at(-1)?.result, { state: { subscriptions: ['pipe.receipt'] } }, 'but carried out');
  t.end();
});

void t.test('no answer repeats what it was asked', (t) => {
  const { sibling } = bound();
  const secret = 'do-not-repeat-me';
  sibling.call(secret);
  sibling.call('subscribe', { events: [secret] });
  sibling.call('fence', { scope: secret });
  sibling.call('fence', { [secret]: 1, after: { [secret]: 1 } });
  sibling.connection.receive(secret);
  t.notMatch(JSON.stringify(sibling.sent), secret);
  t.end();
});

void t.test('before the bind there is nothing to be had', (t) => {
  const world = new World();
  const member = world.member();
  const { sibling, grant } = member;
  t.match(sibling.sent, [{ method: 'sibling.hello', params: { versions: [1], nonce: /^[\w-]{22}$/ } }]);
  t.equal(sibling.refusal('fence'), 'not_bound');
  t.equal(sibling.refusal('nothing'), 'not_bound');
  t.equal(sibling.refusal('sibling.bind', { sid: grant.sid }), 'invalid_params', 'which was no try');
  t.ok(sibling.bind(grant)?.result);
  const twin = world.sibling();
  t.not(twin.sent[0]?.params?.nonce, sibling.sent[0]?.params?.nonce);
  const late = world.sibling();
  world.clock.advance(world.limits.bindMs);
  t.same([late.closedWith, sibling.closedWith], ['4408 bind_timeout', null]);
  t.equal(late.bind(grant), undefined, 'too late');
  t.end();
});

void t.test('a refused bind tells nothing, and is the last thing that is heard', (t) => {
  const world = new World();
  const { grant } = world.member();
  const answers = [
    { ...grant, siblingSecret: grant.pipeTicket },
    { ...grant, siblingSecret: Buffer.alloc(32, 1).toString('base64url') },
    { ...grant, sid: `s_${'A'.repeat(22)}` },
  ].map((wrong) => {
    const sibling = world.sibling();
    const answer = sibling.bind(wrong);
    t.equal(sibling.closedWith, '4501 bind_refused');
    t.equal(sibling.bind(grant), undefined, 'not even a right one behind it');
    return JSON.stringify(answer?.error);
  });
  t.equal(new Set(answers).size, 1, 'the same, byte for byte');
  const swapped = world.sibling();
  t.equal(swapped.bind(grant, { channel: 'debug' })?.result?.channel, 'debug');
  const stranger = world.member({ account: null });
  t.equal(stranger.sibling.bind(stranger.grant, { channel: 'debug' })?.error?.data.name, 'forbidden');
  t.equal(stranger.sibling.closedWith, '4501 bind_refused');
  t.equal(world.sibling().bind(stranger.grant)?.result?.generation, 1);
  t.end();
});

void t.test('a takeover is the last thing that the old connection hears, and nothing that it says counts', (t) => {
  const { world, member, sibling } = bound();
  sibling.call('fence', { after: { epoch: 1, c2s: 1 } });
  sibling.call('pipe.close', { after: { epoch: 1, c2s: 1, n: 1 } });
  const heir = world.sibling();
  t.match(heir.bind(member.grant)?.result, { generation: 2, state: { siblings: { command: 2, debug: 0 } } });
  t.match(sibling.sent.at(-1), { method: 'sibling.replaced', params: { channel: 'command', generation: 2 } });
  t.equal(sibling.closedWith, '4503 replaced');
  const count = sibling.sent.length;
  sibling.call('pipe.close');
  sibling.call('subscribe', { events: ['pipe.receipt'] });
  member.send('reaches both waits');
  world.scheduler.tick();
  t.equal(sibling.sent.length, count);
  t.equal(member.sink.closedWith, null);
  t.match(heir.call('pipe.state')?.result, { state: { subscriptions: [], pipe: { status: 'open' } } });
  sibling.cut();
  t.ok(heir.call('fence')?.result, 'the end of the old one is nothing to the new one');
  const debug = world.sibling();
  t.match(debug.bind(member.grant, { channel: 'debug' })?.result, { generation: 1 });
  t.equal(heir.closedWith, null, 'the channels are taken one by one');
  t.end();
});

void t.test('calls behind a session.create wait for it, so that answers keep their order', async (t) => {
  const world = new World();
  const answer: { settle: (identity: { account: string } | null) => void } = { settle: () => undefined };
  const authenticator: Authenticator = { authenticate: () => new Promise((resolve) => (answer.settle = resolve)) };
  const sibling = new MemorySibling({ ...world.services, authenticator });
  const create = { room: 'lobby', transport: 'websocket', token: 'x' };
  t.equal(sibling.call('session.create', create), undefined);
  t.equal(sibling.open, false, 'and no more is read meanwhile');
  sibling.call('fence');
  sibling.call('session.create', create);
  sibling.call('pipe.state');
  answer.settle(null);
  await new Promise(setImmediate);
  t.same(sibling.sent.map(({ id, error }) => [id, error?.data.name]).slice(1), [
    [1, 'unauthenticated'],
    [2, 'not_bound'],
  ]);
  answer.settle({ account: 'alice' });
  await new Promise(setImmediate);
  t.same(sibling.sent.map(({ id }) => id).slice(3), [3, 4]);
  t.equal(sibling.open, true);
  t.equal(sibling.refusal('session.create', create), 'invalid_request', 'one grant for a connection');
  const grant = sibling.replyTo(3)?.result as unknown as Parameters<typeof sibling.bind>[0];
  t.ok(sibling.bind(grant)?.result);
  const leaver = new MemorySibling({ ...world.services, authenticator });
  leaver.call('session.create', create);
  leaver.cut();
  answer.settle({ account: 'alice' });
  await new Promise(setImmediate);
  t.equal(world.router.sessions, 1, 'who is gone gets no session');
});

void t.test('a fault of our own is answered as one, said to the operator, and ends nothing else', async (t) => {
  const world = new World();
  const faults: unknown[] = [];
  const authenticator: Authenticator = { authenticate: () => Promise.reject(new Error('no key')) };
  const grants = {
    grant: (): never => {
      throw new Error('no memory');
    },
  };
  const services = { ...world.services, onError: (error: unknown) => faults.push(error) };
  const sibling = new MemorySibling({ ...services, authenticator });
  sibling.call('session.create', { room: 'lobby', transport: 'websocket', token: 'x' });
  const other = new MemorySibling({ ...services, grants });
  other.call('session.create', { room: 'lobby', transport: 'websocket' });
  await new Promise(setImmediate);
  t.match(sibling.replyTo(1)?.error, { code: -32603, data: { name: 'internal_error' } });
  t.match(other.replyTo(1)?.error, { code: -32603 });
  t.equal(faults.length, 2);
  t.equal(sibling.refusal('fence'), 'not_bound');
});
