import { once } from 'node:events';
import { type Socket, connect, createServer } from 'node:net';
import t from 'tap';
import { BatchWriter } from './batch-writer.js';

async function pair(): Promise<[Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const client = connect(port, '127.0.0.1');
  const [there] = (await once(server, 'connection')) as [Socket];
  server.close();
  return [there, client];
}

const EMPTY = { messages: 0, bytes: 0 };
/** More than the system keeps for a connection that nobody reads. */
const MUCH = Buffer.alloc(16 * 2 ** 20, 'x');

void t.test('what the system takes at once is not on the books', async (t) => {
  const [socket, reader] = await pair();
  t.teardown(() => [socket, reader].forEach((end) => end.destroy()));
  const writer = new BatchWriter(socket, () => t.fail('nothing had to wait'));
  writer.write([Buffer.from('one, ')], { messages: 1, bytes: 5 });
  writer.write([Buffer.from('two '), Buffer.from('buffers')], { messages: 1, bytes: 11 });
  t.same([writer.ready, writer.backlog], [true, EMPTY]);
  let text = '';
  for (reader.setEncoding('utf8'); text.length < 16;) text += String((await once(reader, 'data'))[0]);
  t.equal(text, 'one, two buffers');
});

void t.test('what waits is counted until it is taken, and then said once', async (t) => {
  const [socket, reader] = await pair();
  t.teardown(() => [socket, reader].forEach((end) => end.destroy()));
  let drained = 0;
  const gone = new Promise<void>((resolve) => {
    const writer = new BatchWriter(socket, () => {
      drained++;
      t.same([writer.ready, writer.backlog], [true, EMPTY]);
      resolve();
    });
    writer.write([MUCH], { messages: 3, bytes: MUCH.length });
    writer.write([Buffer.from('more')], { messages: 1, bytes: 4 });
    t.same([writer.ready, writer.backlog], [false, { messages: 4, bytes: MUCH.length + 4 }]);
  });
  reader.resume();
  await gone;
  t.equal(drained, 1);
});

void t.test('what waits when the connection goes waits for ever', async (t) => {
  const [socket, reader] = await pair();
  t.teardown(() => reader.destroy());
  socket.on('error', () => undefined);
  const writer = new BatchWriter(socket, () => t.fail('it was not taken'));
  writer.write([MUCH], { messages: 1, bytes: MUCH.length });
  reader.resetAndDestroy();
  await new Promise((resolve) => socket.once('close', resolve));
  writer.write([Buffer.from('late')], { messages: 1, bytes: 4 });
  t.same(writer.backlog, { messages: 2, bytes: MUCH.length + 4 });
});
