import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../support/package-root.js';

/** A server under test that the kit started. */
export interface StartedTarget {
  readonly url: URL;
  /** Ends the process and all that it started. */
  readonly stop: () => Promise<void>;
}

/** An implementation could not be started; the message is one line for its user. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** Account tokens that the reference server takes in development mode. */
export const DEVELOPMENT_TOKENS = ['dev.a', 'dev.b'] as const;

const TAIL = 2000;
const START_MS = 20_000;
const KILL_AFTER_MS = 3000;

/** Starts the reference server in a process of its own, on a free port. */
export function startReferenceServer(): Promise<StartedTarget> {
  const main = join(packageRoot(import.meta.url), 'dist', 'reference-server', 'main.js');
  const child = spawn(process.execPath, [main, '--port', '0'], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  return addressOf(child, 'the reference server');
}

/** Starts an implementation by a shell command; the first line of its stdout that is a URL is its address. */
export function startCommand(command: string): Promise<StartedTarget> {
  const child = spawn(command, { shell: true, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  return addressOf(child, command);
}

type Child = ChildProcess & { readonly stdout: NodeJS.ReadableStream; readonly stderr: NodeJS.ReadableStream };

async function addressOf(child: Child, name: string): Promise<StartedTarget> {
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString('utf8')}`.slice(-TAIL)));
  const url = await Promise.race([
    firstUrl(child),
    once(child, 'exit').then(() => undefined),
    once(child, 'error').then(() => undefined),
    once(AbortSignal.timeout(START_MS), 'abort').then(() => undefined),
  ]);
  if (url !== undefined) return { url, stop: guarded(child) };
  await stop(child);
  throw new StartError(`${name} printed no URL; it said: ${telling(said)}`);
}

// The last line of a stack trace tells least.
function telling(said: string): string {
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  return lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? 'nothing';
}

// Whatever ends the kit must not leave the server behind.
function guarded(child: ChildProcess): () => Promise<void> {
  const kill = (): void => {
    if (child.pid !== undefined) signal(child.pid, 'SIGKILL');
  };
  process.once('exit', kill);
  return async () => {
    await stop(child);
    process.off('exit', kill);
  };
}

function firstUrl({ stdout }: Child): Promise<URL> {
  return new Promise((resolve) => {
    createInterface({ input: stdout }).on('line', (line) => {
      const text = line.trim();
      if (/^https?:\/\//.test(text) && URL.canParse(text)) resolve(new URL(text));
    });
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  signal(child.pid, 'SIGTERM');
  const limit = AbortSignal.timeout(KILL_AFTER_MS);
  await Promise.race([ended, once(limit, 'abort')]);
  signal(child.pid, 'SIGKILL');
  await ended;
}

// A shell's children are of its group: without them the port would stay taken.
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name);
  } catch {
    // The group is gone already.
  }
}
