import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import type { Test } from 'tap';
import { test } from 'tap';
import { RecordQueue } from '../record-queue.js';
import { listenRaw, onHead } from '../testing/raw-peer.js';
import {
  ACCEPT,
  HEAD,
  KEY,
  UPGRADE,
  allUntilEnd,
  answering,
  bytes,
  headAnd,
  newClient,
  openAt,
  text,
  urlOf,
} from '../testing/websocket-peer.js';
import type { OpenOptions, OpenResult } from './opening.js';

test('what follows the 101 in the same segment is not lost', async (t) => {
  const answer = headAnd('81026869 8900 820101 88020fa0');
  const peer = await answering(t, answer, (socket) => socket.end());
  const client = newClient(t);
  t.strictSame(await openAt(client, peer), {
    type: 'opened',
    subprotocol: undefined,
    headers: [
      ['Upgrade', 'websocket'],
      ['Connection', 'Upgrade'],
      ['Sec-WebSocket-Accept', 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='],
    ],
    violations: [],
  });
  t.strictSame(await allUntilEnd(client), [
    text('hi'),
    { type: 'ping', payload: Buffer.alloc(0) },
    { type: 'message', kind: 'binary', payload: bytes('01'), fragments: 1 },
    { type: 'close', code: 4000, reason: '' },
    { type: 'eof', unfinishedBytes: 0 },
  ]);
  t.equal(client.driver.bytesReceived, 13);
  t.equal(client.driver.state, 'ended');
});

test('each fault of an upgrade is reported from literal bytes', async (t) => {
  const cases: [head: string, violations: string[]][] = [
    [HEAD, []],
    [`${UPGRADE}${ACCEPT}Sec-WebSocket-Protocol: b\r\n\r\n`, []],
    [`HTTP/1.1 101 \r\nupgrade: WebSocket\r\nconnection: keep-alive, UPGRADE\r\n${ACCEPT}\r\n`, []],
    [HEAD.replace('HTTP/1.1', 'HTTP/1.0'), ['http_version_too_low']],
    [HEAD.replace('Upgrade: websocket', 'Upgrade: h2c'), ['upgrade_header_wrong']],
    [HEAD.replace('Connection: Upgrade', 'Connection: close'), ['connection_header_wrong']],
    [`${UPGRADE}\r\n`, ['accept_missing']],
    [`${UPGRADE}${ACCEPT}${ACCEPT}\r\n`, ['accept_repeated']],
    [HEAD.replace('s3pP', 'S3pP'), ['accept_wrong']],
    [`${UPGRADE}${ACCEPT}Sec-WebSocket-Protocol: c\r\n\r\n`, ['subprotocol_not_offered']],
    [`${UPGRADE}${ACCEPT}Sec-WebSocket-Protocol: a, b\r\n\r\n`, ['subprotocol_repeated']],
    [`${UPGRADE}${ACCEPT}Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n`, ['extension_not_offered']],
    [`${UPGRADE}${ACCEPT}Content-Length: 0\r\n\r\n`, ['framing_on_bodyless_response']],
  ];
  for (const [head, violations] of cases) {
    const peer = await answering(t, head);
    const result = await openAt(newClient(t), peer, { subprotocols: ['a', 'b'] });
    t.strictSame([result.type, result.violations], ['opened', violations], violations.join() || 'no fault');
    await peer.close();
  }
});

test('the request carries what is asked, legal or not', async (t) => {
  const heads = new RecordQueue<string>();
  const peer = await listenRaw((socket) => {
    onHead(socket, (head) => {
      heads.push(head);
      socket.end('HTTP/1.1 400 x\r\nContent-Length: 2\r\n\r\nno');
    });
  });
  t.teardown(peer.close);
  const sent = async (options: Partial<OpenOptions>): Promise<string[]> => {
    await openAt(newClient(t), peer, options);
    return (await heads.next()).split('\r\n').slice(0, -2);
  };
  const authority = `Host: 127.0.0.1:${String(peer.port)}`;
  const standard = [
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${KEY}`,
    'Sec-WebSocket-Version: 13',
  ];
  t.strictSame(await sent({}), ['GET / HTTP/1.1', authority, ...standard]);
  const rich = { subprotocols: ['a', 'b'], origin: 'https://x', host: 'evil', headers: [['X-Y', 'z']] as const };
  const extra = ['Sec-WebSocket-Protocol: a, b', 'Origin: https://x', 'X-Y: z'];
  t.strictSame(await sent(rich), ['GET / HTTP/1.1', 'Host: evil', ...standard, ...extra]);
  const odd = await sent({ method: 'POST', version: '12', omit: ['UPGRADE', 'host'], headers: [['connection', 'x']] });
  t.strictSame(odd, ['POST / HTTP/1.1', `Sec-WebSocket-Key: ${KEY}`, 'Sec-WebSocket-Version: 12', 'connection: x']);
  t.strictSame(await sent({ rawRequest: Buffer.from('BREW /\r\n\r\n') }), ['BREW /']);
  await t.rejects(openAt(newClient(t), peer, { origin: 'a\r\nb' }), TypeError);
});

test('a refusal comes with status, headers and body, and a failure says why', async (t) => {
  const openTo = async (answer: string, then?: (socket: Socket) => void): Promise<OpenResult> =>
    openAt(newClient(t), await answering(t, answer, then));
  t.strictSame(
    await openTo('HTTP/1.1 401 Unauthorized\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n'),
    {
      type: 'refused',
      status: 401,
      statusText: 'Unauthorized',
      headers: [
        ['X-A', 'b'],
        ['Transfer-Encoding', 'chunked'],
      ],
      body: Buffer.from('no'),
      violations: [],
    },
  );
  const why = (result: OpenResult): unknown[] =>
    result.type === 'opened'
      ? [result]
      : [result.type, 'why' in result ? result.why : result.status, ...result.violations];
  t.strictSame(why(await openTo('HTTP/1.1 503 x\r\n\r\nbye', (socket) => socket.end())), ['refused', 503]);
  t.strictSame(why(await openTo('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxy')), [
    'refused',
    200,
    'bytes_after_response',
  ]);
  t.strictSame(why(await openTo('220 ftp ready\r\n')), ['failed', 'malformed', 'status_line_malformed']);
  t.strictSame(why(await openTo('HTTP/1.1 101', (socket) => socket.end())), ['failed', 'eof']);
  const resets = await listenRaw((socket) => {
    onHead(socket, () => socket.resetAndDestroy());
  });
  t.teardown(resets.close);
  t.strictSame(why(await openAt(newClient(t), resets)), ['failed', 'reset']);
  const gone = await listenRaw(() => undefined);
  await gone.close();
  const client = newClient(t);
  t.strictSame(why(await openAt(client, gone)), ['failed', 'connect']);
  t.equal(client.driver.sendText('x'), false, 'sending after a failure does nothing');
  t.throws(() => newClient(t).driver.sendText('x'), 'sending before opening is a bug');
  t.throws(() => openAt(client, gone), 'so is opening twice');
});

test('an opening can be aborted, before and during', async (t) => {
  const reason = new Error('enough');
  const abort = new AbortController();
  const peer = await listenRaw((socket) => {
    onHead(socket, () => {
      abort.abort(reason);
    });
  });
  t.teardown(peer.close);
  await t.rejects(openAt(newClient(t), peer, { signal: AbortSignal.abort(reason) }), reason);
  const client = newClient(t);
  await t.rejects(openAt(client, peer, { signal: abort.signal }), reason);
  t.equal(client.driver.state, 'ended');
  await t.rejects(client.records.next(abort.signal), reason);
});

test('a driver held before it opens shakes hands all the same', async (t) => {
  const client = newClient(t);
  client.driver.pause();
  const peer = await answering(t, headAnd('810161'), (socket) => socket.end());
  t.match(await openAt(client, peer), { type: 'opened' });
  t.equal(client.records.length, 0);
  client.driver.resume();
  t.strictSame(await allUntilEnd(client), [text('a'), { type: 'eof', unfinishedBytes: 0 }]);
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const missing = hasOpenssl || process.env.CI === 'true' ? {} : { skip: 'openssl is not installed' };

function selfSigned(t: Test): { key: Buffer; cert: Buffer } {
  const directory = t.testdir({});
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const name = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', ['req', '-x509', ...curve, ...name, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

test('the same holds over TLS, the reset included', missing, async (t) => {
  const { key, cert } = selfSigned(t);
  const ends = new RecordQueue<string>();
  const server = createTlsServer({ key, cert });
  const peer = await listenRaw((socket) => {
    socket.on('error', (error: NodeJS.ErrnoException) => {
      ends.push(error.code ?? error.message);
    });
    onHead(socket, () => socket.write(headAnd('810161')));
  }, server);
  t.teardown(peer.close);
  const client = newClient(t);
  const url = urlOf(peer).replace('ws:', 'wss:');
  t.match(await client.driver.open({ url, key: KEY, tls: { ca: cert } }), { type: 'opened' });
  t.strictSame(await client.records.next(), text('a'));
  client.driver.cut();
  t.equal(await ends.next(), 'ECONNRESET');
  const distrusting = await newClient(t).driver.open({ url, key: KEY });
  t.match(distrusting, { type: 'failed', why: 'connect', error: /SELF_SIGNED/ });
});
