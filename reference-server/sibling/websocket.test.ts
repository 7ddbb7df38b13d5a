import t from 'tap';
import type { Grant } from '../../generated/types.js';
import { PIPE, Stage, bindAfter, opened, pipeHeaders } from '../testing/stage.js';
import { until } from '../testing/until.js';
import { type Frame, OPCODE, type WebSocketClient, closeFrame } from '../testing/web-socket.js';

const text = (payload: string | Buffer, more: Partial<Frame> = {}): Frame => ({
  opcode: OPCODE.text,
  payload: Buffer.from(payload),
  ...more,
});

async function boundSibling(stage: Stage): Promise<{ client: WebSocketClient; grant: Grant }> {
  const { grant } = stage.world.member();
  return { grant, client: await stage.sibling(grant) };
}

interface Row {
  readonly what: string;
  readonly frames: readonly Frame[];
  readonly code: number;
}

const ROWS: readonly Row[] = [
  { what: 'a binary message', frames: [{ opcode: OPCODE.binary, payload: Buffer.from('{}') }], code: 1003 },
  { what: 'an empty binary message', frames: [{ opcode: OPCODE.binary }], code: 1003 },
  { what: 'one byte too many', frames: [text('x'.repeat(65_537))], code: 1009 },
  {
    what: 'too many in fragments',
    frames: [text('x'.repeat(65_000), { fin: false }), { opcode: OPCODE.continuation, payload: Buffer.alloc(537) }],
    code: 1009,
  },
  { what: 'half a character', frames: [text(Buffer.from([0xe2, 0x82]))], code: 1007 },
  { what: 'no mask', frames: [text('{}', { masked: false })], code: 1002 },
  { what: 'a reserved bit', frames: [text('{}', { reserved: 4 })], code: 1002 },
];

void t.test(
  'what breaks the rules closes the sibling, before and after the bind, and nothing behind it counts',
  async (t) => {
    for (const { what, frames, code } of ROWS) {
      const stage = new Stage();
      const { client, grant } = await boundSibling(stage);
      const pipe = await stage.openPipe(grant.pipeTicket);
      const unbound = await stage.sibling();
      for (const sibling of [client, unbound]) sibling.send(...frames);
      client.call(1, 'pipe.close');
      t.same([await client.closed(), await unbound.closed()], [code, code], what);
      const again = await stage.sibling(grant);
      const [opened] = [await again.json()];
      t.match(opened, { method: 'pipe.opened', params: { replay: true } }, `${what}: the pipe never noticed`);
      pipe.send(closeFrame(1000));
      t.match(await again.json(), { method: 'pipe.ended', params: { cause: 'closed_by_peer' } }, what);
    }
  },
);

void t.test('a message may be as long as the limit, and after the bind the limit is that of the session', async (t) => {
  const stage = new Stage();
  const { grant } = stage.world.member({ limits: { siblingMessageBytes: 1024 } });
  const client = await stage.sibling();
  const call = '{"jsonrpc":"2.0","id":1,"method":"fence"}';
  client.text(call.padEnd(65_536));
  t.match(await client.json(), { error: { data: { name: 'not_bound' } } });
  const sibling = await stage.sibling(grant);
  sibling.text(call.padEnd(1024));
  t.match(await sibling.json(), { result: { epoch: 0 } });
  sibling.text(call.padEnd(1025));
  t.equal(await sibling.closed(), 1009);
});

void t.test('a sibling that is silent is pinged after the time that its session asked for, and given up', async (t) => {
  const stage = new Stage();
  const { clock, limits } = stage.world;
  const { grant } = stage.world.member({ limits: { keepaliveMs: 100 } });
  const client = await stage.sibling(grant);
  clock.advance(100);
  t.equal((await client.next())?.opcode, OPCODE.ping);
  client.send({ opcode: OPCODE.pong });
  await until(() => client.socket.writableLength === 0);
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(100);
  t.equal((await client.next())?.opcode, OPCODE.ping);
  clock.advance(100);
  t.equal(await client.closed(), 4010);
  const idle = await stage.sibling();
  clock.advance(limits.bindMs - 1);
  idle.call(1, 'fence');
  t.match(await idle.json(), { error: { data: { name: 'not_bound' } } });
  clock.advance(1);
  t.equal(await idle.closed(), 4408, 'whatever it says, it has to bind in time');
});

void t.test('a sibling that stops reading is held to its queue, and gets everything else once it reads', async (t) => {
  for (const siblingQueuedBytes of [1024, 65_536]) {
    const stage = new Stage();
    const { grant } = stage.world.member({ scopes: ['receive'], limits: { ringEvents: 50, siblingQueuedBytes } });
    const client = await stage.sibling(grant);
    const pipe = await stage.openPipe(grant.pipeTicket);
    client.socket.pause();
    const count = 2000;
    for (let n = 0; n < count; n++) pipe.text('');
    for (let n = 0; n < 40; n++) client.call(n, 'pipe.state');
    pipe.send(closeFrame(1000));
    t.equal(await pipe.closed(), 1000, 'the pipe goes its way');
    client.socket.resume();
    const seen: number[] = [];
    const replies: unknown[] = [];
    let gaps = 0;
    while (replies.length < 40 || seen.at(-1) !== count + 3) {
      const { id, method, params } = (await client.json()) as {
        id?: number;
        method?: string;
        params?: { seq: number; from: number; to: number };
      };
      if (method === 'sibling.gap' && params) {
        gaps++;
        for (let seq = params.from; seq <= params.to; seq++) seen.push(seq);
      } else if (params) seen.push(params.seq);
      else replies.push(id);
    }
    t.same(
      replies,
      Array.from({ length: 40 }, (_, n) => n),
      'replies in order',
    );
    t.same(
      seen,
      Array.from({ length: count + 3 }, (_, n) => n + 1),
      'each number heard, or heard to be lost',
    );
    t.ok(gaps >= 1, 'what the ring let go is said');
  }
});

void t.test('a client with one connection can do everything', async (t) => {
  const stage = new Stage();
  const client = await stage.sibling();
  client.send(closeFrame(1000));
  t.equal(await client.closed(), 1000);
  const headers = { 'sec-websocket-protocol': 'chat, porthouse.sibling.v1' };
  const sibling = opened(await stage.upgrade({ path: '/sibling', headers }));
  const { params } = (await sibling.json()) as { params: { nonce: string } };
  const create = { room: 'mine', create: {}, transport: 'websocket' };
  sibling.call('a', 'session.create', { ...create, token: 'bad' });
  sibling.call('b', 'session.create', create);
  sibling.call('c', 'session.create', { ...create, token: 'dev.alice', room: 'Bad' });
  sibling.call('d', 'session.create', { ...create, token: 'dev.alice' });
  sibling.call('e', 'session.create', { ...create, token: 'dev.alice', room: 'other' });
  const names = [];
  for (let n = 0; n < 3; n++) names.push(((await sibling.json()) as { error: { data: unknown } }).error.data);
  t.same(names, [
    { name: 'unauthenticated' },
    { name: 'unauthenticated' },
    { name: 'invalid_params', pointer: '/room' },
  ]);
  const { id, result: grant } = (await sibling.json()) as { id: string; result: Grant };
  t.match({ id, grant }, { id: 'd', grant: { room: 'mine' } });
  t.match(await sibling.json(), { id: 'e', error: { data: { name: 'invalid_request' } } });
  await bindAfter(sibling, grant, params);
  t.ok(opened(await stage.upgrade({ path: PIPE, headers: pipeHeaders(grant.pipeTicket) })));
  t.match(await sibling.json(), { method: 'pipe.opened', params: { room: 'mine' } });
});

void t.test('a server that drains tells bound siblings, and closes the others too', async (t) => {
  const stage = new Stage();
  const { client } = await boundSibling(stage);
  const unbound = await stage.sibling();
  stage.world.router.drain({ deadlineMs: 10, reconnectAfterMs: 20 });
  stage.siblings.drain();
  t.match(await client.json(), { method: 'server.draining', params: { deadlineMs: 10, reconnectAfterMs: 20 } });
  t.same([await client.closed(), await unbound.closed()], [4009, 4009]);
});
