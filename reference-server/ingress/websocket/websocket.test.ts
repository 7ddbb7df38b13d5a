import t from 'tap';
import type { EndCause } from '../../../generated/types.js';
import { errorOf } from '../../testing/http.js';
import { PIPE, SIBLING, Stage, opened, pipeHeaders } from '../../testing/stage.js';
import { until } from '../../testing/until.js';
import { type Frame, OPCODE, WebSocketClient, closeFrame, frame } from '../../testing/web-socket.js';

interface Violation {
  readonly what: string;
  readonly frames: readonly (Frame | Buffer)[];
  readonly code: number;
  readonly cause: EndCause;
}

const text = (payload: string | Buffer, more: Partial<Frame> = {}): Frame => ({
  opcode: OPCODE.text,
  payload: Buffer.from(payload),
  ...more,
});
const PROTOCOL = { code: 1002, cause: 'protocol_error' } as const;
const UTF8 = { code: 1007, cause: 'invalid_utf8' } as const;
const LONG = { code: 1009, cause: 'message_too_long' } as const;

const VIOLATIONS: readonly Violation[] = [
  { what: 'no mask', frames: [text('x', { masked: false })], ...PROTOCOL },
  ...[1, 2, 3, 4, 7].map((reserved) => ({
    what: `reserved bits ${String(reserved)}`,
    frames: [text('x', { reserved })],
    ...PROTOCOL,
  })),
  ...[3, 7, 11, 15].map((opcode) => ({ what: `opcode ${String(opcode)}`, frames: [{ opcode }], ...PROTOCOL })),
  { what: 'a fragmented ping', frames: [{ opcode: OPCODE.ping, fin: false }], ...PROTOCOL },
  { what: 'a long ping', frames: [{ opcode: OPCODE.ping, payload: Buffer.alloc(126) }], ...PROTOCOL },
  { what: 'a continuation of nothing', frames: [{ opcode: OPCODE.continuation }], ...PROTOCOL },
  { what: 'a message within a message', frames: [text('a', { fin: false }), text('b')], ...PROTOCOL },
  { what: 'a close of one byte', frames: [{ opcode: OPCODE.close, payload: Buffer.alloc(1) }], ...PROTOCOL },
  ...[0, 999, 1004, 1005, 1006, 1015, 2999, 5000].map((code) => ({
    what: `close ${String(code)}`,
    frames: [closeFrame(code)],
    ...PROTOCOL,
  })),
  { what: 'half a character', frames: [text(Buffer.from([0xe2, 0x82]))], ...UTF8 },
  { what: 'a surrogate', frames: [text(Buffer.from([0xed, 0xa0, 0x80]))], ...UTF8 },
  { what: 'an overlong slash', frames: [text(Buffer.from([0xc0, 0xaf]))], ...UTF8 },
  { what: 'beyond U+10FFFF', frames: [text(Buffer.from([0xf4, 0x90, 0x80, 0x80]))], ...UTF8 },
  {
    what: 'a close reason that is no text',
    frames: [{ opcode: OPCODE.close, payload: Buffer.from([3, 232, 255]) }],
    ...UTF8,
  },
  { what: 'one byte too many', frames: [{ opcode: OPCODE.binary, payload: Buffer.alloc(101) }], ...LONG },
  {
    what: 'too many in fragments',
    frames: [text('x'.repeat(60), { fin: false }), { opcode: OPCODE.continuation, payload: Buffer.alloc(41) }],
    ...LONG,
  },
  { what: 'an announcement of 2^62 bytes', frames: [{ opcode: OPCODE.binary, claims: 2n ** 62n }], ...LONG },
  { what: 'an announcement of 4 GiB', frames: [{ opcode: OPCODE.binary, claims: 2n ** 32n }], ...LONG },
];

void t.test('what breaks the rules ends this pipe, in the right words, and nothing else', async (t) => {
  const stage = new Stage();
  const [speaker, listener] = [await stage.pipe(), stage.world.join()];
  for (const { what, frames, code, cause } of VIOLATIONS) {
    const { client, member } = await stage.pipe({ hardMessageBytes: 100 });
    client.send(text('before'), ...frames, text('after'));
    t.equal(await client.closed(), code, what);
    const { params } = await member.sibling.event('pipe.ended');
    t.match(params, { finalN: 1, finalBytes: 6, cause }, `${what}: the account`);
  }
  speaker.client.text('still here');
  const messages = await listener.sink.arrived(VIOLATIONS.length + 1);
  t.equal(messages.at(-1)?.payload.toString(), 'still here');
});

void t.test('however a message is cut, it is one message', async (t) => {
  const stage = new Stage();
  const listener = stage.world.join();
  const { client, member } = await stage.pipe();
  const euro = Buffer.from('€'.repeat(40));
  const parts = [...euro].map((byte, index): Frame => ({
    opcode: index === 0 ? OPCODE.text : OPCODE.continuation,
    fin: index === euro.length - 1,
    payload: Buffer.from([byte]),
  }));
  const cut = parts.flatMap((part) => [part, { opcode: OPCODE.ping, payload: Buffer.from('p') }]);
  for (const byte of Buffer.concat(cut.map(frame))) client.socket.write(Buffer.from([byte]));
  client.send(text('', { fin: false }), { opcode: OPCODE.continuation, fin: false }, { opcode: OPCODE.continuation });
  client.socket.write(Buffer.concat([frame(text('two')), frame(text('three'))]));
  const messages = await listener.sink.arrived(4);
  t.same(
    messages.map(({ payload }) => payload.toString()),
    ['€'.repeat(40), '', 'two', 'three'],
  );
  t.match(member.sibling.call('fence', { after: { epoch: 1, c2s: 4 } })?.result, { c2sReceived: 4 });
});

void t.test('what comes right behind the handshake is the first of the pipe', async (t) => {
  const stage = new Stage();
  const listener = stage.world.join();
  const { grant } = stage.world.member();
  const behind = frame(text('eager'));
  const result = await stage.upgrade({ path: PIPE, headers: pipeHeaders(grant.pipeTicket), behind });
  t.ok(opened(result));
  t.match(await listener.sink.arrived(1), [{ kind: 'text' }]);
});

void t.test('no extension is accepted, and the ticket is not sent back', async (t) => {
  const stage = new Stage();
  const { grant } = stage.world.member();
  const socket = stage.dial();
  const headers = {
    ...pipeHeaders(grant.pipeTicket),
    'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits',
  };
  const written: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => written.push(chunk));
  opened(await WebSocketClient.open(socket, { path: PIPE, headers }));
  const head = Buffer.concat(written).toString();
  t.match(head, /^HTTP\/1\.1 101 /);
  t.match(head, /Sec-WebSocket-Protocol: porthouse\.pipe\.v1\r\n/);
  t.match(head, /Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/);
  t.notMatch(head, /extensions/i);
  t.notMatch(head, grant.pipeTicket);
});

interface HandshakeRow {
  readonly what: string;
  readonly method?: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly status: number;
  readonly name: string;
}

const ROWS: readonly HandshakeRow[] = [
  { what: 'another version', headers: { 'sec-websocket-version': '8' }, status: 426, name: 'upgrade_required' },
  { what: 'no version', headers: { 'sec-websocket-version': undefined }, status: 426, name: 'upgrade_required' },
  { what: 'another protocol', headers: { upgrade: 'h2c' }, status: 426, name: 'upgrade_required' },
  { what: 'no key', headers: { 'sec-websocket-key': undefined }, status: 400, name: 'invalid_request' },
  { what: 'a key that is none', headers: { 'sec-websocket-key': 'short' }, status: 400, name: 'invalid_request' },
  { what: 'another method', method: 'POST', headers: {}, status: 405, name: 'method_not_allowed' },
  { what: 'another host', headers: { host: 'evil.example' }, status: 421, name: 'host_refused' },
  { what: 'another origin', headers: { origin: 'http://evil.example' }, status: 403, name: 'origin_refused' },
];

const PROTOCOLS = (ticket: string): readonly (string | undefined)[] => [
  undefined,
  '',
  'porthouse.pipe.v1',
  `porthouse.ticket.${ticket}`,
  `porthouse.sibling.v1, porthouse.ticket.${ticket}`,
  `porthouse.pipe.v1, porthouse.pipe.v1, porthouse.ticket.${ticket}`,
  `porthouse.pipe.v1, porthouse.ticket.${ticket}, porthouse.ticket.${ticket}`,
  `porthouse.pipe.v1, porthouse.ticket.${ticket}, porthouse.ticket.${'A'.repeat(43)}`,
  `porthouse.pipe.v1,, porthouse.ticket.${ticket}`,
  `porthouse.pipe.v1; porthouse.ticket.${ticket}`,
  Array.from({ length: 1500 }, (_, n) => `p${String(n)}`).join(', '),
];

void t.test(
  'a handshake that lacks something is refused in the words of the registry, and spends no ticket',
  async (t) => {
    const stage = new Stage();
    const member = stage.world.member();
    const good = pipeHeaders(member.grant.pipeTicket);
    for (const { what, method = 'GET', headers, status, name } of ROWS) {
      const answers = [
        await stage.upgrade({ path: PIPE, method, headers: { ...good, ...headers } }),
        await stage.upgrade({
          path: SIBLING,
          method,
          headers: { 'sec-websocket-protocol': 'porthouse.sibling.v1', ...headers },
        }),
      ];
      for (const answer of answers) {
        if ('socket' in answer) throw new Error(what);
        t.match([answer.status, errorOf(answer), answer.headers.connection], [status, name, 'close'], what);
        if (status === 426) t.match(answer.headers, { upgrade: 'websocket', 'sec-websocket-version': '13' });
        if (status === 405) t.equal(answer.headers.allow, 'GET');
      }
    }
    for (const offered of PROTOCOLS(member.grant.pipeTicket)) {
      const answer = await stage.upgrade({ path: PIPE, headers: { 'sec-websocket-protocol': offered } });
      if ('socket' in answer) throw new Error(offered);
      t.match([answer.status, errorOf(answer)], [400, 'subprotocol_required'], String(offered));
    }
    const malformed = await stage.upgrade({ path: PIPE, headers: pipeHeaders('short') });
    t.match(malformed, { status: 401 });
    t.ok(opened(await stage.upgrade({ path: PIPE, headers: good })), 'after all of that the ticket is still good');
  },
);

async function frames(client: WebSocketClient, count: number): Promise<string[]> {
  const got: string[] = [];
  for (let n = 0; n < count; n++) {
    const next = await client.next();
    got.push(`${String(next?.opcode)} ${next?.payload.toString() ?? ''}`);
  }
  return got;
}

void t.test('a ping is answered with its own bytes, and counts as nothing', async (t) => {
  const stage = new Stage();
  const { client, member } = await stage.pipe();
  client.send(
    { opcode: OPCODE.ping, payload: Buffer.from('one') },
    { opcode: OPCODE.pong, payload: Buffer.from('unasked') },
  );
  client.send({ opcode: OPCODE.ping });
  t.same(await frames(client, 2), ['10 one', '10 ']);
  t.match(member.sibling.call('fence')?.result, { c2sReceived: 0, s2cEnqueued: 0 });
});

void t.test('a client that is silent is pinged, and given up when it does not answer', async (t) => {
  const stage = new Stage();
  const { client, member } = await stage.pipe({ keepaliveMs: 100 });
  const { clock } = stage.world;
  clock.advance(60);
  client.send({ opcode: OPCODE.pong });
  await until(() => client.socket.writableLength === 0);
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(99);
  clock.advance(1);
  t.same(await frames(client, 1), ['9 '], 'after 100 ms without a byte');
  client.text('alive');
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(100);
  t.same(await frames(client, 1), ['9 ']);
  clock.advance(99);
  t.equal(member.sibling.sent.at(-1)?.method, 'pipe.opened');
  clock.advance(1);
  t.match((await member.sibling.event('pipe.ended')).params, { cause: 'timeout', finalN: 1 });
  t.equal(await client.closed(), 4010);
});

void t.test('the end is known as soon as the client says it, whatever it does with the connection', async (t) => {
  for (const code of [1000, 1001, 1011, 3000, 4999, null]) {
    const stage = new Stage();
    const { client, member } = await stage.pipe();
    client.send(text('last'), closeFrame(code, 'bye'), text('too late'));
    t.match((await member.sibling.event('pipe.ended')).params, { cause: 'closed_by_peer', finalN: 1 });
    t.equal(await client.closed({ answer: false }), code, 'its own code comes back');
  }
  const stage = new Stage();
  const { client, member } = await stage.pipe();
  client.socket.end();
  t.match((await member.sibling.event('pipe.ended')).params, { cause: 'lost' }, 'an end without a close frame');
});

void t.test('after the server has closed, nothing that the client sends counts', async (t) => {
  const stage = new Stage();
  const listener = stage.world.join();
  const { client, member } = await stage.pipe();
  t.match(member.sibling.call('pipe.close')?.result, { at: { n: 0 } });
  client.send(text('too late'), closeFrame(1000));
  t.equal(await client.closed({ answer: false }), 1000);
  t.same(listener.received, []);
  t.match(member.sibling.call('pipe.state')?.result, { state: { pipe: { status: 'ended', c2s: { n: 0 } } } });
});
