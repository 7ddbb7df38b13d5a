import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import t, { type Test } from 'tap';
import type { Discovery, Grant } from '../generated/types.js';
import { validate } from '../generated/validate.js';
import { packageRoot } from '../support/package-root.js';
import { type RunningServer, startServer } from './compose.js';
import { type Config, loadConfig } from './config/config.js';
import { Incoming } from './testing/bytes.js';
import { ask, dial, errorOf, figureBecomes, requestText } from './testing/http.js';
import { bind, opened, pipeHeaders } from './testing/stage.js';
import { OPCODE, WebSocketClient } from './testing/web-socket.js';

const SESSIONS = '/porthouse/v1/sessions';
const SIBLING_PROTOCOL = { 'sec-websocket-protocol': 'porthouse.sibling.v1' };
const JSON_TYPE = { 'content-type': 'application/json' };

async function serve(t: Test, more: { limits?: Partial<Config['limits']> } = {}): Promise<RunningServer> {
  const config = loadConfig(undefined, { port: 0 });
  const server = await startServer({
    ...config,
    logLevel: 'fatal',
    limits: { ...config.limits, drainMs: 50, ...more.limits },
  });
  t.teardown(() => server.drain());
  return server;
}

async function grantFrom(url: string, request: object = {}, token?: string): Promise<Grant> {
  const headers = { ...JSON_TYPE, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
  const body = JSON.stringify({ room: 'lobby', transport: 'websocket', ...request });
  return JSON.parse((await ask(url, { method: 'POST', path: SESSIONS, headers, body })).body) as Grant;
}

async function openPipe(url: string, grant: Grant): Promise<WebSocketClient> {
  return opened(
    await WebSocketClient.open(dial(url), { path: grant.endpoints.pipe, headers: pipeHeaders(grant.pipeTicket) }),
  );
}

async function openSibling(url: string, grant?: Grant, path = '/porthouse/v1/sibling'): Promise<WebSocketClient> {
  const client = opened(await WebSocketClient.open(dial(url), { path, headers: SIBLING_PROTOCOL }));
  await bind(client, grant);
  return client;
}

void t.test('a server that was told nothing has all that two members need', async (t) => {
  const server = await serve(t);
  const { url } = server;
  const { status, body } = await ask(url, { path: '/.well-known/porthouse' });
  const discovery = JSON.parse(body) as Discovery;
  t.equal(status, 200);
  t.ok(validate['http/discovery'](discovery));
  const [alice, bob] = [await grantFrom(url, {}, 'dev.alice'), await grantFrom(url)];
  t.same(
    [alice.scopes, bob.scopes],
    [
      ['send', 'receive', 'debug', 'command', 'admin'],
      ['send', 'receive'],
    ],
  );
  const sibling = await openSibling(url, bob, discovery.endpoints.sibling.websocket);
  const [from, to] = [await openPipe(url, alice), await openPipe(url, bob)];
  from.text('ahoy');
  t.equal((await to.messages(1))[0]?.payload.toString(), 'ahoy');
  t.match(await sibling.json(), { method: 'pipe.opened' });
  t.equal(await figureBecomes(server.adminUrl, 'porthouse_sessions', 2), 2);
  for (const client of [from, to, sibling]) client.cut();
});

void t.test('a server with authentication takes its tokens and no others', async (t) => {
  const secret = 'of at least thirty-two characters';
  const config = { ...loadConfig(undefined, { port: 0 }), auth: { secret }, rooms: {} };
  const { url, drain } = await startServer({ ...config, logLevel: 'fatal' });
  t.teardown(drain);
  const key = new TextEncoder().encode(secret);
  const token = await new SignJWT({ sub: 'alice', exp: 9e9 }).setProtectedHeader({ alg: 'HS256' }).sign(key);
  const make = { room: 'harbour', create: {} };
  for (const bad of [undefined, 'dev.alice', `${token}x`]) {
    t.match(await grantFrom(url, make, bad), { error: { name: 'unauthenticated' } }, String(bad));
  }
  const grant = await grantFrom(url, make, token);
  t.match(grant, { room: 'harbour', scopes: ['send', 'receive', 'debug'] });
  const sibling = opened(
    await WebSocketClient.open(dial(url), { path: '/porthouse/v1/sibling', headers: SIBLING_PROTOCOL }),
  );
  await sibling.json();
  sibling.call(1, 'session.create', { room: 'harbour', transport: 'websocket', token });
  t.match(await sibling.json(), { result: { room: 'harbour' } });
  sibling.cut();
});

void t.test('the operator has health and figures, on loopback', async (t) => {
  const server = await serve(t);
  t.match(server.adminUrl, /^http:\/\/127\.0\.0\.1:/);
  t.match(await ask(server.adminUrl, { path: '/healthz' }), { status: 200, body: 'ok\n' });
  t.match((await ask(server.adminUrl, { path: '/metrics' })).body, /^porthouse_rooms 1$/m);
  t.match(await ask(server.adminUrl, { path: '/' }), { status: 404 });
  t.match(await ask(server.url, { path: '/metrics' }), { status: 404 }, 'and strangers do not');
});

void t.test('a drain ends everything in its time, whatever clients do', async (t) => {
  const server = await serve(t);
  const { url } = server;
  const [alice, bob] = [await grantFrom(url, {}, 'dev.alice'), await grantFrom(url)];
  const sibling = await openSibling(url, alice);
  const pipe = await openPipe(url, alice);
  const stubborn = await openPipe(url, bob);
  const deaf = await openPipe(url, await grantFrom(url));
  deaf.socket.pause();
  const unbound = await openSibling(url);
  const half = dial(url);
  half.write(requestText({ method: 'POST', path: SESSIONS, headers: { ...JSON_TYPE, 'content-length': '99' } }));
  const silent = dial(url);
  const ends = [half, silent].map((socket) => new Incoming(socket).end);
  await Promise.all([half, silent].map((socket) => once(socket, 'connect')));
  t.match(await sibling.json(), { method: 'pipe.opened' });
  const drained = server.drain();
  t.match(await sibling.json(), { method: 'server.draining', params: { deadlineMs: 50 } });
  t.match(await sibling.json(), { method: 'pipe.ended', params: { cause: 'draining' } });
  t.same([await pipe.closed(), await sibling.closed(), await unbound.closed()], [4009, 4009, 4009]);
  await drained;
  t.equal(await stubborn.closed({ answer: false }), 4009);
  await Promise.all(ends);
  t.equal((await ask(url, { path: '/' }).catch(() => ({ status: 0 }))).status, 0, 'nobody listens any more');
  deaf.cut();
});

void t.test('sessions that nobody holds are gone from the figures', async (t) => {
  const server = await serve(t);
  const limits = { sessionLingerMs: 1, ticketMs: 1 };
  const grants = await Promise.all([0, 1, 2].map(() => grantFrom(server.url, { limits })));
  t.equal(new Set(grants.map(({ sid }) => sid)).size, 3);
  t.equal(await figureBecomes(server.adminUrl, 'porthouse_sessions', 0), 0);
  const late = await WebSocketClient.open(dial(server.url), {
    path: '/porthouse/v1/pipe',
    headers: pipeHeaders(grants[0]?.pipeTicket ?? ''),
  });
  t.equal('socket' in late ? undefined : errorOf(late), 'ticket_invalid');
});

/** The compiled program, as it is delivered; `npm ci` makes it. */
const MAIN = join(packageRoot(), 'dist/reference-server/main.js');

interface Run {
  readonly child: ChildProcess;
  /** Everything on stdout and stderr, once the program has ended. */
  readonly ended: Promise<{ code: number | null; out: string; err: string }>;
  readonly url: Promise<string>;
}

function run(t: Test, ...args: readonly string[]): Run {
  const child = spawn(process.execPath, [MAIN, ...args], { env: {}, stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  const text = { out: '', err: '' };
  const url = new Promise<string>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      text.out += chunk.toString();
      if (text.out.includes('\n')) resolve(text.out.trim());
    });
  });
  child.stderr.on('data', (chunk: Buffer) => (text.err += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => ({ ...text, code: code as number | null }));
  return { child, ended, url };
}

function configFile(t: Test, text: string): string {
  const file = join(t.testdir(), 'config.yaml');
  writeFileSync(file, text);
  return file;
}

void t.test(
  'the program prints its URL and nothing else, logs beside it, and drains when it is told to stop',
  async (t) => {
    t.ok(existsSync(MAIN), 'it is built');
    const { child, ended, url } = run(t, '--port', '0', '--config', configFile(t, 'limits: { drainMs: 200 }\n'));
    const at = await url;
    t.match(at, /^http:\/\/127\.0\.0\.1:\d+$/);
    const grant = await grantFrom(at, {}, 'dev.alice');
    const sibling = await openSibling(at, grant);
    const pipe = await openPipe(at, grant);
    t.match(await sibling.json(), { method: 'pipe.opened' });
    child.kill('SIGTERM');
    t.match(await sibling.json(), { method: 'server.draining', params: { deadlineMs: 200 } });
    t.equal(await pipe.closed({ answer: false }), 4009);
    const { code, out, err } = await ended;
    t.equal(code, 0);
    t.equal(out, `${at}\n`, 'one line');
    const logged = err
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { msg: string; level: number });
    t.ok(
      logged.some(({ msg, level }) => /DEVELOPMENT MODE/.test(msg) && level >= 40),
      'a development mode is a warning',
    );
    for (const secret of [grant.pipeTicket, grant.siblingSecret, 'dev.alice']) t.notMatch(err, secret);
    t.equal(logged.at(-1)?.msg, 'draining');
  },
);

void t.test('what is wrong at the start is one clear line, and exit 3', async (t) => {
  const taken = createServer();
  await once(taken.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => taken.close());
  const { port } = taken.address() as { port: number };
  const rows: readonly (readonly [args: readonly string[], line: RegExp])[] = [
    [['--port', String(port)], /another program listens there/],
    [['--port', '0', '--config', configFile(t, `adminPort: ${String(port)}\n`)], /another program listens there/],
    [['--port', 'http'], /0 to 65535/],
    [['--colour'], /unknown option/],
  ];
  const results = await Promise.all(rows.map(([args]) => run(t, ...args).ended));
  results.forEach(({ code, out, err }, index) => {
    const [args = [], line = /$^/] = rows[index] ?? [];
    t.equal(code, 3, args.join(' '));
    t.equal(out, '');
    const lines = err
      .trim()
      .split('\n')
      .filter((each) => !each.startsWith('{'));
    t.match(lines, [line], args.join(' '));
    t.equal(lines.length, 1);
  });
});

void t.test('pings and pongs are answered over the network too', async (t) => {
  const { url } = await serve(t);
  const pipe = await openPipe(url, await grantFrom(url));
  for (let n = 0; n < 300; n++) pipe.send({ opcode: OPCODE.ping, payload: Buffer.from(String(n)) });
  for (let n = 0; n < 300; n++) t.equal((await pipe.next())?.payload.toString(), String(n));
  pipe.cut();
});
