import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../support/package-root.js';
import { selfMadeCertificate } from './certificate.js';
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
  /** Whether it has hooks for tests: with this bearer token, or with one of its own. */
  readonly hooks?: boolean | string;
  /** Whether it has a certificate, and so TLS wherever there can be TLS. */
  readonly tls?: boolean;
}

const dist = (...path: readonly string[]): string => join(packageRoot(import.meta.url), 'dist', ...path);

/** Rooms of the naked endpoints, and these: what cases in them need. */
const NAKED_ROOMS = {
  quay: { anonymous: { send: true, receive: true } },
  jetty: { anonymous: { send: true, receive: true } },
  stream: { anonymous: { send: true, receive: true }, boundaries: 'ignored' },
};
const NAKED = [
  { transport: 'tcp', framing: 'line', messagesPerSecond: 1000 },
  { transport: 'tcp', framing: 'line', scopes: ['receive'], maxConnections: 2 },
  { transport: 'tcp', framing: 'line', scopes: ['send'], messagesPerSecond: 5 },
  { transport: 'tcp', framing: 'raw', room: 'stream' },
  { transport: 'tcp', framing: 'raw', room: 'stream', maxBytes: 10, messagesPerSecond: 5 },
  { transport: 'udp', kind: 'text', messagesPerSecond: 20 },
  { transport: 'udp', kind: 'text', messagesPerSecond: 5 },
  { transport: 'form' },
  { transport: 'form', messagesPerSecond: 10, room: 'jetty' },
].map((each) => ({ room: 'quay', listed: true, ...(each.transport !== 'form' && { port: 0 }), ...each }));

/** A certificate that a server of the kit's reads from its folder. */
function identityIn(folder: string): { cert: string; files: { certFile: string; keyFile: string } } {
  const { cert, key } = selfMadeCertificate();
  const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
  writeFileSync(files.certFile, cert);
  writeFileSync(files.keyFile, key, { mode: 0o600 });
  return { cert, files };
}

/**
 * Starts the reference server in a process of its own, on a free port and with a folder for its settings and its data,
 * all of which it keeps when it is started again.
 */
export function startReferenceServer(options: ReferenceOptions = {}): Promise<OwnedServer> {
  const { nodeArguments = [], environment = {}, hooks = false, tls = false } = options;
  const folder = mkdtempSync(join(tmpdir(), 'porthouse-'));
  const config = join(folder, 'config.json');
  const hooksToken = typeof hooks === 'string' ? hooks : randomBytes(32).toString('base64url');
  const identity = tls ? identityIn(folder) : undefined;
  const settings = {
    dataDir: join(folder, 'data'),
    tcp: { port: 0 },
    udp: { port: 0 },
    ftp: { port: 0 },
    rooms: NAKED_ROOMS,
    naked: NAKED,
    ...(hooks !== false && { testHooks: { token: hooksToken } }),
    ...(identity && { tls: identity.files }),
  };
  writeFileSync(config, JSON.stringify(settings), { mode: 0o600 });
  const command = [...nodeArguments, dist('reference-server', 'main.js'), '--config', config, '--port'];
  return OwnedServer.start({
    name: 'the reference server',
    spawn: (last): ServerProcess =>
      spawn(process.execPath, [...command, last === undefined ? '0' : last.port], {
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
        env: { ...process.env, ...environment },
      }),
    cleanUp: () => rmSync(folder, { recursive: true, force: true }),
    ...(hooks === false ? {} : { hooksToken }),
    ...(identity && { cert: identity.cert }),
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
