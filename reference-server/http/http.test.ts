import { once } from 'node:events';
import t from 'tap';
import type { Grant } from '../../generated/types.js';
import { validate } from '../../generated/validate.js';
import type { Authenticator } from '../ports/access.js';
import { Incoming } from '../testing/bytes.js';
import { type Answer, type Ask, errorOf, readAnswer, requestText } from '../testing/http.js';
import { PIPE, SESSIONS_PATH, Stage, opened, pipeHeaders } from '../testing/stage.js';
import { until } from '../testing/until.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const REQUEST = JSON.stringify({ room: 'lobby', transport: 'websocket' });
const DISCOVERY = '/.well-known/porthouse';
const post = (more: Ask = {}): Ask => ({
  method: 'POST',
  path: SESSIONS_PATH,
  body: REQUEST,
  ...more,
  headers: { ...JSON_TYPE, ...more.headers },
});

/** Writes pieces to a connection one after the other, and reads one answer. */
async function send(stage: Stage, ...pieces: readonly (string | Buffer)[]): Promise<Answer> {
  const socket = stage.dial();
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const answer = await readAnswer(new Incoming(socket));
  socket.destroy();
  return answer;
}

const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

void t.test('a body in chunks is held to the same limit, as soon as it is over it', async (t) => {
  const stage = new Stage();
  const head = requestText(post({ headers: { 'transfer-encoding': 'chunked' } }));
  t.match(await send(stage, head, chunk(REQUEST.slice(0, 9)), chunk(REQUEST.slice(9)), chunk('')), { status: 201 });
  const long = await send(stage, head, chunk(REQUEST.padEnd(9000)), chunk(''.padEnd(7384)), chunk(' '));
  t.match([long.status, errorOf(long), long.headers.connection], [413, 'body_too_large', 'close']);
  const announced = await send(stage, requestText(post({ headers: { 'content-length': '16385' } })), 'x');
  t.match([announced.status, errorOf(announced)], [413, 'body_too_large']);
  t.match(
    await send(stage, head, chunk(' '.repeat(16_384) + REQUEST.slice(0, 0)), chunk('')),
    { status: 400 },
    'just the limit is read',
  );
});

void t.test('whoever breaks off in the middle of a body costs nothing, and is no fault of ours', async (t) => {
  const stage = new Stage();
  const socket = stage.dial();
  socket.write(requestText(post({ headers: { 'content-length': '100' } })) + '{"room"');
  await new Promise((resolve) => setImmediate(resolve));
  socket.destroy();
  await once(socket, 'close');
  t.match(await stage.ask({ path: DISCOVERY }), { status: 200 });
  t.same([stage.faults, stage.world.router.sessions], [[], 0]);
});

void t.test('requests sent together are answered one by one, in order', async (t) => {
  const stage = new Stage();
  const socket = stage.dial();
  const incoming = new Incoming(socket);
  const request = requestText(post({ headers: { 'content-length': String(REQUEST.length) } })) + REQUEST;
  socket.write(request + requestText({ path: DISCOVERY }) + requestText({ path: '/nowhere' }) + request);
  const statuses: number[] = [];
  for (let n = 0; n < 4; n++) statuses.push((await readAnswer(incoming)).status);
  t.same(statuses, [201, 200, 404, 201]);
});

interface SmuggleRow {
  readonly what: string;
  readonly bytes: string;
}

const HEAD = `POST ${SESSIONS_PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`;
const SMUGGLED: readonly SmuggleRow[] = [
  { what: 'two lengths', bytes: `${HEAD}content-length: 5\r\ncontent-length: 6\r\n\r\n{}   GET / HTTP/1.1\r\n` },
  { what: 'a length and chunks', bytes: `${HEAD}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n` },
  {
    what: 'chunks that are not the last coding',
    bytes: `${HEAD}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
  },
  { what: 'a coding in disguise', bytes: `${HEAD}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n` },
  { what: 'a space before the colon', bytes: `${HEAD}content-length : 5\r\n\r\n{}   ` },
  { what: 'a folded header', bytes: `${HEAD}content-length:\r\n 5\r\n\r\n{}   ` },
  { what: 'a negative length', bytes: `${HEAD}content-length: -1\r\n\r\n` },
  { what: 'a length in words', bytes: `${HEAD}content-length: five\r\n\r\n` },
  { what: 'an endless length', bytes: `${HEAD}content-length: 99999999999999999999\r\n\r\n` },
  { what: 'a chunk size that is none', bytes: `${HEAD}transfer-encoding: chunked\r\n\r\nzz\r\n` },
  { what: 'a bare line feed in a header', bytes: 'GET / HTTP/1.1\r\nhost: localhost\nx\r\n\r\n' },
  { what: 'a null in a header', bytes: 'GET / HTTP/1.1\r\nhost: local\0host\r\n\r\n' },
  { what: 'no host', bytes: 'GET / HTTP/1.1\r\n\r\n' },
  { what: 'something else', bytes: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n' },
  { what: 'HTTP of the future', bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' },
  { what: 'a tunnel', bytes: 'CONNECT evil.example:80 HTTP/1.1\r\nhost: localhost\r\n\r\n' },
  { what: 'a long header', bytes: `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(20_000)}\r\n\r\n` },
  { what: 'a long line', bytes: `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nhost: localhost\r\n\r\n` },
];

void t.test(
  'what is ambiguous or no HTTP at all gets a refusal or an end, and nothing behind it is read',
  async (t) => {
    const stage = new Stage();
    for (const { what, bytes } of SMUGGLED) {
      const socket = stage.dial();
      const incoming = new Incoming(socket);
      socket.write(Buffer.from(bytes, 'latin1'));
      socket.write(requestText({ path: DISCOVERY }));
      await incoming.end;
      const answers = incoming.rest.toString('latin1').match(/^HTTP\/1\.1 \d+/gm) ?? [];
      t.ok(answers.length <= 1 && answers.every((answer) => /4\d\d$/.test(answer)), `${what}: ${answers.join()}`);
    }
    const many = `GET ${DISCOVERY} HTTP/1.1\r\nhost: localhost\r\n${'x: y\r\n'.repeat(5000)}\r\n`;
    t.match(await send(stage, many), { status: 200 }, 'headers without number');
    t.match(
      await send(stage, `GET ${DISCOVERY} HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n\r\n`),
      { status: /400|421/ },
      'two hosts',
    );
    t.same([stage.faults, stage.world.router.sessions], [[], 0]);
  },
);

void t.test('an offer of another protocol is ignored, body and all', async (t) => {
  const stage = new Stage();
  const offer = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQAAP__' };
  t.match(await stage.ask({ path: DISCOVERY, headers: offer }), { status: 200 });
  t.match(await stage.ask({ path: '/nowhere', headers: offer }), { status: 404 });
  t.match(await stage.ask(post({ headers: offer })), { status: 201 });
  const head = requestText(post({ headers: { ...offer, 'content-length': String(REQUEST.length) } }));
  t.match(await send(stage, head, REQUEST.slice(0, 5), REQUEST.slice(5)), { status: 201 }, 'even in pieces');
  const websocket = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  };
  t.match(await stage.ask({ path: '/nowhere', headers: websocket }), { status: 404 });
  t.match(await stage.ask({ path: DISCOVERY, headers: { ...websocket, host: 'evil.example' } }), { status: 421 });
});

void t.test('an answer that is still to come never ends up in a pipe', async (t) => {
  const waiting: ((identity: null) => void)[] = [];
  const authenticator: Authenticator = { authenticate: () => new Promise((resolve) => waiting.push(resolve)) };
  const stage = new Stage({ authenticator });
  const { grant } = stage.world.member();
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
  const socket = stage.dial();
  const incoming = new Incoming(socket);
  socket.write(
    requestText(post({ headers: { authorization: 'Bearer x', 'content-length': String(REQUEST.length) } })) +
      REQUEST +
      upgrade,
  );
  await until(() => waiting.length === 1);
  waiting[0]?.(null);
  await incoming.end;
  t.equal(incoming.rest.toString(), '');
  t.ok(opened(await stage.upgrade({ path: PIPE, headers: pipeHeaders(grant.pipeTicket) })), 'nor was the ticket spent');
  const next = stage.world.member();
  const patient = stage.dial();
  const both = new Incoming(patient);
  patient.write(requestText({ path: DISCOVERY }) + upgrade.replace(grant.pipeTicket, next.grant.pipeTicket));
  t.match(
    [await readAnswer(both), await readAnswer(both)],
    [{ status: 200 }, { status: 101 }],
    'one that is given is no harm',
  );
});

void t.test('a grant is as its schema says, and opens what it says', async (t) => {
  const stage = new Stage();
  const answer = await stage.ask(
    post({
      headers: { authorization: 'Bearer dev.alice' },
      body: '{"room":"new","transport":"websocket","create":{}}',
    }),
  );
  const grant = JSON.parse(answer.body) as Grant;
  t.ok(validate['http/grant'](grant));
  t.match(grant, { room: 'new', scopes: ['send', 'receive', 'debug'], endpoints: { pipe: '/pipe' } });
  await stage.sibling(grant);
  t.ok(await stage.openPipe(grant.pipeTicket));
});

void t.test('a refused upgrade leaves no connection behind, whatever the client does with its own', async (t) => {
  const stage = new Stage();
  const socket = stage.dial();
  socket.removeAllListeners('end');
  socket.write(requestText({ path: PIPE, headers: { upgrade: 'websocket', connection: 'Upgrade' } }));
  t.match(await readAnswer(new Incoming(socket)), { status: 426 });
  if (!socket.destroyed) await once(socket, 'close');
  t.ok(socket.destroyed);
});

void t.test('slow heads and slow bodies have their time', async (t) => {
  const stage = new Stage({ bodyMs: 20 });
  t.ok(stage.front.headersTimeout > 0 && stage.front.headersTimeout <= 10_000);
  const socket = stage.dial();
  socket.write(requestText(post({ headers: { 'content-length': '100' } })));
  await once(socket, 'close');
});

void t.test('a connection beyond the limit is closed unanswered, and one that is over makes room', async (t) => {
  const stage = new Stage({ limits: { maxConnections: 1 } });
  const first = stage.dial();
  const second = stage.dial();
  await once(second, 'close');
  const gone = once(first, 'close');
  first.destroy();
  await gone;
  t.match(await stage.ask({ path: DISCOVERY }), { status: 200 });
});

void t.test('a server that drains says so over HTTP', async (t) => {
  const stage = new Stage();
  const { grant } = stage.world.member();
  stage.world.router.drain({ deadlineMs: 1, reconnectAfterMs: 1 });
  const answers = [
    await stage.ask(post()),
    await stage.upgrade({ path: PIPE, headers: pipeHeaders(grant.pipeTicket) }),
  ];
  for (const answer of answers) t.match(answer, { status: 503, headers: { 'retry-after': '1' } });
});

void t.test('a fault of our own is a 500, said to the operator', async (t) => {
  const authenticator: Authenticator = { authenticate: () => Promise.reject(new Error('no key')) };
  const stage = new Stage({ authenticator });
  const answer = await stage.ask(post({ headers: { authorization: 'Bearer x' } }));
  t.match([answer.status, errorOf(answer)], [500, 'internal_error']);
  t.match(stage.faults, [{ message: 'no key' }]);
  t.match(await stage.ask({ path: DISCOVERY }), { status: 200 });
});
