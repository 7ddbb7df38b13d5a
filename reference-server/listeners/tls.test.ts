import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectPlain, Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { connect, createSecureContext } from 'node:tls';
import t, { type Test } from 'tap';
import { packageRoot } from '../../support/package-root.js';
import type { ByteSocket } from '../ports/sockets.js';
import { Connections } from './connections.js';
import { secureListeners, secureSockets } from './tls.js';
import { tcpListeners } from './tcp.js';

const pem = (name: string): string => readFileSync(join(packageRoot(), 'reference-server/testing/tls', name), 'utf8');
const ca = pem('cert.pem');
const tls = secureSockets(createSecureContext({ cert: ca, key: pem('key.pem') }));
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
const HERE = { host: '127.0.0.1', port: 0 };

/** Both ends of a connection: what the server sees inside, the client, and the wire under it. */
async function pair(t: Test, version: (typeof VERSIONS)[number]) {
  const listeners = secureListeners(tcpListeners(new Connections(4)), tls);
  const accepted = new Promise<Duplex>((resolve) => {
    void listeners
      .listen(HERE, ({ stream }) => resolve(stream))
      .then((listener) => {
        t.teardown(() => listener.close());
        wire.connect(listener.address);
      });
  });
  const wire = new Socket({ allowHalfOpen: true });
  const client = connect({ socket: wire, ca, servername: 'localhost', minVersion: version, maxVersion: version });
  client.on('error', () => undefined);
  const server = await accepted;
  t.teardown(() => void server.destroy());
  server.on('error', () => undefined);
  return { server, client, wire };
}

void t.test('an end that is announced inside is an end, and leaves the other direction alone', async (t) => {
  for (const version of VERSIONS) {
    const { server, client } = await pair(t, version);
    client.end('ahoy');
    const said: Buffer[] = [];
    server.on('data', (chunk: Buffer) => said.push(chunk));
    await once(server, 'end');
    t.equal(String(Buffer.concat(said)), 'ahoy', version);
    server.end('goodbye');
    t.equal(String(await buffer(client)), 'goodbye', version);
  }
});

void t.test('an end that is not announced inside is a fault', async (t) => {
  for (const version of VERSIONS) {
    const { server, client, wire } = await pair(t, version);
    client.write('ahoy');
    await once(server, 'data');
    wire.end();
    await t.rejects(once(server, 'end'), { message: /close_notify/ }, version);
  }
});

void t.test('a client that speaks no TLS breaks off, and is answered nothing that it could read', async (t) => {
  const listeners = secureListeners(tcpListeners(new Connections(4)), tls);
  const accepted: ByteSocket[] = [];
  const faults: unknown[] = [];
  const listener = await listeners.listen(HERE, (socket) => {
    accepted.push(socket);
    socket.stream.on('error', (error) => faults.push(error));
  });
  t.teardown(() => listener.close());
  const plain: Duplex = connectPlain(listener.address.port, listener.address.host);
  plain.on('error', () => undefined);
  plain.write('USER porthouse\r\n');
  plain.resume();
  await once(plain, 'close');
  t.equal(accepted.length, 1);
  t.equal(faults.length, 1);
});

void t.test('much goes through whole, either way', async (t) => {
  const listeners = secureListeners(tcpListeners(new Connections(4)), tls);
  const listener = await listeners.listen(HERE, ({ stream }) => void stream.pipe(stream));
  t.teardown(() => listener.close());
  const client = connect({ ...listener.address, ca, servername: 'localhost' });
  const sent = Buffer.alloc(3_000_000, 'porthouse');
  client.end(sent);
  t.ok((await buffer(client)).equals(sent));
});
