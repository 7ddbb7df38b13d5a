import t, { type Test } from 'tap';
import type { Discovery, Grant, SessionRequest } from '../generated/types.js';
import { type RunningServer, startServer } from './compose.js';
import { type Config, loadConfig } from './config/config.js';
import { ScopedClock } from './router/scoped-clock.js';
import { type Ask, type Answer, ask, dial, errorOf } from './testing/http.js';
import { bind, opened, pipeHeaders } from './testing/stage.js';
import { HandClock } from './testing/time.js';
import { WebSocketClient } from './testing/web-socket.js';

const HOOKS = '/porthouse/v1/hooks';
const TOKEN = 'operators-only.'.repeat(3);
const JSON_TYPE = { 'content-type': 'application/json' };
const OPERATOR = { ...JSON_TYPE, authorization: `Bearer ${TOKEN}` };

async function serve(t: Test, more: Partial<Config> = {}): Promise<RunningServer> {
  const config = loadConfig(undefined, { port: 0 });
  const limits = { ...config.limits, drainMs: 50 };
  const server = await startServer({ ...config, logLevel: 'fatal', limits, ...more });
  t.teardown(() => server.drain());
  return server;
}

const WITH_HOOKS = { testHooks: { token: TOKEN } };

async function grantFrom(url: string, limits: SessionRequest['limits'] = {}): Promise<Grant> {
  const body = JSON.stringify({ room: 'lobby', transport: 'websocket', limits });
  const headers = { ...JSON_TYPE, authorization: 'Bearer dev.alice' };
  return JSON.parse((await ask(url, { method: 'POST', path: '/porthouse/v1/sessions', headers, body })).body) as Grant;
}

function hook(url: string, name: string, asked: { body?: object; headers?: Ask['headers'] } = {}): Promise<Answer> {
  const { body = {}, headers = OPERATOR } = asked;
  return ask(url, { method: 'POST', path: `${HOOKS}/${name}`, headers, body: JSON.stringify(body) });
}

async function discovery(url: string): Promise<Discovery> {
  return JSON.parse((await ask(url, { path: '/.well-known/porthouse' })).body) as Discovery;
}

void t.test('a server that was given no token for hooks has none, and nothing tells that it could', async (t) => {
  const { url } = await serve(t);
  const { profiles, endpoints } = await discovery(url);
  t.notOk(profiles.includes('testhooks'));
  t.notOk('hooks' in endpoints);
  const plain = ({ status, headers: { date: _date, ...headers }, body }: Answer): object => ({ status, headers, body });
  for (const method of ['POST', 'GET', 'OPTIONS']) {
    const asked = { method, headers: OPERATOR };
    const there = await ask(url, { ...asked, path: `${HOOKS}/clock.advance` });
    t.same(plain(there), plain(await ask(url, { ...asked, path: '/porthouse/v1/nothing/at.all' })), method);
    t.equal(there.status, 404);
  }
});

void t.test('hooks are for whoever has the token, on this machine', async (t) => {
  const { url } = await serve(t, { ...WITH_HOOKS, hosts: ['chat.example'] });
  t.equal((await discovery(url)).endpoints.hooks, HOOKS);
  const body = { room: 'lobby' };
  t.equal((await hook(url, 'inspect', { body })).status, 200);
  const bad = ['', 'Bearer', `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, `Basic ${TOKEN}`, 'Bearer dev.alice'];
  for (const authorization of bad) {
    const answer = await hook(url, 'inspect', { body, headers: { ...JSON_TYPE, authorization } });
    t.same([answer.status, errorOf(answer)], [401, 'unauthenticated'], authorization);
  }
  const abroad = { ...OPERATOR, host: 'chat.example' };
  t.equal(errorOf(await hook(url, 'inspect', { body, headers: abroad })), 'host_refused', 'a name for clients');
  t.equal(errorOf(await hook(url, 'inspect', { body, headers: { ...OPERATOR, origin: url } })), 'origin_refused');
  const page = { ...JSON_TYPE, origin: 'https://evil.example' };
  t.equal(errorOf(await hook(url, 'inspect', { body, headers: page })), 'origin_refused', 'before the token');
  const get = await ask(url, { path: `${HOOKS}/inspect`, headers: OPERATOR });
  t.same([errorOf(get), get.headers['allow']], ['method_not_allowed', 'POST']);
  t.equal(errorOf(await hook(url, 'toString')), 'not_found');
  const padded = { ...body, padding: 'x'.repeat(20_000) };
  t.equal(errorOf(await hook(url, 'inspect', { body: padded })), 'body_too_large');
});

void t.test('a leap ends pipe and sibling whose client does not answer pings, and nobody else’s', async (t) => {
  const { url } = await serve(t, WITH_HOOKS);
  const sockets = async (): Promise<{ grant: Grant; pipe: WebSocketClient; sibling: WebSocketClient }> => {
    const grant = await grantFrom(url, { keepaliveMs: 20_000 });
    const protocol = { 'sec-websocket-protocol': 'porthouse.sibling.v1' };
    const sibling = opened(await WebSocketClient.open(dial(url), { path: '/porthouse/v1/sibling', headers: protocol }));
    await bind(sibling, grant);
    const headers = pipeHeaders(grant.pipeTicket);
    return {
      grant,
      sibling,
      pipe: opened(await WebSocketClient.open(dial(url), { path: grant.endpoints.pipe, headers })),
    };
  };
  const [alice, bob] = [await sockets(), await sockets()];
  const { sid } = alice.grant;
  t.equal((await hook(url, 'clock.advance', { body: { sid, ms: 20_000 } })).status, 200);
  t.equal((await alice.pipe.next())?.opcode, 9, 'a ping');
  t.equal((await hook(url, 'clock.advance', { body: { sid, ms: 20_000 } })).status, 200);
  t.same([await alice.pipe.closed(), await alice.sibling.closed()], [4010, 4010]);
  const seen = JSON.parse((await hook(url, 'inspect', { body: { sid: bob.grant.sid } })).body) as object;
  t.match(seen, { sessions: [{ state: { pipe: { status: 'open' }, siblings: { command: 1 } } }] });
  bob.pipe.cut();
  bob.sibling.cut();
});

void t.test('a scoped clock leaps by itself, in the order in which things are due', (t) => {
  const base = new HandClock();
  const [clock, other] = [new ScopedClock(base), new ScopedClock(base)];
  const heard: string[] = [];
  const say = (what: string) => (): void => void heard.push(`${what} ${String(clock.now())}`);
  clock.after(30, say('late'));
  clock.after(10, () => {
    say('soon')();
    clock.after(5, say('next'));
  });
  const cancel = clock.after(20, say('never'));
  other.after(10, say('other'));
  cancel();
  clock.advance(20);
  t.same(heard.splice(0), ['soon 10', 'next 15']);
  t.same([clock.now(), other.now(), base.now()], [20, 0, 0]);
  base.advance(9);
  t.same(heard.splice(0), [], 'what is left waits as long as it should');
  base.advance(1);
  t.same(heard.splice(0).sort(), ['late 30', 'other 30']);
  t.equal(clock.now() - other.now(), 20);
  t.end();
});
