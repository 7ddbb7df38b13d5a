import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, createReadStream, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import t, { type Test } from 'tap';
import { packageRoot } from '../support/package-root.js';
import type { Grant } from '../generated/types.js';
import { ask, dial } from './testing/http.js';
import { opened, pipeHeaders } from './testing/stage.js';
import { WebSocketClient } from './testing/web-socket.js';

/** The compiled program, as it is delivered; `npm ci` makes it. */
const MAIN = join(packageRoot(), 'dist/reference-server/main.js');

const SETTINGS = join(t.testdir({ 'settings.yaml': 'limits: { drainMs: 200 }\n' }), 'settings.yaml');

const FAULT_BYTES = 8192;

/** A fault in the machine below the server: a long line for its log, or, at `/crash`, the end. */
const FAULT = `
import { ServerResponse } from 'node:http';
const { writeHead } = ServerResponse.prototype;
ServerResponse.prototype.writeHead = function (...head) {
  const { url } = this.req;
  this.req.url = '/';
  if (url === '/fault') throw new Error('f'.repeat(${String(FAULT_BYTES)}));
  if (url === '/crash') process.nextTick(() => { throw new Error('crashed'); });
  return writeHead.apply(this, head);
};`;
const PRELOAD = `data:text/javascript,${encodeURIComponent(FAULT)}`;

interface Line {
  readonly msg: string;
  readonly level: number;
  readonly lines?: number;
}

/** Where stderr leads, and a program that runs the server. */
type Where = readonly [stderr: 'pipe' | 'ignore' | number, ...wrap: string[]];

interface Harbour {
  readonly child: ChildProcess;
  readonly url: string;
  /** Code and signal by which the process ended. */
  readonly ended: Promise<readonly unknown[]>;
}

function start(t: Test, ...[stderr, ...wrap]: Where): Omit<Harbour, 'url'> {
  const command = [process.execPath, '--import', PRELOAD, MAIN, '--port', '0', '--config', SETTINGS];
  const [program = '', ...args] = [...wrap, ...command];
  const child = spawn(program, args, { env: {}, stdio: ['ignore', 'pipe', stderr] });
  t.teardown(() => child.kill('SIGKILL'));
  return { child, ended: once(child, 'exit') };
}

async function serve(t: Test, ...[stderr, ...wrap]: Where): Promise<Harbour> {
  const harbour = start(t, stderr, ...wrap);
  const [line] = (await once(harbour.child.stdout as Readable, 'data')) as [Buffer];
  return { ...harbour, url: line.toString().trim() };
}

async function member(url: string): Promise<WebSocketClient> {
  const request = { method: 'POST', path: '/porthouse/v1/sessions', headers: { 'content-type': 'application/json' } };
  const { body } = await ask(url, { ...request, body: '{"room":"lobby","transport":"websocket"}' });
  const { endpoints, pipeTicket } = JSON.parse(body) as Grant;
  return opened(await WebSocketClient.open(dial(url), { path: endpoints.pipe, headers: pipeHeaders(pipeTicket) }));
}

const status = async (url: string): Promise<number> => (await fetch(url)).status;

async function fail({ url }: Harbour, times: number): Promise<void> {
  for (let n = 0; n < times; n++) if ((await status(`${url}/fault`)) !== 500) throw new Error('no fault');
}

async function read(stream: Readable): Promise<string> {
  let all = '';
  for await (const chunk of stream) all += String(chunk);
  return all;
}

/** Whole lines of JSON, every one of them, and nothing else. */
const linesOf = (text: string): Line[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

const faultsIn = (lines: readonly Line[]): number => lines.filter(({ msg }) => msg === 'a request failed').length;

async function answers(t: Test, { url }: Harbour): Promise<void> {
  t.equal(await status(`${url}/.well-known/porthouse`), 200, 'requests are answered');
  const [from, to] = [await member(url), await member(url)];
  from.text('still here');
  t.equal((await to.messages(1))[0]?.payload.toString(), 'still here', 'messages are delivered');
  for (const client of [from, to]) client.cut();
}

async function ends(t: Test, { child, ended }: Harbour): Promise<void> {
  child.kill('SIGTERM');
  t.strictSame(await ended, [0, null], 'it drains and ends');
}

/** A pipe of the system, as a shell makes them: its end for writing, and ways to leave its other end and to read it. */
function fifo(t: Test): { fd: number; hangUp: () => void; reader: () => Readable } {
  const path = join(t.testdir({}), 'fifo');
  execFileSync('mkfifo', [path]);
  const reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const fd = openSync(path, constants.O_WRONLY);
  return { fd, hangUp: () => closeSync(reading), reader: () => createReadStream(path, { fd: openSync(path, 'r') }) };
}

void t.test('a log that nobody reads holds nobody up', async (t) => {
  const server = await serve(t, fifo(t).fd);
  await fail(server, 200); // more than 3 MiB of lines
  await answers(t, server);
  await ends(t, server);
});

void t.test('when it is read again, one line tells how many are missing there', async (t) => {
  const server = await serve(t, 'pipe');
  await fail(server, 200);
  const lines: Line[] = [];
  for await (const line of createInterface({ input: server.child.stderr as Readable })) {
    lines.push(JSON.parse(line) as Line);
    if (lines.at(-1)?.lines === undefined) continue;
    await fail(server, 1);
    await ends(t, server);
  }
  const at = lines.findIndex(({ lines: lost }) => lost !== undefined);
  t.match(lines[at], { level: 40, msg: /were lost/ });
  t.equal(faultsIn(lines.slice(0, at)) + Number(lines[at]?.lines), 200, 'all are there or counted');
  const after = lines.slice(at + 1).map(({ msg }) => msg);
  t.same(after, ['a request failed', 'draining'], 'and nothing is missing from there on');
});

void t.test('the last lines come out where they are read late', async (t) => {
  const ways = [
    ['SIGTERM', 0, 'draining'],
    ['crash', 1, 'the server ends by its own fault'],
  ] as const;
  for (const [how, code, last] of ways) {
    await t.test(how, async (t) => {
      const { fd, reader } = fifo(t);
      const server = await serve(t, fd);
      await fail(server, 40); // more than fits into a pipe, less than is kept
      if (how === 'crash') await status(`${server.url}/crash`);
      else server.child.kill(how);
      const text = read(reader());
      t.strictSame(await server.ended, [code, null]);
      closeSync(fd);
      // Behind the lines of a crash stand words of Node's own.
      const lines = linesOf((await text).replace(/\n[^{][^]*$/, '\n'));
      t.equal(faultsIn(lines), 40, 'all are there');
      t.equal(lines.at(-1)?.msg, last);
    });
  }
});

void t.test('a reader that goes away ends nothing, and one that comes is told what it missed', async (t) => {
  const { fd, hangUp, reader } = fifo(t);
  const server = await serve(t, fd);
  hangUp();
  await fail(server, 3);
  const text = read(reader());
  await answers(t, server);
  await fail(server, 1);
  await ends(t, server);
  closeSync(fd);
  const said = linesOf(await text).map(({ msg, lines }) => lines ?? msg);
  t.same(said.slice(-3), [3, 'a request failed', 'draining']);
});

void t.test('a log need not be a pipe', async (t) => {
  const file = join(t.testdir({}), 'log');
  const servers = await Promise.all([
    serve(t, openSync(file, 'w')),
    serve(t, openSync('/dev/full', 'w')),
    serve(t, 'ignore'),
    serve(t, 'ignore', 'sh', '-c', 'exec "$@" 2>&-', 'sh'),
  ]);
  for (const server of servers) {
    await fail(server, 3);
    await ends(t, server);
  }
  const lines = linesOf(readFileSync(file, 'utf8'));
  t.equal(faultsIn(lines), 3);
  t.equal(lines.at(-1)?.msg, 'draining');
});

void t.test('nobody need stay to read the URL', async (t) => {
  const { child, ended } = start(t, 'pipe');
  child.stdout?.destroy();
  for await (const line of createInterface({ input: child.stderr as Readable })) {
    const { url } = JSON.parse(line) as { url?: string };
    if (url !== undefined) await status(url).then(() => ends(t, { child, ended, url }));
  }
});
