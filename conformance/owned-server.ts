import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { standBy, unwatch, watch } from '../support/watchdog.js';
import type { TlsSettings } from './drivers/connect.js';

/** A server process whose streams can be read; the leader of a process group of its own. */
export type ServerProcess = ChildProcess & {
  readonly stdout: NodeJS.ReadableStream;
  readonly stderr: NodeJS.ReadableStream;
};

/** How to start a server. */
export interface Launch {
  /** What an error calls it. */
  readonly name: string;
  /** Starts it; `last` is where it was before, absent at the first start. */
  readonly spawn: (last: URL | undefined) => ServerProcess;
  /** The address that the kit is to use, where it is not the one that the server prints. */
  readonly url?: URL;
  /** Bearer token of its hooks, where it was given one. */
  readonly hooksToken?: string;
  /** Certificate of its own making, in PEM, where it was given one. */
  readonly cert?: string;
  /** Takes away what it leaves behind, once it is not to be started again. */
  readonly cleanUp?: () => void;
}

/** How a server is ended: at once, or asked to end in its own time. */
export type Ending = 'kill' | 'term';

/** An implementation could not be started; the message is one line for its user. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

const TAIL = 2000;
const START_MS = 20_000;
const KILL_AFTER_MS = 3000;

// While it was gone somebody's connection may have been given its port.
const PORT_TAKEN = /EADDRINUSE/;
const ATTEMPTS = 4;

// Whatever ends the kit must not leave servers behind.
const running = new Set<OwnedServer>();
const killAll = (): void => running.forEach((server) => server.abandon());

/** A server that the kit started and may end, and start again as it was: same command, environment and folder. */
export class OwnedServer {
  readonly #launch: Launch;
  #child: ServerProcess;
  #url: URL;
  #said = '';
  #ending = false;
  #trouble: string | undefined;
  #closed: Promise<unknown>;

  /** Starts a server; rejects with `StartError` where it prints no URL. */
  static async start(launch: Launch): Promise<OwnedServer> {
    const server = new OwnedServer(launch);
    server.#url = await server.#address().catch((error: unknown) => {
      launch.cleanUp?.();
      throw error;
    });
    if (running.size === 0) process.once('exit', killAll);
    running.add(server);
    return server;
  }

  private constructor(launch: Launch) {
    standBy();
    this.#launch = launch;
    this.#child = launch.spawn(undefined);
    this.#url = new URL('http://127.0.0.1');
    this.#closed = this.#watch();
  }

  /** Its address; a restart may change it. */
  get url(): URL {
    return this.#launch.url ?? this.#url;
  }

  /** Bearer token of its hooks, where the kit gave it one. */
  get hooksToken(): string | undefined {
    return this.#launch.hooksToken;
  }

  /** Whom to trust before it. */
  get tls(): TlsSettings | undefined {
    const { cert } = this.#launch;
    return cert === undefined ? undefined : { ca: cert };
  }

  /** What it did by itself: it ended, or it did not come back. Undefined while all is as the kit has it. */
  readonly trouble = (): string | undefined => this.#trouble;

  /** Asks it to end in its own time, and does not wait. */
  drain(): void {
    this.#ending = true;
    this.#signal('SIGTERM');
  }

  /** Ends it, and resolves when it has let go of its port; one that ignores `term` is killed after `ms`. */
  async end(how: Ending, ms: number): Promise<void> {
    // Who is asked twice to end may take it for impatience.
    if (how === 'kill' || !this.#ending) this.#signal(how === 'kill' ? 'SIGKILL' : 'SIGTERM');
    this.#ending = true;
    await Promise.race([this.#closed, once(AbortSignal.timeout(Math.ceil(ms)), 'abort')]);
    this.#signal('SIGKILL');
    await this.#closed;
  }

  /** Starts again what was ended; rejects with `StartError` where it does not come back. */
  async start(): Promise<URL> {
    await this.#closed;
    for (let attempt = 1; ; attempt++) {
      this.#said = '';
      this.#child = this.#launch.spawn(this.#url);
      this.#closed = this.#watch();
      try {
        this.#url = await this.#address();
        this.#ending = false;
        return this.url;
      } catch (error) {
        if (attempt < ATTEMPTS && PORT_TAKEN.test(this.#said)) continue;
        this.#trouble = `it did not start again: ${(error as Error).message}`;
        throw error;
      }
    }
  }

  /** Ends the process and all that it started. */
  async stop(how: Ending = 'term'): Promise<void> {
    await this.end(how, KILL_AFTER_MS);
    running.delete(this);
    if (running.size === 0) process.off('exit', killAll);
    this.#launch.cleanUp?.();
  }

  /** Ends it without a word, where nobody can wait. */
  abandon(): void {
    this.#signal('SIGKILL');
    this.#launch.cleanUp?.();
  }

  // `close` and not `exit`: a shell is gone before the server that it started.
  #watch(): Promise<unknown> {
    const child = this.#child;
    child.stderr.on('data', (chunk: Buffer) => (this.#said = `${this.#said}${chunk.toString('utf8')}`.slice(-TAIL)));
    child.once('exit', (code, signal) => {
      if (this.#ending) return;
      this.#trouble = `it ended by itself (${signal ?? `exit code ${String(code)}`}); it said: ${telling(this.#said)}`;
    });
    const closed = new Promise((resolve) => child.once('close', resolve).once('error', resolve));
    if (child.pid !== undefined) guard(-child.pid, closed);
    return closed;
  }

  async #address(): Promise<URL> {
    const url = await Promise.race([
      firstUrl(this.#child),
      this.#closed.then(() => undefined),
      once(AbortSignal.timeout(START_MS), 'abort').then(() => undefined),
    ]);
    if (url !== undefined) return url;
    await this.end('kill', 0);
    throw new StartError(`${this.#launch.name} printed no URL; it said: ${telling(this.#said)}`);
  }

  // A shell's children are of its group: without them the port would stay taken.
  #signal(name: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, name);
    } catch {
      // The group is gone already.
    }
  }
}

// Nothing runs here any more where the kit itself is killed.
function guard(group: number, closed: Promise<unknown>): void {
  watch(group);
  void closed.then(() => {
    unwatch(group);
  });
}

// The last line of a stack trace tells least.
function telling(said: string): string {
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  return lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? 'nothing';
}

function firstUrl({ stdout }: ServerProcess): Promise<URL> {
  return new Promise((resolve) => {
    createInterface({ input: stdout }).on('line', (line) => {
      const text = line.trim();
      if (/^https?:\/\//.test(text) && URL.canParse(text)) resolve(new URL(text));
    });
  });
}
