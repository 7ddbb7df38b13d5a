import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { Discovery, Framing, Grant } from '../generated/types.js';
import { packageRoot } from '../support/package-root.js';
import { startServer } from './compose.js';
import { loadConfig } from './config/config.js';
import { decoderFor } from './ingress/tcp/decoder.js';
import { encode } from './ingress/tcp/encode.js';
import type { Kind } from './ports/message.js';
import type { Address } from './ports/sockets.js';
import { holds, holdsAsync } from './testing/property.js';
import { TcpClient } from './testing/tcp-client.js';

const LIMITS = { ticketMs: 2000, sessionLingerMs: 50, bindMs: 2000, drainMs: 50 };

async function running(t: Test): Promise<{ address: Address; grant: (framing: Framing) => Promise<Grant> }> {
  const config = loadConfig(undefined, { port: 0 });
  const server = await startServer({ ...config, logLevel: 'fatal', limits: { ...config.limits, ...LIMITS } });
  t.teardown(() => server.drain());
  const discovery = (await (await fetch(`${server.url}/.well-known/porthouse`)).json()) as Discovery;
  const { hostname: host, port } = new URL(String(discovery.endpoints.pipe.tcp));
  const address = { host, port: Number(port) };
  return { address, grant: (framing) => granted(address, framing) };
}

/** A session, asked for over TCP. */
async function granted(address: Address, framing: Framing): Promise<Grant> {
  const client = new TcpClient(address);
  const params = { room: 'lobby', transport: 'tcp', framing };
  client.write(`PH1-SIBLING\n${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'session.create', params })}\n`);
  await client.json();
  const { result } = (await client.json()) as { result?: Grant };
  client.cut();
  if (!result) throw new Error('refused');
  return result;
}

async function member(address: Address, grant: (framing: Framing) => Promise<Grant>): Promise<TcpClient> {
  return TcpClient.pipe(address, (await grant('line')).pipeTicket, 'line');
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
