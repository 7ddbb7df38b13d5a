import t from 'tap';
import { requestText } from './testing/http.js';
import { Stage } from './testing/stage.js';
import { until } from './testing/until.js';
import { type Frame, OPCODE, type WebSocketClient, frame } from './testing/web-socket.js';

const CONTINUED: Frame = { opcode: OPCODE.continuation, fin: false };

void t.test('a message that never ends is ended, however it is made to last', async (t) => {
  const stage = new Stage();
  const begin: Frame = { opcode: OPCODE.binary, fin: false };
  const pongs = Buffer.concat(
    Array.from({ length: 480 }, () => frame({ opcode: OPCODE.pong, payload: Buffer.alloc(125) })),
  );
  const hog = Buffer.concat([frame({ ...CONTINUED, payload: Buffer.alloc(1) }), pongs]);
  const rows: readonly (readonly [what: string, write: (client: WebSocketClient) => void])[] = [
    ['fragments without a byte', (client) => client.send(begin, ...Array.from({ length: 1100 }, () => CONTINUED))],
    [
      'bytes one at a time',
      (client) => {
        client.send(frame({ opcode: OPCODE.binary, claims: 2000n }));
        for (let n = 0; n < 1200; n++) client.socket.write(Buffer.alloc(1));
      },
    ],
    [
      'fragments that hold what they came in',
      (client) => {
        client.send(begin);
        for (let n = 0; n < 40; n++) client.socket.write(hog);
      },
    ],
  ];
  for (const [what, write] of rows) {
    const { client, member } = await stage.pipe({ hardMessageBytes: 2000 });
    write(client);
    t.match((await member.sibling.event('pipe.ended')).params, { cause: 'message_too_long', finalN: 0 }, what);
    client.cut();
  }
  const unbound = await stage.sibling();
  unbound.send({ opcode: OPCODE.text, fin: false }, ...Array.from({ length: 70 }, () => CONTINUED));
  t.equal(typeof (await unbound.closed()), 'number', 'nor on a sibling of nobody');
  const { client, member } = await stage.pipe();
  for (let n = 0; n < 100; n++) client.socket.write(pongs);
  client.text('a client that only pongs is none of these');
  await member.sibling.event('pipe.opened');
  await until(() => member.sibling.call('fence', { after: { epoch: 1, c2s: 0 } })?.result?.c2sReceived === 1);
  t.pass('and is heard');
});

void t.test('a client that never reads is not read either, on a sibling and over HTTP', async (t) => {
  const stage = new Stage();
  const { grant } = stage.world.member();
  const deaf = await stage.sibling(grant);
  deaf.socket.pause();
  const calls = 20_000;
  for (let n = 0; n < calls; n++) deaf.call(n, 'pipe.state');
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  t.ok(deaf.socket.writableLength > 0, 'its calls wait on its own side');
  const http = stage.dial();
  http.pause();
  const asked = requestText({ path: '/.well-known/porthouse' });
  for (let n = 0; n < 2000; n++) http.write(asked);
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  t.ok(http.writableLength > 0, 'as do its requests');
  t.equal((await stage.ask({ path: '/.well-known/porthouse' })).status, 200, 'and others are served');
});

void t.test('pings beyond measure end their connection, and nothing else', async (t) => {
  const stage = new Stage();
  const { client, member } = await stage.pipe();
  client.socket.pause();
  const pings = Buffer.concat(
    Array.from({ length: 1000 }, () => frame({ opcode: OPCODE.ping, payload: Buffer.alloc(125) })),
  );
  for (let n = 0; n < 5; n++) client.socket.write(pings);
  t.match((await member.sibling.event('pipe.ended')).params, { cause: 'lost' });
  t.equal((await stage.ask({ path: '/.well-known/porthouse' })).status, 200);
});

void t.test('JSON that nests as deep as a message is long is judged, and harms nobody', async (t) => {
  const stage = new Stage();
  const deep = 500_000;
  const owner = stage.world.join({ room: 'deep', create: { format: 'json', limits: { maxMessageBytes: 2 ** 20 } } });
  const listener = stage.world.join({ room: 'deep' });
  owner.send('['.repeat(deep));
  owner.send('['.repeat(deep) + ']'.repeat(deep));
  owner.send(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`);
  owner.send('[1]');
  const kinds = owner.heard();
  t.equal(kinds[0], 'pipe.refused 1 format_mismatch');
  await until(() => listener.received.length >= 1 && listener.received.at(-1) === 'json [1]');
  t.equal(listener.received.length + owner.heard().length + kinds.length, 4, 'each has been decided');
});
