import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { Discovery, Framing, Grant } from '../generated/types.js';
import { packageRoot } from '../support/package-root.js';
import { startServer } from './compose.js';
import { type Config, loadConfig } from './config/config.js';
import { decoderFor } from './ingress/tcp/decoder.js';
import { encode } from './ingress/tcp/encode.js';
import type { Kind } from './ports/message.js';
import type { Address } from './ports/sockets.js';
import { ask } from './testing/http.js';
import { holds, holdsAsync } from './testing/property.js';
import { TcpClient } from './testing/tcp-client.js';

const LIMITS = { ticketMs: 2000, sessionLingerMs: 50, bindMs: 2000, drainMs: 50 };

async function running(t: Test): Promise<{ address: Address; grant: (framing: Framing) => Promise<Grant> }> {
  const config = loadConfig(undefined, { port: 0 });
  const server = await startServer({ ...config, logLevel: 'fatal', limits: { ...config.limits, ...LIMITS } });
  t.teardown(() => server.drain());
  const discovery = (await (await fetch(`${server.url}/.well-known/porthouse`)).json()) as Discovery;
  const address = addressOf(discovery.endpoints.pipe.tcp);
  return { address, grant: (framing) => granted(address, framing) };
}

function addressOf(url = ''): Address {
  const { hostname: host, port } = new URL(url);
  return { host, port: Number(port) };
}

/** A session, asked for over TCP. */
async function granted(address: Address, framing: Framing, ca?: string): Promise<Grant> {
  const client = new TcpClient(address, ca);
  const params = { room: 'lobby', transport: 'tcp', framing };
  client.write(`PH1-SIBLING\n${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'session.create', params })}\n`);
  await client.json();
  const { result } = (await client.json()) as { result?: Grant };
  client.cut();
  if (!result) throw new Error('refused');
  return result;
}

async function member(address: Address, grant: (framing: Framing) => Promise<Grant>): Promise<TcpClient> {
  return TcpClient.pipe(address, { ticket: (await grant('line')).pipeTicket, framing: 'line' });
}

/** Says a line until somebody hears it: whoever has not opened a pipe yet hears nothing. */
async function heard(from: TcpClient, to: TcpClient): Promise<string> {
  const calling = setInterval(() => from.write('is anybody there?\n'), 20);
  const line = await to.line();
  clearInterval(calling);
  return line;
}

interface Vector {
  readonly name: string;
  readonly framing: Framing;
  readonly kind: Kind;
  readonly payload: string;
  readonly wire: string;
}

void t.test('what stands on the wire is what others have made of it', (t) => {
  const { vectors } = JSON.parse(readFileSync(join(packageRoot(), 'spec/vectors/tcp.json'), 'utf8')) as {
    vectors: readonly Vector[];
  };
  for (const { name, framing, kind, payload, wire } of vectors) {
    const message = { kind, payload: Buffer.from(payload, 'hex'), id: '', from: '' };
    t.equal(Buffer.concat(encode(framing, [message])).toString('hex'), wire, name);
    const seen: unknown[] = [];
    const fault = decoderFor(framing, 1000).push(Buffer.from(wire, 'hex'), (...each) => seen.push(each));
    t.same([fault, seen], [null, [[kind, message.payload]]], name);
  }
  t.end();
});

void t.test('messages come out as they went in, however the bytes are cut', (t) => {
  const message = fc.record({
    kind: fc.constantFrom<Kind>('text', 'binary', 'json'),
    payload: fc.string({ maxLength: 40 }).map((text) => Buffer.from(text)),
  });
  const property = fc.property(
    fc.constantFrom<Framing>('line', 'frame'),
    fc.array(message, { maxLength: 8 }),
    fc.array(fc.nat({ max: 60 }), { maxLength: 20 }),
    (framing, messages, cuts) => {
      const sent = messages
        .map((each) => ({ ...each, id: '', from: '' }))
        .filter(({ payload }) => framing === 'frame' || !payload.includes('\n'));
      const wire = Buffer.concat([...encode(framing, sent), Buffer.from([1])]);
      const decoder = decoderFor(framing, 1000);
      const seen: [Kind, string][] = [];
      let rest = wire;
      for (const cut of [...cuts, wire.length]) {
        const fault = decoder.push(rest.subarray(0, cut), (kind, payload) =>
          seen.push([kind, payload.toString('hex')]),
        );
        if (fault) return false;
        rest = rest.subarray(cut);
      }
      const wanted = sent.map(({ kind, payload }) => [framing === 'line' ? 'text' : kind, payload.toString('hex')]);
      return JSON.stringify(seen) === JSON.stringify(wanted) && decoder.unfinished === 1;
    },
  );
  holds(t, property, 300);
  t.end();
});

void t.test('a byte at a time costs neither much memory nor much time', (t) => {
  const decoder = decoderFor('frame', 2 ** 20);
  decoder.push(Buffer.from([2, 4, 0, 0]), () => undefined);
  const began = process.memoryUsage().arrayBuffers;
  for (let index = 0; index < 200_000; index++) decoder.push(Buffer.from([index & 255]), () => undefined);
  t.equal(decoder.unfinished, 200_004);
  t.ok(process.memoryUsage().arrayBuffers - began < 2 ** 26);
  t.end();
});

const noise = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
  fc.string({ maxLength: 200 }).map((text) => Buffer.from(text)),
  fc
    .constantFrom('PH1', 'PH1 ', 'PH1-SIBLING\n', 'PH1-SIBLING\n{}\n', '\n', '\x01\x00')
    .map((text) => Buffer.from(text)),
);

void t.test('random bytes at any place end at most their own connection', async (t) => {
  const { address, grant } = await running(t);
  const [one, two] = [await member(address, grant), await member(address, grant)];
  await heard(one, two);
  const beginnings = async (): Promise<readonly string[]> => [
    '',
    'PH1-SIBLING\n',
    `PH1 ${(await grant('line')).pipeTicket} line\n`,
    `PH1 ${(await grant('frame')).pipeTicket} frame\n`,
  ];
  const property = fc.asyncProperty(fc.array(noise, { maxLength: 5 }), async (chunks) => {
    for (const beginning of await beginnings()) {
      const client = new TcpClient(address);
      for (const chunk of [Buffer.from(beginning), ...chunks]) client.write(chunk);
      client.socket.end();
      await new Promise((done) => client.socket.once('finish', done).once('close', done));
      client.cut();
    }
    return one.end === null && two.end === null;
  });
  await holdsAsync(t, property, 40);
  t.type(await heard(one, two), 'string');
});

void t.test('netcat reads a room and says something into it', async (t) => {
  if (spawnSync('nc', ['-h']).error) {
    if (process.env.CI === 'true') t.fail('nc is not installed');
    else t.comment('nc is not installed');
    return;
  }
  const { address, grant } = await running(t);
  const other = await member(address, grant);
  const nc = spawn('nc', [address.host, String(address.port)]);
  t.teardown(() => nc.kill());
  nc.stdin.write(`PH1 ${(await grant('line')).pipeTicket} line\n`);
  const calling = setInterval(() => nc.stdin.write('ahoy from nc\n'), 20);
  t.equal(await other.line(), 'ahoy from nc');
  clearInterval(calling);
  other.write('ahoy back\n');
  const said = await new Promise<Buffer>((resolve) => nc.stdout.once('data', resolve));
  t.equal(String(said), 'ahoy back\n');
});

const PEM = join(packageRoot(), 'reference-server/testing/tls');
const tls = { certFile: join(PEM, 'cert.pem'), keyFile: join(PEM, 'key.pem') };
const ca = readFileSync(tls.certFile, 'utf8');

/** A server with a certificate, by its sockets alone: `tls` addresses. */
async function secured(t: Test, limits: Partial<Config['limits']> = {}): Promise<Address> {
  const config = loadConfig(undefined, { port: 0 });
  const server = await startServer({
    ...config,
    tls,
    logLevel: 'fatal',
    limits: { ...config.limits, drainMs: 0, ...limits },
  });
  t.teardown(() => server.drain());
  const { body } = await ask(server.url, { path: '/.well-known/porthouse', ca });
  const { endpoints } = JSON.parse(body) as Discovery;
  t.match([endpoints.pipe.tcp, endpoints.sibling.tcp], [/^tls:/, endpoints.pipe.tcp]);
  return addressOf(endpoints.pipe.tcp);
}

void t.test('with a certificate nothing is heard outside TLS, and nothing is spent there', async (t) => {
  const address = await secured(t);
  const { pipeTicket: ticket } = await granted(address, 'line', ca);
  const plain = TcpClient.pipe(address, { ticket, framing: 'line' });
  t.match(Buffer.from((await plain.ended()).rest, 'latin1').toString('hex'), /^(1503..0002....)?$/, 'at most an alert');
  const [one, two] = [
    TcpClient.pipe(address, { ticket, framing: 'line', ca }),
    TcpClient.pipe(address, { ticket: (await granted(address, 'line', ca)).pipeTicket, framing: 'line', ca }),
  ];
  t.equal(await heard(one, two), 'is anybody there?');
});

void t.test('a handshake that does not end is ended, however it goes on', async (t) => {
  const address = await secured(t, { preambleMs: 100 });
  const [silent, dripping] = [new TcpClient(address), new TcpClient(address)];
  dripping.write(Buffer.from('1603010200010001fc0303', 'hex')); // the beginning of a ClientHello
  const dropping = setInterval(() => dripping.write('x'), 10);
  t.equal((await silent.ended()).rest, '');
  t.equal((await dripping.ended()).rest, '');
  clearInterval(dropping);
});

void t.test('openssl s_client is a member', async (t) => {
  if (spawnSync('openssl', ['version']).error) {
    if (process.env.CI === 'true') t.fail('openssl is not installed');
    else t.comment('openssl is not installed');
    return;
  }
  const address = await secured(t);
  const ticketed = async () => ({
    ticket: (await granted(address, 'line', ca)).pipeTicket,
    framing: 'line' as const,
    ca,
  });
  const other = TcpClient.pipe(address, await ticketed());
  const checked = ['-CAfile', tls.certFile, '-verify_return_error', '-verify_hostname', 'localhost'];
  const connect = ['-connect', `${address.host}:${String(address.port)}`, '-servername', 'localhost'];
  const client = spawn('openssl', ['s_client', '-quiet', ...checked, ...connect]);
  t.teardown(() => client.kill());
  client.stdin.write(`PH1 ${(await ticketed()).ticket} line\n`);
  const calling = setInterval(() => client.stdin.write('ahoy from openssl\n'), 20);
  t.equal(await other.line(), 'ahoy from openssl');
  clearInterval(calling);
  other.write('ahoy back\n');
  const said = await new Promise<Buffer>((resolve) => client.stdout.once('data', resolve));
  t.equal(String(said), 'ahoy back\n');
});

void t.test('TCP is on where nobody else can reach it, and elsewhere where it is asked for', (t) => {
  t.same(loadConfig(undefined, {}).tcp, { port: 8791 });
  t.same(loadConfig(undefined, { port: 0 }).tcp, { port: 0 }, 'any free port for all');
  t.same(loadConfig(undefined, { port: 8800 }).tcp, { port: 0 }, 'so that a second server can go beside the first');
  const file = (text: string): string => {
    const path = join(t.testdir({ 'settings.yaml': text }), 'settings.yaml');
    return path;
  };
  const far = `host: 0.0.0.0\ntlsTerminatedByProxy: true\nauth: { secret: ${'x'.repeat(32)} }\n`;
  t.equal(loadConfig(file('tcp: false'), {}).tcp, null);
  t.same(loadConfig(file('tcp: { port: 99 }'), { port: 0 }).tcp, { port: 99 });
  t.equal(loadConfig(file(far), {}).tcp, null);
  t.same(loadConfig(file(`${far}tcp: { port: 9 }\n`), {}).tcp, { port: 9 });
  t.throws(() => loadConfig(file('tcp: { host: elsewhere }'), {}), { message: /is not a setting/ });
  t.end();
});
