import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type AddressInfo, connect, createServer } from 'node:net';
import { once } from 'node:events';
import type { Job } from '../load/job.js';
import type { Row, ServerName } from '../plan.js';
import { type Started, built, file, firstLine, source, startOn, started } from './started.js';

/** What a server has to be started for. */
type Purpose = Pick<Row, 'unmasking' | 'memory'>;

/** The young generation of the heap, in MiB: how far it grows says nothing about what is kept. */
const SMALL_YOUNG = ['--min-semi-space-size=1', '--max-semi-space-size=1'];

interface Entry {
  readonly dialect: Job['dialect'];
  /** Most messages that may be under way, where it cannot be as many as a row has. */
  readonly window?: number;
  /** Version of what would be measured; null where it is not installed. */
  readonly version: () => string | null;
  readonly start: (purpose: Purpose) => Promise<Started>;
}

const require = createRequire(import.meta.url);

function packageVersion(name: string): string | null {
  try {
    return (require(`${name}/package.json`) as { version: string }).version;
  } catch {
    return null;
  }
}

/** Whether `ws` unmasks in native code where it is let. */
export const bufferutil = (): string | null => packageVersion('bufferutil');

/** The version that a program prints when asked; null where there is no such program. */
function programVersion(command: string, option: string): string | null {
  const { stdout, error } = spawnSync(command, [option], { encoding: 'utf8' });
  return error ? null : (/\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? 'unknown');
}

/** Debian puts servers where not every account looks for programs. */
const programs = (name: string): string => (existsSync(`/usr/sbin/${name}`) ? `/usr/sbin/${name}` : name);

interface OnNode {
  readonly file: string;
  readonly args?: readonly string[];
  /** What a user of it has who does what its documentation says. */
  readonly installed: 'javascript' | 'native';
}

async function startOnNode({ file, args = [], installed }: OnNode, { unmasking, memory }: Purpose): Promise<Started> {
  const young = memory ? SMALL_YOUNG : [];
  const native = (unmasking === 'as installed' ? installed : unmasking) === 'native';
  const child = startOn('server', {
    command: process.execPath,
    args: [...young, '--expose-gc', '--import', built('bench/servers/collect.js'), file, ...args],
    env: native ? {} : { WS_NO_BUFFER_UTIL: '1' },
  });
  return started(child, await firstLine(child), true);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

const TRIES = 200;
const BETWEEN_TRIES_MS = 25;

/** Starts a program that does not tell when it listens. */
async function startProgram(name: string, args: (port: number) => readonly string[]): Promise<Started> {
  const port = await freePort();
  const child = startOn('server', { command: programs(name), args: args(port) });
  child.stdout?.resume();
  for (let tries = 0; !(await listens(port)); tries++) {
    if (tries === TRIES) throw new Error(`${name} does not listen`);
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_TRIES_MS));
  }
  return started(child, `http://127.0.0.1:${String(port)}`, false);
}

/** Room for as many connections as a row holds; everything else is as the servers have it. */
const MANY = 100_000;
/** In a closed loop all that is under way may wait for one member, which is no slow consumer for being late with it. */
const WINDOW = { maxQueuedMessages: 4096, maxQueuedBytes: 8 * 1024 * 1024 };

const limits = { maxSessions: MANY, maxConnections: MANY, maxMembers: MANY, ...WINDOW };
const porthouseConfig = (): string => file('porthouse.json', JSON.stringify({ limits, logLevel: 'fatal' }));
const mosquittoConfig = (port: number): string =>
  file('mosquitto.conf', `listener ${String(port)} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n`);

/** As many datagrams as the kernel keeps of a socket that is not read for a moment. */
const UDP_WINDOW = 100;
/** As many messages as may stand in one form, a few less. */
const FORM_WINDOW = 60;

const porthouse = (dialect: Job['dialect']): Entry => ({
  dialect,
  version: () => packageVersion('porthouse') ?? 'this',
  start: (purpose) => {
    const args = ['--port', '0', '--config', porthouseConfig()];
    return startOnNode({ file: built('reference-server/main.js'), args, installed: 'native' }, purpose);
  },
});

export const CATALOGUE: Readonly<Record<ServerName, Entry>> = {
  porthouse: porthouse('porthouse'),
  websocket: porthouse('porthouse'),
  'tcp-line': porthouse('porthouseLine'),
  'tcp-frame': porthouse('porthouseFrame'),
  udp: { ...porthouse('porthouseUdp'), window: UDP_WINDOW },
  form: { ...porthouse('porthouseForm'), window: FORM_WINDOW },
  naive: {
    dialect: 'webSocket',
    version: () => packageVersion('ws'),
    start: (purpose) => startOnNode({ file: built('bench/servers/naive.js'), installed: 'javascript' }, purpose),
  },
  'socket.io': {
    dialect: 'socketIo',
    version: () => packageVersion('socket.io'),
    start: (purpose) => startOnNode({ file: source('bench/servers/socket-io.mjs'), installed: 'javascript' }, purpose),
  },
  nats: {
    dialect: 'nats',
    version: () => programVersion(programs('nats-server'), '--version'),
    start: () => startProgram('nats-server', (port) => ['-a', '127.0.0.1', '-p', String(port)]),
  },
  mosquitto: {
    dialect: 'mqtt',
    version: () => programVersion(programs('mosquitto'), '-h'),
    start: () => startProgram('mosquitto', (port) => ['-c', mosquittoConfig(port)]),
  },
};
