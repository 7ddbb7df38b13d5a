import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../support/package-root.js';

/** A server to be held against the kit. */
export interface Server {
  readonly url: URL;
  readonly stop: () => Promise<void>;
  /** What went wrong inside, where that can be known. */
  readonly faults?: () => readonly string[];
}

const dist = (...path: readonly string[]): string => join(packageRoot(import.meta.url), 'dist', ...path);

/** What was said on stderr before a server gave up; the last lines tell the cause. */
const TAIL = 600;

/**
 * Starts the reference server in a process of its own, with one patch applied where `patch` names it.
 *
 * @throws If the process ends before it printed its address.
 */
export async function startReference(patch?: string): Promise<Server> {
  const hooks = patch === undefined ? [] : ['--import', dist('reference-server', 'mutants', 'register.js')];
  const env = patch === undefined ? process.env : { ...process.env, PORTHOUSE_MUTANT: patch };
  const child = spawn(process.execPath, [...hooks, dist('reference-server', 'main.js'), '--port', '0'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString('utf8')}`.slice(-TAIL)));
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([once(lines, 'line'), once(child, 'exit').then(() => [])])) as readonly unknown[];
  if (typeof line !== 'string') throw new Error(`the server did not start: ${lastLine(said)}`);
  return { url: new URL(line), stop: () => stop(child) };
}

function lastLine(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.find((line) => /Error: /.test(line)) ?? lines.at(-1) ?? 'no output';
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
