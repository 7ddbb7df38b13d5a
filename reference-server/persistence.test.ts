import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Discovery, Grant, RoomSpec, SessionState } from '../generated/types.js';
import { packageRoot } from '../support/package-root.js';
import { startServer } from './compose.js';
import { ConfigError, loadConfig } from './config/config.js';
import { ask, dial, errorOf } from './testing/http.js';
import { bind, opened } from './testing/stage.js';
import { WebSocketClient } from './testing/web-socket.js';

const SESSIONS = '/porthouse/v1/sessions';
/** The compiled program, as it is delivered. */
const MAIN = join(packageRoot(), 'dist/reference-server/main.js');
const SPEC: RoomSpec = {
  lifetime: 'persistent',
  visibility: 'private',
  format: 'json',
  onMismatch: 'convert',
  anonymous: { send: true, receive: false },
  ownerLeaves: 'handover',
  echo: true,
  slowConsumer: 'dropOldest',
  limits: {
    ...{ maxMessageBytes: 77, maxMembers: 5, maxQueuedMessages: 6, maxQueuedBytes: 7777 },
    ...{ messagesPerSecond: 8, messageBurst: 9 },
  },
};

interface Process {
  readonly child: ChildProcess;
  /** Undefined where the program ended before it had one. */
  readonly url: Promise<string | undefined>;
  readonly ended: Promise<{ code: number | null; err: string }>;
}

function run(t: Test, ...args: readonly string[]): Process {
  const child = spawn(process.execPath, [MAIN, '--port', '0', ...args], { env: {}, stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, err }));
  const line = once(child.stdout, 'data').then(([chunk]) => (chunk as Buffer).toString().trim());
  return { child, ended, url: Promise.race([line, ended.then(() => undefined)]) };
}

/** One request for a session: the grant, the name of the error, or null where the server went away. */
async function request(url: string, account: string, body: object): Promise<Grant | string | null> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer dev.${account}` };
  const text = JSON.stringify({ transport: 'websocket', ...body });
  const answer = await ask(url, { method: 'POST', path: SESSIONS, headers, body: text });
  if (answer.status === 0) return null;
  return answer.status === 201 ? (JSON.parse(answer.body) as Grant) : (errorOf(answer) ?? '');
}

const granted = (answer: Grant | string | null): answer is Grant => typeof answer === 'object' && answer !== null;

/** The room as its owner's state has it. */
async function stateOf(url: string, grant: Grant): Promise<SessionState> {
  const path = '/porthouse/v1/sibling';
  const client = opened(
    await WebSocketClient.open(dial(url), { path, headers: { 'sec-websocket-protocol': 'porthouse.sibling.v1' } }),
  );
  await bind(client, grant);
  client.call(1, 'pipe.state', {});
  const { result } = (await client.json()) as { result: { state: SessionState } };
  client.cut();
  return result.state;
}

/** Creates rooms one after the other until the server goes away; the names of those that were answered for. */
async function createUntilGone(url: string, account: string, onRoom: () => void): Promise<string[]> {
  const names: string[] = [];
  for (let n = 0; ; n++) {
    const room = `${account}-${String(n)}`;
    const answer = await request(url, account, { room, create: SPEC });
    if (answer === null) return names;
    if (!granted(answer)) throw new Error(answer);
    names.push(room);
    onRoom();
  }
}

void t.test('whatever was answered for before a kill in the midst of it is there afterwards, as it was', async (t) => {
  const folder = join(t.testdir(), 'data');
  const accounts = ['ann', 'bert', 'cleo', 'dan'];
  let made: Record<string, string[]> = {};
  for (const round of [0, 1]) {
    const { child, ended, url } = run(t, '--data-dir', folder);
    const at = (await url) ?? '';
    let count = 0;
    const onRoom = (): void => {
      if (++count === 40) child.kill('SIGKILL');
    };
    const names = await Promise.all(accounts.map((each) => createUntilGone(at, `${each}${String(round)}`, onRoom)));
    await ended;
    made = {
      ...made,
      ...Object.fromEntries(accounts.map((each, index) => [`${each}${String(round)}`, names[index] ?? []])),
    };
  }
  t.ok(Object.values(made).flat().length >= 80);
  const { url } = run(t, '--data-dir', folder);
  const at = (await url) ?? '';
  for (const [account, rooms] of Object.entries(made)) {
    for (const room of rooms) {
      const answer = await request(at, account, { room });
      if (!granted(answer)) t.fail(`${room}: ${String(answer)}`);
      else if (room.endsWith('-0')) {
        t.same((await stateOf(at, answer)).room, { name: room, ...SPEC, boundaries: 'kept' });
      }
    }
    const [room = ''] = rooms;
    t.equal(await request(at, 'stranger', { room }), 'room_not_found', 'private as before');
    t.equal(await request(at, 'stranger', { room, create: SPEC }), 'room_exists');
  }
});

void t.test('persistence is declared by who has a place for it, and by nobody else', async (t) => {
  const config = { ...loadConfig(undefined, { port: 0 }), logLevel: 'fatal' };
  for (const dataDir of [null, join(t.testdir(), 'data')]) {
    const server = await startServer({ ...config, dataDir });
    const discovery = JSON.parse((await ask(server.url, { path: '/.well-known/porthouse' })).body) as Discovery;
    t.equal(discovery.profiles.includes('persistence'), dataDir !== null);
    const answer = await request(server.url, 'alice', { room: 'harbour', create: { lifetime: 'persistent' } });
    t.equal(granted(answer) || answer, dataDir !== null || 'not_supported');
    await server.drain();
  }
});

void t.test('a store that cannot be used is one clear line and exit 3', async (t) => {
  const base = t.testdir();
  const folder = join(base, 'data');
  const first = run(t, '--data-dir', folder);
  t.ok(granted(await request((await first.url) ?? '', 'alice', { room: 'harbour', create: SPEC })));
  const locked = run(t, '--data-dir', folder);
  const says: (readonly [Process, RegExp])[] = [[locked, /another process has this store open/]];
  await locked.ended;
  first.child.kill('SIGTERM');
  t.equal((await first.ended).code, 0, 'who is told to stop lets go of it');
  const config = join(base, 'config.json');
  writeFileSync(config, JSON.stringify({ dataDir: folder, rooms: { harbour: {} } }));
  says.push([run(t, '--config', config), /rooms\/harbour: a client has made a persistent room of that name/]);
  await says[1]?.[0].ended;
  const damaged = join(base, 'damaged');
  cpSync(folder, damaged, { recursive: true });
  rmSync(join(damaged, 'rooms', 'CURRENT'));
  t.ok(readdirSync(join(damaged, 'rooms')).length > 0);
  says.push([run(t, '--data-dir', damaged), /damaged.rooms: cannot be opened/]);
  writeFileSync(join(base, 'file'), '');
  says.push([run(t, '--data-dir', join(base, 'file')), /ENOTDIR/]);
  for (const [{ ended }, line] of says) {
    const { code, err } = await ended;
    t.equal(code, 3);
    const lines = err.split('\n').filter((each) => each !== '' && !each.startsWith('{'));
    t.match(lines, [line]);
    t.equal(lines.length, 1);
  }
  await t.rejects(startServer(loadConfig(config, { port: 0 })), { message: /harbour/, constructor: ConfigError });
  const again = run(t, '--data-dir', folder);
  t.ok(granted(await request((await again.url) ?? '', 'alice', { room: 'harbour' })), 'and nothing has happened to it');
});
