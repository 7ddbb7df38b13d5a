import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import type { Grant, SessionRequest } from '../generated/types.js';
import { packageRoot } from '../support/package-root.js';
import { startServer } from './compose.js';
import { type Config, ConfigError, loadConfig } from './config/config.js';
import { NakedUdp } from './ingress/udp/naked.js';
import { TYPE } from './ingress/udp/datagram.js';
import { udpSockets } from './listeners/udp.js';
import type { Address } from './ports/sockets.js';
import { MemoryNetwork, UdpClient } from './testing/datagrams.js';
import { World } from './testing/world.js';

const CI = process.env['CI'] === 'true';

/** Skips a test by name where a program is missing, but never where everything has to be there. */
const without = (program: string, ...args: string[]): { skip?: string } =>
  CI || spawnSync(program, args).error === undefined ? {} : { skip: `${program} is not installed` };

async function serving(t: Test, more: Partial<Config> = {}) {
  const config = { ...loadConfig(undefined, { port: 0 }), logLevel: 'fatal', ...more };
  const server = await startServer(config);
  t.teardown(() => server.drain());
  return server;
}

async function ask(url: string, request: Omit<SessionRequest, 'room'> & { room?: string }): Promise<Grant> {
  const headers = { 'content-type': 'application/json', authorization: 'Bearer dev.alice' };
  const body = JSON.stringify({ room: 'lobby', ...request });
  const response = await fetch(`${url}/porthouse/v1/sessions`, { method: 'POST', headers, body });
  return (await response.json()) as Grant;
}

/** A member over UDP on real sockets. */
async function member(t: Test, url: string): Promise<UdpClient> {
  const grant = await ask(url, { transport: 'udp' });
  const { hostname, port } = new URL(grant.endpoints.pipe);
  const client = await new UdpClient(grant, { host: hostname, port: Number(port) }).bind(udpSockets);
  t.teardown(() => client.close());
  return client.open();
}

const ended = async (program: ChildProcess): Promise<number> => ((await once(program, 'exit')) as [number])[0];

async function texts(client: UdpClient, count: number): Promise<string[]> {
  return (await client.messages(count)).map(({ payload }) => String(payload));
}

void t.test('a program in another language opens a pipe and sends', without('python3', '--version'), async (t) => {
  const { url } = await serving(t);
  const listener = await member(t, url);
  const sensor = spawn('python3', [join(packageRoot(), 'examples/sensor.py'), url, 'lobby']);
  sensor.stdin.end('21.5 C\n22.0 C\n');
  const [said, code] = await Promise.all([buffer(sensor.stdout), ended(sensor)]);
  t.equal(code, 0);
  t.equal(String(said), 'open\nclosed 1000 after 2\n');
  t.same(await texts(listener, 2), ['21.5 C', '22.0 C']);
});

/** A port that is free at the moment. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise<void>((closed) => void socket.close(closed));
  return port;
}

void t.test('anything that can fire a datagram speaks at a naked port', without('nc', '-h'), async (t) => {
  const port = await freePort();
  const limits = { room: 'lobby', kind: 'text', maxBytes: 20, messagesPerSecond: 100, listed: false } as const;
  const { url } = await serving(t, { naked: [{ transport: 'udp', port, ...limits }] });
  const listener = await member(t, url);
  const nc = spawn('nc', ['-u', '-w', '1', '127.0.0.1', String(port)]);
  nc.stdin.end('door open');
  t.same(await texts(listener, 1), ['door open']);
  nc.kill();
});

void t.test('a naked port is refused by a room that does not admit what would come', async (t) => {
  const naked = { transport: 'udp', port: 0, kind: 'text', maxBytes: 20, messagesPerSecond: 1, listed: false } as const;
  const rooms = {
    private: { anonymous: { receive: true, send: false } },
    numbers: { format: 'binary' as const, anonymous: { receive: false, send: true } },
  };
  const start = (room: string) => serving(t, { rooms: { lobby: {}, ...rooms }, naked: [{ ...naked, room }] });
  const wanted = {
    nowhere: 'room_not_found',
    private: 'forbidden',
    numbers: 'format_unsupported',
    lobby: 'unauthenticated',
  };
  for (const [room, why] of Object.entries(wanted)) {
    const message = `naked/0/room: ${room} does not admit it: ${why}`;
    await t.rejects(start(room), { constructor: ConfigError, message });
  }
});

void t.test('a naked port takes what is short, legible and not too fast, and never answers', async (t) => {
  const world = new World({ ticking: true, pipes: { udp: 'udp://127.0.0.1:1' } });
  const network = new MemoryNetwork();
  const at: Address = { host: '127.0.0.1', port: 9000 };
  const settings = { room: 'lobby', kind: 'text', maxBytes: 5, messagesPerSecond: 4 } as const;
  const { clock, router } = world;
  const naked = await NakedUdp.listen({ ...settings, sockets: network, at, door: router, grants: router, clock });
  if ('refused' in naked) throw new Error(naked.refused);
  const listener = world.join();
  const fire = (bytes: string | Buffer): void =>
    network.carry({ from: { host: '10.0.0.9', port: 9 }, to: at, bytes: Buffer.from(bytes) });
  for (const bytes of ['one', 'longer', Buffer.from([0xc3, 0x28]), 'two', 'three', 'four!', 'fast!']) fire(bytes);
  await listener.sink.arrived(3);
  t.same(listener.received, ['text one', 'text two', 'text three'], 'what is not legible took a turn all the same');
  clock.advance(250);
  fire('again');
  await listener.sink.arrived(4);
  t.same(listener.received.at(-1), 'text again');
  t.ok(network.sent.every(({ from }) => from.port === 9));
  naked.close();
});

void t.test('a server that stops says so to pipes over UDP', async (t) => {
  const server = await startServer({ ...loadConfig(undefined, { port: 0 }), logLevel: 'fatal' });
  const client = await member(t, server.url);
  await server.drain();
  t.equal((await client.next(TYPE.close)).payload.readUInt16BE(), 4009);
});

void t.test('without UDP nobody is told of it', async (t) => {
  const { url } = await serving(t, { udp: null });
  t.match(await ask(url, { transport: 'udp' }), { error: { name: 'transport_unsupported' } });
  const discovery = (await (await fetch(`${url}/.well-known/porthouse`)).json()) as { profiles: string[] };
  t.notOk(discovery.profiles.includes('udp'));
});
