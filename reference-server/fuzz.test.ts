import assert from 'node:assert/strict';
import { once } from 'node:events';
import fc from 'fast-check';
import t from 'tap';
import type { Grant } from '../generated/types.js';
import { startServer } from './compose.js';
import { loadConfig } from './config/config.js';
import { Incoming } from './testing/bytes.js';
import { ask, dial, figureBecomes, requestText } from './testing/http.js';
import { holdsAsync } from './testing/property.js';
import { bind, opened, pipeHeaders } from './testing/stage.js';
import { type Frame, OPCODE, WebSocketClient, closeFrame, frame } from './testing/web-socket.js';

const SESSIONS = '/porthouse/v1/sessions';
const PIPE = '/porthouse/v1/pipe';
const SIBLING = '/porthouse/v1/sibling';
const JSON_TYPE = { 'content-type': 'application/json' };
const SIBLING_PROTOCOL = { 'sec-websocket-protocol': 'porthouse.sibling.v1' };

/** Short limits, so that what an attack leaves behind is over when the test looks. */
const LIMITS = { sessionLingerMs: 20, ticketMs: 2000, bindMs: 2000, maxStayMs: 20, fenceMs: 50, drainMs: 50 };

async function grantFrom(url: string, more: object = {}, token = 'dev.alice'): Promise<Grant> {
  const headers = { ...JSON_TYPE, authorization: `Bearer ${token}` };
  const body = JSON.stringify({ room: 'lobby', transport: 'websocket', ...more });
  const answer = await ask(url, { method: 'POST', path: SESSIONS, headers, body });
  if (answer.status !== 201) throw new Error(answer.body);
  return JSON.parse(answer.body) as Grant;
}

async function pipe(url: string, grant: Grant): Promise<WebSocketClient> {
  return opened(await WebSocketClient.open(dial(url), { path: PIPE, headers: pipeHeaders(grant.pipeTicket) }));
}

async function sibling(url: string, grant?: Grant): Promise<WebSocketClient> {
  const client = opened(await WebSocketClient.open(dial(url), { path: SIBLING, headers: SIBLING_PROTOCOL }));
  await bind(client, grant);
  return client;
}

/** Two members, a message, and their end. */
async function goodClientsAreServed(url: string): Promise<void> {
  const room = `r${String(Math.floor(performance.now() * 1000))}`;
  const [one, two] = [await grantFrom(url, { room, create: {} }), await grantFrom(url, { room })];
  const [from, to] = [await pipe(url, one), await pipe(url, two)];
  const beside = await sibling(url, one);
  from.text('ahoy');
  const [message] = await to.messages(1);
  if (message?.payload.toString() !== 'ahoy') throw new Error('not served');
  for (const client of [from, to, beside]) {
    client.send(closeFrame(1000));
    await client.closed();
  }
}

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
  fc.string({ maxLength: 200, unit: 'binary' }).map((text) => Buffer.from(text)),
);

const METHODS = [
  'sibling.bind',
  'sibling.ack',
  'sibling.stay',
  'session.create',
  'fence',
  'pipe.ticket',
  'pipe.close',
  'agent.command',
  'stream.end',
].concat(['pipe.state', 'subscribe', 'debug.level', '__proto__', 'toString', '']);
const number = fc.oneof(
  fc.integer({ min: -2, max: 5 }),
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom(2 ** 53, 1e308),
);
const fitting = {
  after: fc.record({ epoch: number, c2s: number, n: number }, { requiredKeys: [] }),
  scope: fc.constantFrom('session', 'room', 'mesh', 'x'),
  timeoutMs: number,
  transport: fc.constantFrom('websocket', 'tcp', '__proto__'),
  replace: fc.boolean(),
  op: fc.string({ maxLength: 70 }),
  events: fc.array(fc.constantFrom('pipe.receipt', 'pipe.manifest', '__proto__', '')),
  ms: number,
  seq: number,
  lastSeq: number,
  level: fc.constantFrom('off', 'info', 'trace', 'x'),
  sid: fc.constantFrom(`s_${'A'.repeat(22)}`, '__proto__', ''),
  channel: fc.constantFrom('command', 'debug', 'constructor'),
  cnonce: fc.constantFrom('A'.repeat(22), 'x'),
  mac: fc.constantFrom('A'.repeat(43), 'x'),
  room: fc.constantFrom('lobby', 'fresh', '__proto__', 'X'),
  create: fc.oneof(fc.constant({}), fc.jsonValue()),
  token: fc.constantFrom('dev.alice', 'x', ''),
  limits: fc.oneof(fc.record({ ringEvents: number, keepaliveMs: number, ticketMs: fc.constant(1) }), fc.jsonValue()),
  formats: fc.oneof(
    fc.record({ send: fc.subarray(['text', 'json']), receive: fc.subarray(['text', 'binary']) }),
    fc.jsonValue(),
  ),
  scopes: fc.subarray(['send', 'receive', 'debug', 'send', 'command']),
  to: fc.constantFrom('room', `s_${'A'.repeat(22)}`, '__proto__'),
  name: fc.constantFrom('zoom', '__proto__', '', 'two words'),
  body: fc.jsonValue(),
  inMs: number,
};
const anyField = Object.fromEntries(
  Object.entries(fitting).map(([name, fit]) => [
    name,
    fc.oneof({ weight: 4, arbitrary: fit }, { weight: 1, arbitrary: fc.jsonValue() }),
  ]),
);
const params = fc.oneof(
  { weight: 4, arbitrary: fc.record(anyField, { requiredKeys: [] }) },
  { weight: 1, arbitrary: fc.jsonValue() },
);
const id = fc.oneof(fc.integer(), fc.string(), fc.constantFrom(undefined, null, 1.5), fc.jsonValue());
const call = fc.record({
  jsonrpc: fc.constantFrom('2.0', '2.0', '2.0', '1.0'),
  id,
  method: fc.constantFrom(...METHODS),
  params,
});
const text = fc.oneof(
  { weight: 5, arbitrary: call.map((value) => Buffer.from(JSON.stringify(value))) },
  { weight: 1, arbitrary: fc.json().map((value) => Buffer.from(value)) },
  { weight: 1, arbitrary: bytes },
);
const anyFrame: fc.Arbitrary<Frame> = fc.record({
  fin: fc.boolean(),
  reserved: fc.constantFrom(0, 0, 0, 1, 4),
  opcode: fc.constantFrom(0, 1, 1, 2, 2, 8, 9, 10, 3, 15),
  payload: bytes,
  masked: fc.constantFrom(true, true, true, false),
});

type Attack =
  | { readonly on: 'http'; readonly bytes: Buffer }
  | { readonly on: 'sessions'; readonly bytes: Buffer }
  | { readonly on: 'unbound' | 'bound' | 'debug'; readonly texts: readonly Buffer[] }
  | { readonly on: 'pipe' | 'sibling bytes'; readonly bytes: Buffer };

const header = fc.tuple(
  fc.constantFrom(
    'host',
    'origin',
    'content-length',
    'transfer-encoding',
    'upgrade',
    'connection',
    'sec-websocket-key',
    'sec-websocket-protocol',
    'authorization',
    'content-type',
    'expect',
    'x',
  ),
  fc.oneof(
    fc.constantFrom(
      'localhost',
      '5',
      'chunked',
      'websocket',
      'Upgrade',
      'application/json',
      '100-continue',
      'Bearer x',
    ),
    fc.string({ maxLength: 30 }),
  ),
);
const request = fc
  .record({
    method: fc.constantFrom('GET', 'POST', 'HEAD', 'OPTIONS', 'CONNECT', 'PRI', 'X'),
    path: fc.oneof(
      fc.constantFrom('/', SESSIONS, PIPE, SIBLING, '/.well-known/porthouse', '*', 'http://x/'),
      fc.webPath(),
    ),
    headers: fc.array(header, { maxLength: 6 }),
    body: bytes,
  })
  .map(({ method, path, headers, body }) => {
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\nhost: localhost\r\n${lines}\r\n`), body]);
  });
const frames = fc.oneof(
  bytes,
  fc.array(anyFrame, { maxLength: 6 }).map((all) => Buffer.concat(all.map(frame))),
);
const sessionRequest = fc.record(anyField, { requiredKeys: ['room', 'transport'] });
const attack: fc.Arbitrary<Attack> = fc.oneof(
  fc.record({ on: fc.constant('http' as const), bytes: fc.oneof(bytes, request) }),
  fc.record({
    on: fc.constant('sessions' as const),
    bytes: fc.oneof(
      bytes,
      sessionRequest.map((value) => Buffer.from(JSON.stringify(value))),
    ),
  }),
  fc.record({
    on: fc.constantFrom('unbound' as const, 'bound' as const, 'debug' as const),
    texts: fc.array(text, { maxLength: 12 }),
  }),
  fc.record({ on: fc.constantFrom('pipe' as const, 'sibling bytes' as const), bytes: frames }),
);

/** Sends bytes, says that there will be no more, and waits for the server to end the connection. */
async function finish(socket: ReturnType<typeof dial>, incoming: Incoming, sent: Buffer): Promise<void> {
  socket.end(sent);
  await incoming.end;
  socket.destroy();
}

async function carryOut(url: string, what: Attack): Promise<void> {
  if (what.on === 'http') {
    const socket = dial(url);
    await finish(socket, new Incoming(socket), what.bytes);
  } else if (what.on === 'sessions') {
    await ask(url, {
      method: 'POST',
      path: SESSIONS,
      headers: { ...JSON_TYPE, authorization: 'Bearer dev.alice' },
      body: what.bytes,
    });
  } else if ('bytes' in what) {
    const client = what.on === 'pipe' ? await pipe(url, await grantFrom(url)) : await sibling(url);
    client.socket.end(what.bytes);
    await once(client.socket, 'close');
  } else {
    const client = await openedSibling(url, what.on);
    client.send(...what.texts.map((payload) => frame({ opcode: OPCODE.text, payload })));
    client.send(closeFrame(1000));
    await client.closed();
  }
}

async function openedSibling(url: string, on: 'unbound' | 'bound' | 'debug'): Promise<WebSocketClient> {
  if (on === 'unbound') return sibling(url);
  const client = opened(await WebSocketClient.open(dial(url), { path: SIBLING, headers: SIBLING_PROTOCOL }));
  await bind(client, await grantFrom(url), on === 'bound' ? 'command' : 'debug');
  return client;
}

void t.test(
  'whatever is sent to any entry point, the server lives, forgets it, and serves the next client',
  async (t) => {
    const config = loadConfig(undefined, { port: 0 });
    const server = await startServer({ ...config, logLevel: 'fatal', limits: { ...config.limits, ...LIMITS } });
    t.teardown(() => server.drain());
    const { url } = server;
    await holdsAsync(
      t,
      fc.asyncProperty(attack, async (what) => {
        await carryOut(url, what);
        const answer = await ask(url, { path: '/.well-known/porthouse' });
        assert.equal(answer.status, 200);
      }),
      150,
    );
    await goodClientsAreServed(url);
    t.equal(await figureBecomes(server.adminUrl, 'porthouse_sessions', 0), 0, 'no session is left');
    t.equal(await figureBecomes(server.adminUrl, 'porthouse_rooms', 1), 1, 'nor any room');
  },
);

void t.test('connections that break at any point leave nothing', async (t) => {
  const config = loadConfig(undefined, { port: 0 });
  const server = await startServer({ ...config, logLevel: 'fatal', limits: { ...config.limits, ...LIMITS } });
  t.teardown(() => server.drain());
  const { url } = server;
  const grant = await grantFrom(url);
  const upgrade = requestText({
    path: PIPE,
    headers: {
      ...pipeHeaders(grant.pipeTicket),
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    },
  });
  const body = JSON.stringify({ room: 'lobby', transport: 'websocket' });
  const post =
    requestText({ method: 'POST', path: SESSIONS, headers: { ...JSON_TYPE, 'content-length': String(body.length) } }) +
    body;
  for (const whole of [upgrade, post]) {
    for (const cut of [1, 20, whole.length - 1, whole.length]) {
      const socket = dial(url);
      await once(socket, 'connect');
      await new Promise((resolve) => socket.write(whole.slice(0, cut), resolve));
      socket.resetAndDestroy();
    }
  }
  const lying = dial(url);
  await finish(lying, new Incoming(lying), Buffer.from(post.replace(/content-length: \d+/, 'content-length: 5000')));
  await goodClientsAreServed(url);
  t.equal(await figureBecomes(server.adminUrl, 'porthouse_sessions', 0), 0);
});
