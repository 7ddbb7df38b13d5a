import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../support/package-root.js';
import { standBy, unwatch, watch } from '../../support/watchdog.js';
import { residentKiB } from '../processes.js';

const root = packageRoot();

/** A program of this repository as it is built. */
export const built = (file: string): string => join(root, 'dist', file);
export const source = (file: string): string => join(root, file);

const folders: string[] = [];
process.once('exit', () => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** A file of settings, in a folder of its own that goes with this process. */
export function file(name: string, content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'porthouse-bench-'));
  folders.push(folder);
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** A core for each side, where the system lets programs choose and there is more than one. */
const CORES = { load: '0', server: '1' } as const;

/** Whether both sides run on a core of their own. */
export const pinned = process.platform === 'linux' && availableParallelism() > 1;

interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a program on its core, with its standard output and an IPC channel to read. */
export function startOn(core: keyof typeof CORES, { command, args, env }: Command): ChildProcess {
  const all = pinned ? ['taskset', '-c', CORES[core], command, ...args] : [command, ...args];
  standBy();
  const child = spawn(all[0] ?? command, all.slice(1), {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', core === 'load' ? 'inherit' : 'ignore', 'ipc'],
  });
  const { pid } = child;
  if (pid === undefined) return child;
  watch(pid); // none may outlive the benchmark
  child.once('exit', () => unwatch(pid));
  return child;
}

/** The first line that a program prints. */
export async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('no output to read');
  const early = once(child, 'exit').then(() => {
    throw new Error('a server ended before it listened');
  });
  const [line] = (await Promise.race([once(createInterface({ input: child.stdout }), 'line'), early])) as [string];
  return line;
}

/** A server that listens, in a process of its own. */
export interface Started {
  readonly url: string;
  readonly pid: number;
  /** KiB of memory that it has in RAM, less garbage; null where the system does not tell. */
  memory(): Promise<number | null>;
  stop(): Promise<void>;
}

export function started(child: ChildProcess, url: string, collects: boolean): Started {
  const pid = child.pid ?? 0;
  return {
    url,
    pid,
    async memory() {
      if (collects) {
        child.send('collect');
        await once(child, 'message');
      }
      return residentKiB(pid);
    },
    async stop() {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}
