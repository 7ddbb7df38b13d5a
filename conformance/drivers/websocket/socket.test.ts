import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { test } from 'tap';
import { WebSocketServer } from 'ws';
import { RecordQueue } from '../record-queue.js';
import { listenRaw } from '../testing/raw-peer.js';
import {
  HEAD,
  KEY,
  allUntilEnd,
  answering,
  bytes,
  headAnd,
  newClient,
  openAt,
  text,
  urlOf,
} from '../testing/websocket-peer.js';
import type { ParsedFrame } from './frame.js';
import { FrameParser } from './frame.js';
import type { WebSocketRecord } from './socket.js';
import { WebSocketDriver } from './socket.js';

test('messages of every size pass a real server and back', async (t) => {
  const server = createServer();
  const wss = new WebSocketServer({ server, handleProtocols: () => 'b' });
  wss.on('connection', (socket) => {
    socket.on('message', (data, binary) => {
      socket.send(data, { binary });
    });
  });
  const peer = await listenRaw(() => undefined, server);
  t.teardown(peer.close);
  const client = newClient(t);
  const opened = await client.driver.open({ url: urlOf(peer), subprotocols: ['a', 'b'] });
  t.match(opened, { type: 'opened', subprotocol: 'b' });
  t.strictSame(opened.violations, []);
  for (const length of [0, 1, 125, 126, 65_535, 65_536, 1024 * 1024]) {
    for (const fragments of [1, 3]) {
      const payload = Buffer.alloc(length, 'äbc');
      client.driver.sendBinary(payload, fragments);
      const record = await client.records.next();
      t.ok(
        record.type === 'message' && record.kind === 'binary' && record.payload.equals(payload),
        `${String(length)} bytes`,
      );
    }
  }
  client.driver.sendText('grüße', 7);
  t.strictSame(await client.records.next(), text('grüße'), 'a text cut inside a UTF-8 sequence');
  client.driver.ping(Buffer.from('p'));
  t.strictSame(await client.records.next(), { type: 'pong', payload: Buffer.from('p') });
  t.equal(await client.driver.written(), true);
  client.driver.close(4001, 'bye');
  const [close, end] = await allUntilEnd(client);
  t.strictSame(close, { type: 'close', code: 4001, reason: 'bye' });
  t.strictSame(end, { type: 'eof', unfinishedBytes: 0 });
  t.equal(client.driver.sendText('late'), false);
  t.equal(await client.driver.written(), false, 'what was given after the end is known to be lost');
});

test('pings and close frames are answered, unless told otherwise', async (t) => {
  const frames = new RecordQueue<ParsedFrame>();
  const answer = headAnd('890170 88020bb8');
  const peer = await answering(t, answer, (socket) => {
    const parser = new FrameParser({ sender: 'client' });
    socket.on('data', (chunk: Buffer) => {
      parser.push(chunk);
      for (let frame = parser.next(); frame !== undefined; frame = parser.next()) frames.push(frame);
    });
  });
  const shown = async (): Promise<unknown[]> => {
    const { opcode, payload, violations } = await frames.next();
    return [opcode, payload.toString('hex'), ...violations];
  };
  await openAt(newClient(t), peer);
  t.strictSame(
    [await shown(), await shown()],
    [
      [10, '70'],
      [8, '0bb8'],
    ],
  );
  const mute = newClient(t, { autoPong: false, autoClose: false });
  await openAt(mute, peer);
  mute.driver.sendFrame({ opcode: 3, rsv: 7, payload: bytes('61') });
  t.strictSame(await shown(), [3, '61', 'rsv_set', 'unknown_opcode'], 'the first that the server hears is no answer');
  mute.driver.sendFrame({ opcode: 1, masked: false });
  t.strictSame(await shown(), [1, '', 'unmasked_by_client']);
  mute.driver.sendRaw(bytes('8180 00000000'));
  mute.driver.pong();
  t.strictSame(
    [await shown(), await shown()],
    [
      [1, ''],
      [10, ''],
    ],
  );
  mute.driver.close();
  t.strictSame(await shown(), [8, '']);
});

test('a server that breaks the rules is reported record by record', async (t) => {
  const wire = bytes('8181 01020304 60  c10161  8001 61  8102c328  880203ed  8100');
  const peer = await answering(t, Buffer.concat([Buffer.from(HEAD), wire, bytes('8205aa')]), (socket) => socket.end());
  const client = newClient(t);
  await openAt(client, peer);
  const names = (await allUntilEnd(client)).map((record) => (record.type === 'violation' ? record.what : record.type));
  const faults = [
    'masked_by_server',
    'message',
    'rsv_set',
    'message',
    'continuation_without_start',
    'invalid_utf8',
    'message',
  ];
  t.strictSame(names, [...faults, 'close_code_reserved', 'close', 'data_after_close', 'data_after_close', 'eof']);
  const endless = headAnd('827f 7fffffffffffffff 00');
  const other = newClient(t);
  await openAt(other, await answering(t, endless, (socket) => socket.end()));
  const rest = [
    { type: 'violation', what: 'frame_over_driver_limit' },
    { type: 'eof', unfinishedBytes: 11 },
  ];
  t.strictSame(await allUntilEnd(other), rest, 'a length that would fill memory is said once');
});

test('an end in the middle of a frame says how much of it came', async (t) => {
  const peer = await answering(t, headAnd('8205aabb'), (socket) => socket.end());
  const client = newClient(t);
  await openAt(client, peer);
  t.strictSame(await allUntilEnd(client), [{ type: 'eof', unfinishedBytes: 4 }]);
});

test('holding stops the records at a frame and lets the server feel it', async (t) => {
  const answer = headAnd('810161 8102c328 810162');
  const large = Buffer.alloc(32 * 1024 * 1024);
  const header = bytes('827f 0000000002000000');
  let taken = false;
  const peer = await answering(t, answer, (socket) => {
    socket.write(header);
    socket.end(large, () => (taken = true));
  });
  const records: WebSocketRecord[] = [];
  const ended = new RecordQueue<WebSocketRecord>();
  const driver = new WebSocketDriver({
    onRecord: (record) => {
      records.push(record);
      if (record.type === 'message' && records.length === 1) driver.pause();
      // Going on from inside the observer must not overtake the message that this violation belongs to.
      if (record.type === 'violation') driver.resume();
      if (record.type === 'eof') ended.push(record);
    },
  });
  await driver.open({ url: urlOf(peer), key: KEY });
  t.strictSame(records, [text('a')]);
  await openAt(newClient(t), await answering(t, HEAD));
  t.strictSame([records.length, taken], [1, false], 'more than the buffers of the system hold cannot have been taken');
  driver.resume();
  const wanted = ['message', 'violation', 'message', 'message'];
  t.strictSame(
    records.map((record) => record.type),
    wanted,
    'what was held back comes at once',
  );
  await ended.next();
  t.equal(taken, true);
  const last = records.at(-2);
  t.ok(last?.type === 'message' && last.payload.equals(large));
  t.equal(driver.bytesReceived, 10 + header.length + large.length);
});

test('written tells when the system has taken everything, and when it never will', async (t) => {
  const accepted = new RecordQueue<Socket>();
  const peer = await answering(t, HEAD, (socket) => {
    socket.pause();
    accepted.push(socket);
  });
  const { driver } = newClient(t);
  await driver.open({ url: urlOf(peer), key: KEY });
  t.equal(await driver.written(), true, 'nothing is pending at first');
  const reason = new Error('enough');
  const abort = new AbortController();
  t.equal(driver.sendBinary(Buffer.alloc(32 * 1024 * 1024)), false, 'the caller is told to wait');
  const aborted = driver.written(abort.signal);
  abort.abort(reason);
  await t.rejects(aborted, reason);
  const written = driver.written();
  (await accepted.next()).resume();
  t.equal(await written, true);
  const other = newClient(t);
  await openAt(other, peer);
  other.driver.sendBinary(Buffer.alloc(32 * 1024 * 1024));
  const never = other.driver.written();
  other.driver.cut();
  t.equal(await never, false);
  t.equal(await other.driver.written(), false);
});

test('a cut is a reset at once, whatever is still unsent, and nothing is recorded after it', async (t) => {
  const accepted = new RecordQueue<Socket>();
  const answer = headAnd('810161 810162');
  const peer = await answering(t, answer, (socket) => {
    socket.pause();
    accepted.push(socket);
  });
  for (const backlog of [0, 32 * 1024 * 1024]) {
    const records: WebSocketRecord[] = [];
    const driver = new WebSocketDriver({
      onRecord: (record) => {
        records.push(record);
        if (backlog > 0) driver.sendBinary(Buffer.alloc(backlog));
        driver.cut();
      },
    });
    await driver.open({ url: urlOf(peer), key: KEY });
    t.strictSame(records, [text('a')], 'not even what had arrived with it');
    t.equal(driver.state, 'ended');
    const socket = await accepted.next();
    const seen = new Promise<string>((resolve) => {
      socket.on('end', () => {
        resolve('eof');
      });
      socket.on('error', (error) => {
        resolve('code' in error ? String(error.code) : error.message);
      });
    });
    socket.resume();
    // Behind unread bytes the runtime may show a reset as an end, so only the empty connection can tell them apart.
    if (backlog === 0) t.equal(await seen, 'ECONNRESET');
    else t.match(await seen, /^(ECONNRESET|eof)$/);
    t.ok(socket.bytesRead < 16 * 1024 * 1024, 'what was unsent is not sent');
  }
});

test('a cut behind our own FIN closes the connection too', async (t) => {
  const accepted = new RecordQueue<Socket>();
  const { driver } = newClient(t);
  await driver.open({ url: urlOf(await answering(t, HEAD, accepted.push)), key: KEY });
  const socket = await accepted.next();
  const closed = new Promise((resolve) => socket.once('close', resolve));
  driver.end();
  driver.cut();
  await t.resolves(closed);
  t.equal(driver.sendText('late'), false);
});

test('a reset by the server is the last record', async (t) => {
  const accepted = new RecordQueue<Socket>();
  const client = newClient(t);
  await openAt(client, await answering(t, HEAD, accepted.push));
  (await accepted.next()).resetAndDestroy();
  t.strictSame(await allUntilEnd(client), [{ type: 'reset', error: 'ECONNRESET' }]);
  t.equal(client.driver.state, 'ended');
});
