import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { Discovery, NakedEndpoint } from '../generated/types.js';
import { validate } from '../generated/validate.js';
import { packageRoot } from '../support/package-root.js';
import { startServer } from './compose.js';
import { ConfigError, loadConfig } from './config/config.js';
import { type NakedFile, nakedOf } from './config/naked.js';
import { NakedTcp } from './ingress/tcp/naked.js';
import { RequestLine } from './ingress/tcp/request-line.js';
import { tcpListeners } from './listeners/tcp.js';
import { Connections } from './listeners/connections.js';
import { ask } from './testing/http.js';
import { holds, holdsAsync } from './testing/property.js';
import { TcpClient } from './testing/tcp-client.js';
import { until } from './testing/until.js';
import { World } from './testing/world.js';

const PEM = join(packageRoot(), 'reference-server/testing/tls');
const tls = { certFile: join(PEM, 'cert.pem'), keyFile: join(PEM, 'key.pem') };
const ca = readFileSync(tls.certFile, 'utf8');
const ROOMS = {
  lobby: { anonymous: { send: true, receive: true } },
  radio: { anonymous: { send: true, receive: true }, boundaries: 'ignored' as const },
  notices: { anonymous: { send: false, receive: true } },
};

interface Serving {
  readonly url: string;
  readonly discovery: Discovery;
  readonly naked: readonly NakedEndpoint[];
}

async function serving(t: Test, naked: readonly NakedFile[], more: { tls?: typeof tls } = {}): Promise<Serving> {
  const config = { ...loadConfig(undefined, { port: 0 }), logLevel: 'fatal', rooms: ROOMS, ...more };
  const limits = { ...config.limits, drainMs: 0, preambleMs: 200 };
  const server = await startServer({
    ...config,
    limits,
    naked: nakedOf(naked, { tls: config.tls, form: config.form }),
  });
  t.teardown(() => server.drain());
  const discovery = JSON.parse((await ask(server.url, { path: '/.well-known/porthouse', ca })).body) as Discovery;
  t.ok(validate['http/discovery'](discovery));
  return { url: server.url, discovery, naked: discovery.endpoints.naked ?? [] };
}

function dialled(t: Test, naked: NakedEndpoint | undefined, trust?: string): TcpClient {
  const { hostname: host, port } = new URL(String(naked?.url));
  const client = new TcpClient({ host, port: Number(port) }, trust);
  t.teardown(() => client.cut());
  return client;
}

const LINES = { transport: 'tcp', room: 'lobby', port: 0, listed: true } as const;

void t.test('netcat needs no more than an address', async (t) => {
  if (spawnSync('nc', ['-h']).error) {
    if (process.env.CI === 'true') t.fail('nc is not installed');
    else t.comment('nc is not installed');
    return;
  }
  const { naked } = await serving(t, [LINES]);
  const { hostname, port } = new URL(String(naked[0]?.url));
  const [one, two] = [1, 2].map(() => spawn('nc', [hostname, port]));
  if (!one || !two) throw new Error('no netcats');
  t.teardown(() => [one, two].forEach((each) => each.kill()));
  const heard = new Promise((resolve) => two.stdout.once('data', (said: Buffer) => resolve(String(said))));
  const calling = setInterval(() => one.stdin.write('ahoy\n'), 20); // until the other is there
  t.match(await heard, /^(ahoy\n)+$/);
  clearInterval(calling);
});

void t.test('with a certificate nobody is a member before the handshake', async (t) => {
  const { naked } = await serving(t, [LINES, { ...LINES, tls: false }], { tls });
  t.match(
    naked.map(({ url }) => new URL(url).protocol),
    ['tls:', 'tcp:'],
  );
  const listener = dialled(t, naked[1]);
  const plain = dialled(t, naked[0]);
  plain.write('in the clear\n');
  const [silent, inside] = [dialled(t, naked[0]), dialled(t, naked[0], ca)];
  const calling = setInterval(() => inside.write('inside\n'), 20);
  t.equal(await listener.line(), 'inside');
  clearInterval(calling);
  t.match(Buffer.from((await plain.ended()).rest, 'latin1').toString('hex'), /^(1503..0002....)?$/, 'at most an alert');
  t.equal((await silent.ended()).rest, '', 'a handshake has its time');
});

void t.test('a form needs nothing but the address', async (t) => {
  const { url, naked } = await serving(t, [LINES, { transport: 'form', room: 'lobby', listed: true }]);
  const listener = dialled(t, naked[0]);
  const said = listener.line();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const path = String(naked[1]?.url);
  const post = () => ask(url, { method: 'POST', path, headers, body: 'message=low+tide' });
  const calling = setInterval(() => void post(), 20); // until the listener is there
  t.equal(await said, 'low tide');
  clearInterval(calling);
  t.match(JSON.parse((await post()).body), { room: 'lobby', messages: [{ n: 1, kind: 'text' }] });
  t.equal(
    (await ask(url, { method: 'POST', path: '/porthouse/v1/naked/radio', headers, body: 'message=x' })).status,
    404,
  );
});

void t.test('what is not listed is not told of, and no profile is declared for it', async (t) => {
  const { discovery, naked } = await serving(t, [{ ...LINES, listed: false }]);
  t.same([naked, discovery.profiles.includes('naked')], [[], false]);
});

void t.test(
  'an endpoint that its room does not admit, or that is written wrong, is refused at the start',
  async (t) => {
    const wrong: readonly (readonly [NakedFile, string])[] = [
      [{ ...LINES, room: 'nowhere' }, 'naked/0/room: nowhere does not admit it: room_not_found'],
      [{ ...LINES, room: 'notices' }, 'naked/0/room: notices does not admit it: forbidden'],
      [{ transport: 'form', room: 'notices' }, 'naked/0/room: notices does not admit it: forbidden'],
      [{ ...LINES, framing: 'raw' }, 'naked/0/room: lobby does not admit it: framing_unsupported'],
      [{ ...LINES, kind: 'text' }, 'naked/0/kind: belongs to udp'],
      [{ transport: 'form', room: 'lobby', port: 1 }, 'naked/0/port: belongs to udp and tcp'],
      [{ transport: 'tcp', room: 'lobby' }, 'naked/0/port: is needed'],
      [{ ...LINES, tls: true }, 'naked/0/tls: needs the setting `tls`'],
    ];
    for (const [file, message] of wrong) await t.rejects(serving(t, [file]), { constructor: ConfigError, message });
    const twice = { transport: 'form', room: 'lobby' } as const;
    await t.rejects(serving(t, [twice, twice]), { message: 'naked/0/room: has one path for forms' });
  },
);

const textOf = ({ payload }: { readonly payload: Buffer }): string => String(payload);

/** An endpoint before the real router, whose time goes by hand. */
async function endpoint(t: Test, settings: Partial<ConstructorParameters<typeof NakedTcp>[0]> = {}) {
  const world = new World({ ticking: true, rooms: ROOMS, streams: true });
  const { clock, router } = world;
  const usual = { room: 'lobby', framing: 'line', scopes: ['send', 'receive'], maxBytes: 10 } as const;
  const rates = { messagesPerSecond: 2, maxConnections: 10 };
  const naked = new NakedTcp({ ...usual, ...rates, ...settings, door: router, grants: router, clock });
  const at = { host: '127.0.0.1', port: 0 };
  const listener = await tcpListeners(new Connections(10)).listen(at, (socket) => naked.accept(socket));
  t.teardown(() => listener.close());
  const dial = (): TcpClient => {
    const client = new TcpClient(listener.address);
    t.teardown(() => client.cut());
    return client;
  };
  return { world, naked, dial };
}

void t.test('what comes too fast waits, and the end waits behind it', async (t) => {
  const { world, dial } = await endpoint(t);
  const listener = world.join();
  const client = dial();
  client.write('1\n2\n3\n4\n5\n');
  client.socket.end();
  const texts = async (count: number) => (await listener.sink.arrived(count)).map(({ payload }) => String(payload));
  t.same(await texts(2), ['1', '2'], 'a second full at once');
  t.equal(world.router.sessions, 2);
  world.clock.advance(1000);
  t.same(await texts(4), ['1', '2', '3', '4']);
  world.clock.advance(500);
  t.same(await texts(5), ['1', '2', '3', '4', '5']);
  t.equal(listener.sink.batches.flatMap(({ messages }) => messages).length, 5);
});

void t.test('of bytes, so many count as a message', async (t) => {
  const { world, dial } = await endpoint(t, { room: 'radio', framing: 'raw' });
  const listener = world.join({ room: 'radio' });
  const client = dial();
  client.write(`\n${'x'.repeat(39)}y`); // as much as four messages and a bit, where two go at once
  const bytes = (): string => listener.sink.batches.flatMap(({ messages }) => messages.map(textOf)).join('');
  await until(() => bytes().length === 20);
  for (const so of [30, 40, 41]) {
    world.clock.advance(499);
    await new Promise((resolve) => setImmediate(resolve));
    t.ok(bytes().length < so, 'not before there are tokens');
    world.clock.advance(1);
    await until(() => bytes().length === so);
  }
  t.equal(bytes(), `\n${'x'.repeat(39)}y`);
});

void t.test('a room that has no place, and a server that stops, have no word for who comes', async (t) => {
  const { naked, dial } = await endpoint(t);
  naked.drain();
  const { how, rest } = await dial().ended();
  t.match([how, rest], [/end|reset/, '']);
});

const WHOLE = /^[!#$%&'*+.^_`|~\w-]+ [\x21-\x7e\x80-\xff]+ HTTP\/1\.\d\r?\n/;
const words = fc.constantFrom('GET', ' ', '/', 'x', 'HTTP/1.', '1', '\r', '\n', '\0', '\x7f', '\xe9', '(');

void t.test('a request line is known however it is cut, and not before it is sure', (t) => {
  const property = fc.property(fc.array(words, { maxLength: 9 }), (pieces) => {
    const line = new RequestLine();
    const found = pieces.map((piece) => line.push(Buffer.from(piece, 'latin1'))).at(-1) ?? 'open';
    const said = pieces.join('');
    const ends = ['\n', '1\n', 'HTTP/1.1\n', '/ HTTP/1.1\n', ' HTTP/1.1\n', ' / HTTP/1.1\n', 'x / HTTP/1.1\n'];
    if (found === 'open') return !said.includes('\n');
    return found === 'is' ? WHOLE.test(said) : !ends.some((end) => WHOLE.test(said + end)) && !WHOLE.test(said);
  });
  holds(t, property, 500);
  t.equal(new RequestLine(3).push(Buffer.from('GET /')), 'is', 'what is too long');
  t.end();
});

void t.test('what could become a request waits, and is there when it ends otherwise', async (t) => {
  const { world, dial } = await endpoint(t, { room: 'radio', framing: 'raw' });
  const listener = world.join({ room: 'radio' });
  const client = dial();
  client.write('hello');
  await until(() => world.router.sessions === 2);
  client.socket.end();
  t.equal(String((await listener.sink.arrived(1))[0]?.payload), 'hello');
  const other = dial();
  other.write('GET / HTTP/1.1');
  other.socket.end();
  await other.ended();
  t.equal(listener.sink.batches.length, 1, 'the end of a line, too');
});

const noise = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
  fc.string({ maxLength: 100, unit: 'binary' }).map((text) => Buffer.from(`${text}\n`)),
  fc.constantFrom('\n', 'ahoy\r\n', 'GET / HTTP/1.1\r\n', 'message=', 'ticket=x').map((text) => Buffer.from(text)),
);

void t.test('random bytes at any of them reach the room as they are, or nobody', async (t) => {
  const fast = { room: 'lobby', port: 0, listed: true, messagesPerSecond: 1_000_000 };
  const { port: _port, ...form } = { ...fast, transport: 'form' } as const;
  const { url, naked } = await serving(t, [
    { ...fast, transport: 'tcp' },
    { ...fast, transport: 'udp', kind: 'text' },
    form,
  ]);
  const [watcher, good] = [dialled(t, naked[0]), dialled(t, naked[0])];
  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  const udp = new URL(String(naked[1]?.url));
  const sent: Buffer[] = [];
  const heardUntil = async (mark: string): Promise<boolean> => {
    for (let line = await watcher.line(); line !== mark; line = await watcher.line()) {
      if (!sent.some((bytes) => bytes.includes(line))) return false;
    }
    return true;
  };
  const calling = setInterval(() => good.write('mark\n'), 20); // until the watcher is there
  await heardUntil('mark');
  clearInterval(calling);
  sent.push(Buffer.from('mark'));
  let runs = 0;
  const property = fc.asyncProperty(fc.array(noise, { maxLength: 4 }), async (chunks) => {
    sent.push(...chunks, Buffer.concat(chunks));
    const stranger = dialled(t, naked[0]);
    for (const chunk of chunks) stranger.write(chunk);
    stranger.socket.end();
    await new Promise((done) => stranger.socket.once('finish', done).once('close', done));
    for (const chunk of chunks) socket.send(chunk, Number(udp.port), udp.hostname);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = Buffer.concat(chunks).toString('latin1').replaceAll('message=', 'massage='); // it would be decoded
    const { status } = await ask(url, { method: 'POST', path: String(naked[2]?.url), headers, body });
    const mark = `mark ${String(++runs)}`;
    good.write(`${mark}\n`);
    return status < 500 && (await heardUntil(mark)) && good.end === null;
  });
  await holdsAsync(t, property, 60);
});
