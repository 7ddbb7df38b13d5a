import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import type { Address, ByteSocket } from '../ports/sockets.js';
import { until } from '../testing/until.js';
import { Connections } from './connections.js';
import { tcpListeners } from './tcp.js';
import { udpSockets } from './udp.js';

const ANY: Address = { host: '127.0.0.1', port: 0 };

async function listening(t: Test, most: number) {
  const accepted: ByteSocket[] = [];
  const listeners = tcpListeners(new Connections(most));
  const listener = await listeners.listen(ANY, (socket) => accepted.push(socket));
  t.teardown(() => {
    listener.close();
    for (const { stream } of accepted) stream.destroy();
  });
  const dial = () => connect({ ...listener.address, allowHalfOpen: true });
  return { accepted, listeners, dial };
}

async function first(accepted: readonly ByteSocket[]): Promise<ByteSocket> {
  await until(() => accepted.length > 0);
  const [socket] = accepted;
  if (!socket) throw new Error('nobody came');
  return socket;
}

void t.test('a connection is a stream of bytes whose directions end one by one', async (t) => {
  const { accepted, listeners, dial } = await listening(t, 10);
  const client = dial();
  client.end('ahoy');
  await once(client, 'connect');
  const heard = await first(accepted);
  t.equal(heard.remote.port, client.localPort);
  t.equal(heard.local.port, client.remotePort);
  const said: Buffer[] = [];
  heard.stream.on('data', (chunk: Buffer) => said.push(chunk));
  await once(heard.stream, 'end');
  t.equal(String(Buffer.concat(said)), 'ahoy');
  t.equal(listeners.open.size, 1, 'what the client has ended, the server has not');
  heard.stream.end('goodbye');
  t.equal(String(await buffer(client)), 'goodbye');
});

void t.test('a reset is a fault to the other side', async (t) => {
  const { accepted, dial } = await listening(t, 10);
  const client = dial();
  await once(client, 'connect');
  client.write('x');
  const { stream, reset } = await first(accepted);
  await once(stream, 'data');
  reset();
  await t.rejects(once(client, 'end'), { code: 'ECONNRESET' });
});

void t.test('connections beyond the limit are closed unanswered, over whichever listener they come', async (t) => {
  const connections = new Connections(1);
  const accepted: ByteSocket[] = [];
  const take = (socket: ByteSocket): void => void accepted.push(socket);
  const [one, other] = await Promise.all([1, 2].map(() => tcpListeners(connections).listen(ANY, take)));
  if (!one || !other) throw new Error('no listeners');
  const early = connect(one.address);
  await until(() => accepted.length === 1);
  const second = connect(other.address);
  second.on('error', () => undefined);
  await once(second, 'close');
  t.equal(accepted.length, 1);
  t.equal(connections.size, 1);
  one.close();
  other.close();
  early.destroy();
});

void t.test('a datagram comes with its source, and an answer finds it', async (t) => {
  const socket = await udpSockets.bind(ANY, (datagram, from) => {
    socket.send(Buffer.concat([datagram, Buffer.from('!')]), from);
  });
  const client = createSocket('udp4');
  const answer = once(client, 'message');
  client.send('ahoy', socket.address.port, socket.address.host);
  const [said, from] = (await answer) as [Buffer, Address];
  t.equal(String(said), 'ahoy!');
  t.equal(from.port, socket.address.port);
  client.close();
  socket.close();
});
