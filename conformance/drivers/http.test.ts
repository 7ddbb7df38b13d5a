import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import type { Test } from 'tap';
import { test } from 'tap';
import { ResponseParser, headerList, headerValues } from './http-response.js';
import type { HttpRequest, HttpResult } from './http.js';
import { encodeRequest, request } from './http.js';
import { listenRaw, onHead } from './testing/raw-peer.js';

/** The fields of `found` that `wanted` names, to compare with it exactly: tap's `match` takes [] for any array. */
function like(found: object, wanted: object): object {
  const fields = new Map(Object.entries(found));
  return Object.fromEntries(Object.keys(wanted).map((name) => [name, fields.get(name)]));
}

interface Parsed {
  readonly state: string;
  readonly status?: number | undefined;
  readonly body: string;
  readonly violations: readonly string[];
}

function parseText(text: string, options: { method?: string; bytewise?: boolean; ended?: boolean } = {}): Parsed {
  const parser = new ResponseParser({ method: options.method, maxHeadBytes: 200, maxBodyBytes: 20 });
  const bytes = Buffer.from(text, 'latin1');
  const chunks = options.bytewise === true ? Array.from(bytes, (byte) => Buffer.of(byte)) : [bytes];
  for (const chunk of chunks) parser.push(chunk);
  const state = options.ended === true ? parser.end() : parser.state;
  return { state, status: parser.head?.status, body: parser.body.toString('latin1'), violations: parser.violations };
}

const OK = 'HTTP/1.1 200 OK\r\n';

type Row = [name: string, text: string, expected: Partial<Parsed>, options?: { method?: string; ended?: boolean }];

const rows: Row[] = [
  ['a counted body', `${OK}Content-Length: 5\r\n\r\nhello`, { state: 'done', body: 'hello' }],
  ['an empty body', `${OK}Content-Length: 0\r\n\r\n`, { state: 'done', body: '' }],
  ['an unfinished body', `${OK}Content-Length: 5\r\n\r\nhel`, { state: 'length', body: 'hel' }],
  [
    'chunks',
    `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n`,
    { state: 'done', body: 'hello' },
  ],
  ['trailers', `${OK}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA: b\r\n\r\n`, { state: 'done', body: 'x' }],
  ['a body until the close', `${OK}\r\nhello`, { state: 'done', body: 'hello' }, { ended: true }],
  ['no body for HEAD', `${OK}Content-Length: 5\r\n\r\n`, { state: 'done', body: '' }, { method: 'HEAD' }],
  ['no body for 204', 'HTTP/1.1 204 No Content\r\n\r\n', { state: 'done', status: 204 }],
  ['no body for 304', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', { state: 'done', status: 304 }],
  [
    'an interim response',
    `HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${OK}Content-Length: 1\r\n\r\nx`,
    { status: 200, body: 'x' },
  ],
  ['an empty reason', 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n', { state: 'done', status: 200 }],
];

const faults: Row[] = [
  ['a foreign protocol', 'SSH-2.0-x\r\n', { state: 'broken', violations: ['status_line_malformed'] }],
  ['an empty line first', '\r\n', { state: 'broken', violations: ['status_line_malformed'] }],
  ['a bare LF', `HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n`, { state: 'done', violations: ['line_ends_without_cr'] }],
  [
    'a space before the colon',
    `${OK}A : b\r\nContent-Length: 0\r\n\r\n`,
    { state: 'done', violations: ['header_malformed'] },
  ],
  [
    'a folded field',
    `${OK}A: b\r\n c\r\nContent-Length: 0\r\n\r\n`,
    { state: 'done', violations: ['header_malformed'] },
  ],
  [
    'a control character',
    `${OK}A: \x01\r\nContent-Length: 0\r\n\r\n`,
    { state: 'done', violations: ['header_malformed'] },
  ],
  ['an endless head', `${OK}A: ${'b'.repeat(200)}`, { state: 'broken', violations: ['head_too_long'] }],
  ['a negative length', `${OK}Content-Length: -1\r\n\r\n`, { state: 'broken', violations: ['content_length_invalid'] }],
  [
    'two lengths',
    `${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`,
    { state: 'broken', violations: ['content_length_conflict'] },
  ],
  [
    'a length beside chunks',
    `${OK}Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    { state: 'done', violations: ['length_and_chunked'] },
  ],
  [
    'a length on 204',
    'HTTP/1.1 204 x\r\nContent-Length: 1\r\n\r\n',
    { state: 'done', violations: ['framing_on_bodyless_response'] },
  ],
  [
    'an unknown coding',
    `${OK}Transfer-Encoding: br\r\n\r\n`,
    { state: 'untilClose', violations: ['transfer_encoding_unknown'] },
  ],
  [
    'no chunk size',
    `${OK}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`,
    { state: 'broken', violations: ['chunk_malformed'] },
  ],
  [
    'a chunk too long',
    `${OK}Transfer-Encoding: chunked\r\n\r\n1\r\nabc`,
    { state: 'broken', violations: ['chunk_malformed'] },
  ],
  [
    'a cut body',
    `${OK}Content-Length: 5\r\n\r\nhel`,
    { state: 'broken', violations: ['body_truncated'] },
    { ended: true },
  ],
  [
    'a cut chunk',
    `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhel`,
    { violations: ['body_truncated'] },
    { ended: true },
  ],
  ['a huge body', `${OK}\r\n${'x'.repeat(21)}`, { state: 'broken', violations: ['body_over_driver_limit'] }],
];

test('a response is read by its framing, however it is cut', (t) => {
  for (const [name, text, expected, options] of rows) {
    const wanted = { ...expected, violations: [] };
    t.strictSame(like(parseText(text, options), wanted), wanted, name);
    t.strictSame(like(parseText(text, { ...options, bytewise: true }), wanted), wanted, `${name}, byte by byte`);
  }
  t.end();
});

test('each fault of a response is reported from literal bytes', (t) => {
  for (const [name, text, wanted, options] of faults) {
    t.strictSame(like(parseText(text, options), wanted), wanted, name);
    t.strictSame(like(parseText(text, { ...options, bytewise: true }), wanted), wanted, `${name}, byte by byte`);
  }
  t.end();
});

test('header fields keep order and repetition, and lists join over lines', (t) => {
  const parser = new ResponseParser();
  parser.push(
    Buffer.from(`${OK}Set-Cookie: a=1\r\nVia: x, y\r\nset-cookie: b=2\r\nVIA:  z ,\r\nContent-Length: 0\r\n\r\n`),
  );
  const headers = parser.head?.headers ?? [];
  t.strictSame(headers[2], ['set-cookie', 'b=2']);
  t.strictSame(headerValues(headers, 'SET-COOKIE'), ['a=1', 'b=2']);
  t.strictSame(headerList(headers, 'via'), ['x', 'y', 'z']);
  t.end();
});

test('a request carries what is asked and no more', (t) => {
  const url = 'http://127.0.0.1:8080/a?b=c';
  const get = encodeRequest({ url, headers: [['Authorization', 'Bearer x']] }).toString();
  t.equal(get, 'GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nAuthorization: Bearer x\r\nConnection: close\r\n\r\n');
  const post = encodeRequest({
    url,
    method: 'POST',
    headers: [
      ['host', 'evil'],
      ['connection', 'x'],
    ],
    body: 'é',
  }).toString();
  t.equal(post, 'POST /a?b=c HTTP/1.1\r\nhost: evil\r\nconnection: x\r\nContent-Length: 2\r\n\r\né');
  const lying = encodeRequest({ url, headers: [['Content-Length', '9']], body: 'x' }).toString();
  t.match(lying, /\r\nContent-Length: 9\r\nConnection: close\r\n\r\nx$/);
  t.throws(() => encodeRequest({ url, headers: [['A', 'b\r\nC: d']] }), TypeError);
  t.throws(() => encodeRequest({ url: 'ftp://127.0.0.1/' }), TypeError);
  t.end();
});

function is(t: Test, found: object, wanted: object): void {
  t.strictSame(like(found, wanted), wanted);
}

function answer(incoming: IncomingMessage, response: ServerResponse): void {
  const parts: Buffer[] = [];
  incoming.on('data', (part: Buffer) => parts.push(part));
  incoming.on('end', () => {
    const body = Buffer.concat(parts);
    response.setHeader('X-Method', incoming.method ?? '');
    response.setHeader('Set-Cookie', ['a=1', 'b=2']);
    if (incoming.url === '/counted') response.setHeader('Content-Length', body.length);
    response.statusCode = incoming.url === '/teapot' ? 418 : 200;
    for (let at = 0; at < body.length; at += 1000) response.write(body.subarray(at, at + 1000));
    response.end();
  });
}

test('requests and responses agree with a real HTTP server', async (t) => {
  const server = createServer(answer);
  const peer = await listenRaw(() => undefined, server);
  t.teardown(peer.close);
  const base = `http://127.0.0.1:${String(peer.port)}`;
  const body = Buffer.alloc(300_000, 'abc');
  for (const path of ['/counted', '/chunked']) {
    const got = await request({ url: base + path, method: 'POST', body });
    is(t, got, { type: 'response', status: 200, statusText: 'OK', violations: [] });
    t.ok(got.type === 'response' && got.body.equals(body), `${path} carries the body`);
    t.strictSame(got.type === 'response' && headerValues(got.headers, 'set-cookie'), ['a=1', 'b=2']);
  }
  is(t, await request({ url: `${base}/teapot` }), { status: 418, statusText: "I'm a Teapot", violations: [] });
  const head = await request({ url: `${base}/counted`, method: 'HEAD' });
  is(t, head, { type: 'response', status: 200, body: Buffer.alloc(0), violations: [] });
  const rawHead = await request({
    url: base,
    rawRequest: Buffer.from('HEAD /counted HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n'),
  });
  is(t, rawHead, { type: 'response', status: 200 });
  is(t, await request({ url: base, rawRequest: Buffer.from('NONSENSE\r\n\r\n') }), { type: 'response', status: 400 });
});

/** Runs one request against a peer that does with the connection what `behave` says. */
async function against(behave: (socket: Socket) => void, options: Partial<HttpRequest> = {}): Promise<HttpResult> {
  const peer = await listenRaw(behave);
  try {
    return await request({ url: `http://127.0.0.1:${String(peer.port)}/`, ...options });
  } finally {
    await peer.close();
  }
}

test('a connection without a whole response is a value that says why', async (t) => {
  const closed = await listenRaw(() => undefined);
  await closed.close();
  const refused = await request({ url: `http://127.0.0.1:${String(closed.port)}/` });
  is(t, refused, { type: 'failed', why: 'connect', error: 'ECONNREFUSED', status: undefined });
  const reset = await against((socket) => onHead(socket, () => socket.resetAndDestroy()));
  is(t, reset, { type: 'failed', why: 'reset', error: 'ECONNRESET' });
  const silent = await against((socket) => onHead(socket, () => socket.end()));
  is(t, silent, { type: 'failed', why: 'eof', error: 'no_response' });
  const cut = await against((socket) => onHead(socket, () => socket.end(`${OK}Content-Length: 5\r\n\r\nhel`)));
  is(t, cut, { type: 'failed', why: 'eof', status: 200, violations: ['body_truncated'] });
  const foreign = await against((socket) => socket.write('SSH-2.0-x\r\n'));
  is(t, foreign, { type: 'failed', why: 'malformed', error: 'status_line_malformed' });
});

test('bytes behind the response are reported, and a close ends an unframed body', async (t) => {
  const extra = await against((socket) => onHead(socket, () => socket.write(`${OK}Content-Length: 1\r\n\r\nxy`)));
  is(t, extra, { type: 'response', body: Buffer.from('x'), violations: ['bytes_after_response'] });
  const until = await against((socket) => onHead(socket, () => socket.end(`${OK}\r\nall of it`)));
  is(t, until, { type: 'response', body: Buffer.from('all of it'), violations: [] });
});

test('a refusal sent before the request was read whole counts', async (t) => {
  const early = await against(
    (socket) => onHead(socket, () => socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n')),
    { method: 'POST', body: Buffer.alloc(8 * 1024 * 1024) },
  );
  is(t, early, { type: 'response', status: 413 });
});

test('an aborted request rejects with the reason and leaves no connection', async (t) => {
  const reason = new Error('enough');
  await t.rejects(request({ url: 'http://127.0.0.1:1/', signal: AbortSignal.abort(reason) }), reason);
  const abort = new AbortController();
  let onEnded: (() => void) | undefined;
  const ended = new Promise<void>((resolve) => (onEnded = resolve));
  const peer = await listenRaw((socket) => {
    socket.once('close', () => onEnded?.());
    onHead(socket, () => {
      abort.abort(reason);
    });
  });
  t.teardown(peer.close);
  const url = `http://127.0.0.1:${String(peer.port)}/`;
  await t.rejects(request({ url, signal: abort.signal }), reason);
  await t.resolves(ended, 'the connection ends');
});
