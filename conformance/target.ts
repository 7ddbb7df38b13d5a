import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../support/package-root.js';
import type { ServerProcess } from './owned-server.js';
import { OwnedServer } from './owned-server.js';

export { StartError } from './owned-server.js';

/** Account tokens that the reference server takes in development mode. */
export const DEVELOPMENT_TOKENS = ['dev.a', 'dev.b'] as const;

/** What is special about a reference server. */
export interface ReferenceOptions {
  /** Arguments of Node before the server's own. */
  readonly nodeArguments?: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
}

const dist = (...path: readonly string[]): string => join(packageRoot(import.meta.url), 'dist', ...path);

/**
 * Starts the reference server in a process of its own, on a free port and with a folder for its data, both of which it
 * keeps when it is started again.
 */
export function startReferenceServer(options: ReferenceOptions = {}): Promise<OwnedServer> {
  const { nodeArguments = [], environment = {} } = options;
  const data = mkdtempSync(join(tmpdir(), 'porthouse-'));
  const main = [...nodeArguments, dist('reference-server', 'main.js'), '--data-dir', data];
  return OwnedServer.start({
    name: 'the reference server',
    spawn: (last): ServerProcess =>
      spawn(process.execPath, [...main, '--port', last?.port ?? '0'], {
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
        env: { ...process.env, ...environment },
      }),
    cleanUp: () => rmSync(data, { recursive: true, force: true }),
  });
}

/**
 * Starts an implementation by a shell command; the first line of its stdout that is a URL is its address, at every
 * start anew.
 *
 * @param url - the address that the kit is to use instead.
 */
export function startCommand(command: string, url?: URL): Promise<OwnedServer> {
  return OwnedServer.start({
    name: command,
    spawn: (): ServerProcess => spawn(command, { shell: true, stdio: ['ignore', 'pipe', 'pipe'], detached: true }),
    ...(url === undefined ? {} : { url }),
  });
}
