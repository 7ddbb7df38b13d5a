import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { Test } from 'tap';
import type { Discovery, Grant } from '../../generated/types.js';
import { packageRoot } from '../../support/package-root.js';
import { standBy, unwatch, watch } from '../../support/watchdog.js';
import { macOf } from './memory.js';

const MAIN = join(packageRoot(), 'dist/reference-server/main.js');
const SETTINGS = { tcp: { port: 0 }, ftp: { port: 0 }, udp: { port: 0 }, logLevel: 'fatal' };

interface Json {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly nonce?: string; readonly error?: { readonly name: string } };
  readonly result?: Grant;
  readonly error?: { readonly data: { readonly name: string } };
}

export interface Curled {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Starts a program that does not outlive the test, nor the process of the test. */
function start(t: Test, command: string, args: readonly string[]): ChildProcessWithoutNullStreams {
  standBy();
  const child = spawn(command, args);
  const { pid } = child;
  if (pid !== undefined) {
    watch(pid);
    child.once('exit', () => unwatch(pid));
  }
  t.teardown(() => child.kill('SIGKILL'));
  return child;
}

/** A program that runs until the test is over, and its output line by line. */
export class Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  constructor(t: Test, command: string, args: readonly string[]) {
    this.child = start(t, command, args);
    this.child.stdin.on('error', () => undefined);
    this.#lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  say(line: string): void {
    this.child.stdin.write(`${line}\n`);
  }

  async line(): Promise<string> {
    const next = await this.#lines.next();
    return next.done === true ? '' : next.value;
  }
}

/** The grant in what curl has printed, in front of the status. */
const grantOf = (out: string): Grant => JSON.parse(out.replace(/ 201$/, '')) as Grant;

/** The server, in a process of its own, and what stands in its discovery document. */
export class Harbour {
  readonly #t: Test;
  readonly #server: Running;
  readonly url: string;
  readonly #endpoints: Discovery['endpoints']['pipe'];

  private constructor(t: Test, server: Running, at: { url: string; endpoints: Discovery['endpoints'] }) {
    const { url, endpoints } = at;
    this.#t = t;
    this.#server = server;
    this.url = url;
    this.#endpoints = endpoints.pipe;
  }

  static async open(t: Test): Promise<Harbour> {
    const file = join(t.testdir({}), 'settings.json');
    writeFileSync(file, JSON.stringify(SETTINGS));
    const server = new Running(t, process.execPath, [MAIN, '--port', '0', '--config', file]);
    const url = await server.line();
    const { out } = await curl(`${url}/.well-known/porthouse`);
    return new Harbour(t, server, { url, endpoints: (JSON.parse(out) as Discovery).endpoints });
  }

  /** Asks the server to end. */
  end(): void {
    this.#server.child.kill('SIGTERM');
  }

  form(room: string): string {
    return new URL(String(this.#endpoints.form).replace('{room}', room), this.url).href;
  }

  ftp(path: string): string {
    return `${String(this.#endpoints.ftp)}/${path}`;
  }

  nc(...lines: readonly string[]): Running {
    const { hostname, port } = new URL(String(this.#endpoints.tcp));
    const nc = new Running(this.#t, 'nc', [hostname, port]);
    for (const line of lines) nc.say(line);
    return nc;
  }

  /** An internal client, who makes a room, and its pipe. */
  async owner(room: string, create: object, framing: 'line' | 'raw'): Promise<Running> {
    const { out } = await this.asks({ room, create, transport: 'tcp', framing }, 'dev.owner');
    return this.nc(`PH1 ${grantOf(out).pipeTicket} ${framing}`);
  }

  /** A request for a session. */
  asks(request: object, token?: string): Promise<Curled> {
    const authorization = token === undefined ? [] : ['-H', `Authorization: Bearer ${token}`];
    const body = ['-H', 'Content-Type: application/json', '-d', JSON.stringify(request)];
    return curl('-w', ' %{http_code}', ...authorization, ...body, `${this.url}/porthouse/v1/sessions`);
  }
}

/** Runs curl to its end. */
export function curl(...args: readonly string[]): Promise<Curled> {
  return new Promise((resolve) => {
    execFile('curl', ['-sS', ...args], (error, out, err) => resolve({ code: Number(error?.code ?? 0), out, err }));
  });
}

/** A stranger with nothing but netcat: a sibling, which asked for the session, and the pipe. */
export class Stranger {
  readonly #sibling: Running;
  readonly pipe: Running;
  #calls = 2;

  private constructor(sibling: Running, pipe: Running) {
    this.#sibling = sibling;
    this.pipe = pipe;
  }

  static async enter(harbour: Harbour, room: string, framing: 'line' | 'raw'): Promise<Stranger> {
    const sibling = harbour.nc('PH1-SIBLING');
    const nonce = String((JSON.parse(await sibling.line()) as Json).params?.nonce);
    const asks = { room, transport: 'tcp', framing };
    sibling.say(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'session.create', params: asks }));
    const grant = (JSON.parse(await sibling.line()) as Json).result;
    if (!grant) throw new Error('not granted');
    const bind = { channel: 'command', nonce, cnonce: 'Y2xpZW50LW5vbmNlLTE2Yg' };
    const params = { sid: grant.sid, channel: bind.channel, cnonce: bind.cnonce, mac: macOf(grant, bind) };
    sibling.say(JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'sibling.bind', params }));
    await sibling.line();
    const stranger = new Stranger(sibling, harbour.nc(`PH1 ${grant.pipeTicket} ${framing}`));
    await stranger.event('pipe.opened');
    return stranger;
  }

  async event(name: string): Promise<Json> {
    for (;;) {
      const message = JSON.parse(await this.#sibling.line()) as Json;
      if (message.method === name) return message;
    }
  }

  /** The error that a call is refused with. */
  async refusal(method: string, params: object): Promise<string | undefined> {
    this.#sibling.say(JSON.stringify({ jsonrpc: '2.0', id: ++this.#calls, method, params }));
    for (;;) {
      const { id, error } = JSON.parse(await this.#sibling.line()) as Json;
      if (id === this.#calls) return error?.data.name;
    }
  }
}

/** Somebody who waits for a message, or for a stream, by FTP. */
export class FtpWatcher {
  /** All that it got, when it has ended. */
  readonly got: Promise<string>;
  readonly child: ChildProcessWithoutNullStreams;

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.child = child;
    this.got = text(child.stdout);
  }

  /** Resolves when the room has it as a member: who asks for a message is in it. */
  static async enter(t: Test, url: string): Promise<FtpWatcher> {
    const child = start(t, 'curl', ['-sSvN', url]);
    const watcher = new FtpWatcher(child);
    const log: string[] = [];
    for await (const line of createInterface({ input: child.stderr })) {
      log.push(line);
      if (!line.startsWith('> RETR ')) continue;
      child.stderr.resume();
      return watcher;
    }
    throw new Error(log.join('\n'));
  }
}
