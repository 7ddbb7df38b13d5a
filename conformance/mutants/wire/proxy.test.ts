import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { test } from 'tap';
import { FrameParser, encodeFrame, randomMask } from '../../drivers/websocket/frame.js';
import type { WireMutant } from '../mutant.js';
import { identity } from '../registry.js';
import { startProxy } from './proxy.js';

const DISCOVERY = '/.well-known/porthouse';
const passive: Pick<WireMutant, 'alter'> = { alter: () => ({}) };

interface Upstream {
  readonly url: URL;
  readonly received: () => Buffer;
  readonly stop: () => Promise<void>;
}

/** A server that answers discovery, and any other connection with `script` as soon as its first bytes came. */
async function startUpstream(script: Buffer, expected: number): Promise<Upstream & { readonly all: Promise<void> }> {
  const got: Buffer[] = [];
  let complete: () => void = () => undefined;
  const all = new Promise<void>((resolve) => (complete = resolve));
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('data', (first: Buffer) => {
      if (first.toString('latin1').includes(DISCOVERY)) return void socket.end(discoveryAnswer(server));
      socket.write(script);
      const take = (chunk: Buffer): void => {
        got.push(chunk);
        if (Buffer.concat(got).length >= expected) complete();
      };
      take(first);
      socket.on('data', take);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  };
  return { url, received: () => Buffer.concat(got), stop, all };
}

function discoveryAnswer(server: Server): string {
  const origin = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const endpoints = {
    sessions: `http://${origin}/sessions`,
    pipe: { websocket: '/pipe' },
    sibling: { websocket: `ws://${origin}/sibling` },
  };
  const body = JSON.stringify({ protocol: 'porthouse', endpoints });
  return `HTTP/1.1 200 OK\r\nContent-Length: ${String(body.length)}\r\nConnection: close\r\n\r\n${body}`;
}

async function exchange(url: URL, chunks: readonly Buffer[], until: number): Promise<Buffer> {
  const socket = connect(Number(url.port), url.hostname);
  const got: Buffer[] = [];
  for (const chunk of chunks) socket.write(chunk);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    got.push(chunk);
    if (Buffer.concat(got).length >= until) break;
  }
  socket.destroy();
  return Buffer.concat(got);
}

const upgrade = (url: URL, path: string): Buffer =>
  Buffer.from(
    `GET ${path} HTTP/1.1\r\nhOsT:  ${url.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nX-odd:spacing \r\n\r\n`,
  );

const switching = Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nconnection:Upgrade\r\n\r\n');

/** Frames legal and not: fragments around a ping, an unmasked one, a length that is not minimal, an unknown opcode. */
function oddFrames(): Buffer {
  const mask = randomMask();
  return Buffer.concat([
    encodeFrame({ opcode: 1, payload: Buffer.from('first'), mask }),
    encodeFrame({ opcode: 2, payload: Buffer.alloc(70_000, 7), mask }),
    encodeFrame({ opcode: 1, payload: Buffer.from('{"jsonrpc" : "2.0"}'), mask, fin: false }),
    encodeFrame({ opcode: 0, payload: Buffer.from(' '), mask }),
    encodeFrame({ opcode: 9, payload: Buffer.from('ping') }),
    encodeFrame({ opcode: 1, payload: Buffer.from('{ "id": 1.0,"method":"x" }'), lengthForm: 64, mask }),
    encodeFrame({ opcode: 3, payload: Buffer.from('reserved'), rsv: 5 }),
    encodeFrame({ opcode: 0, payload: Buffer.from('stray'), mask }),
    encodeFrame({ opcode: 8, payload: Buffer.from([3, 232]), mask }),
  ]);
}

void test('a proxy that alters nothing passes every byte of a WebSocket unaltered in both directions', async (t) => {
  for (const mutant of [passive, identity]) {
    for (const path of ['/pipe', '/sibling']) {
      const frames = oddFrames();
      const script = Buffer.concat([switching, frames]);
      const head = upgrade(new URL('http://127.0.0.1:1'), path);
      const upstream = await startUpstream(script, head.length + frames.length);
      const proxy = await startProxy(upstream.url, mutant);
      // The whole in one write, then byte by byte: cuts must not matter.
      const bytes = Buffer.concat([head, frames]);
      const cuts =
        path === '/pipe'
          ? [bytes]
          : [head, ...Array.from(frames.subarray(0, 40), (b) => Buffer.of(b)), frames.subarray(40)];
      const answer = exchange(proxy.url, cuts, script.length);
      await upstream.all;
      t.ok(upstream.received().equals(bytes), 'the server got what the client sent');
      t.ok((await answer).equals(script), 'the client got what the server sent');
      await proxy.stop();
      await upstream.stop();
    }
  }
});

void test('a proxy passes HTTP with bodies of any coding, and bytes that are no HTTP', async (t) => {
  const chunked =
    'POST /sessions HTTP/1.1\r\nHost: evil.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
  const requests = [
    chunked,
    'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody',
    'no http at all\r\n\r\nmore',
  ];
  const answers = [
    'HTTP/1.1 201 Created\r\nX-Two: 1\r\nX-Two: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
    'HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\n{}',
    'neither this\r\n\r\n',
  ];
  for (const mutant of [passive, identity]) {
    for (const [i, request] of requests.entries()) {
      const script = Buffer.from(answers[i] ?? '');
      const upstream = await startUpstream(script, request.length);
      const proxy = await startProxy(upstream.url, mutant);
      t.equal(String(await exchange(proxy.url, [Buffer.from(request)], script.length)), script.toString());
      await upstream.all;
      t.equal(upstream.received().toString(), request);
      await proxy.stop();
      await upstream.stop();
    }
  }
});

void test('clients come back through the proxy: addresses in bodies, Host and Origin are translated', async (t) => {
  const upstream = await startUpstream(Buffer.from('HTTP/1.1 204 No Content\r\n\r\n'), 1);
  const proxy = await startProxy(upstream.url, passive);
  const discovery = (await (await fetch(new URL(DISCOVERY, proxy.url))).json()) as Record<string, unknown>;
  t.same(discovery['endpoints'], {
    sessions: `http://${proxy.url.host}/sessions`,
    pipe: { websocket: '/pipe' },
    sibling: { websocket: `ws://${proxy.url.host}/sibling` },
  });
  await exchange(
    proxy.url,
    [Buffer.from(`GET / HTTP/1.1\r\nHost: ${proxy.url.host}\r\nOrigin: ${proxy.url.origin}\r\n\r\n`)],
    1,
  );
  t.equal(
    upstream.received().toString(),
    `GET / HTTP/1.1\r\nHost: ${upstream.url.host}\r\nOrigin: ${upstream.url.origin}\r\n\r\n`,
  );
  await proxy.stop();
  await upstream.stop();
});

void test('a mutant can drop, change and add messages, and answer a refused upgrade itself', async (t) => {
  const refused = Buffer.from('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  const upstream = await startUpstream(refused, 1);
  const accept = createHash('sha1')
    .update('AAAAAAAAAAAAAAAAAAAAAA==258EAFA5-E914-47DA-95CA-C5AB0DC85B11')
    .digest('base64');
  const proxy = await startProxy(upstream.url, {
    alter: () => ({
      onHttpResponse: (response) => ({
        ...response,
        status: 101,
        reason: 'Switching Protocols',
        headers: [['Sec-WebSocket-Accept', accept] as const],
      }),
      onPipeToServer: (message, link) => {
        link.toClient({ kind: 'binary', payload: Buffer.concat([message.payload, Buffer.from('!')]) });
        return [];
      },
    }),
  });
  const frame = encodeFrame({ opcode: 1, payload: Buffer.from('hello'), mask: randomMask() });
  const head = `HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
  const bytes = await exchange(proxy.url, [upgrade(proxy.url, '/pipe'), frame], head.length + 8);
  t.equal(bytes.toString('latin1', 0, head.length), head);
  const parser = new FrameParser();
  parser.push(bytes.subarray(head.length));
  t.match(parser.next(), { opcode: 2, fin: true, masked: false, payload: Buffer.from('hello!'), violations: [] });
  await proxy.stop();
  await upstream.stop();
});
