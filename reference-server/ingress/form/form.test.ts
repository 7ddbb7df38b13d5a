import t, { type Test } from 'tap';
import type { FormMessage, FormReceipt, FormTicket, Grant } from '../../../generated/types.js';
import { type Answer, errorOf } from '../../testing/http.js';
import { Stage } from '../../testing/stage.js';
import type { Member } from '../../testing/world.js';

const URLENCODED = { 'content-type': 'application/x-www-form-urlencoded' };
const ALICE = { authorization: 'Bearer dev.alice' };
const PAGE = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
const at = (room: string): string => `/porthouse/v1/rooms/${room}/messages`;

type Fields = readonly (readonly [name: string, value: string | Buffer])[];

interface Posting {
  readonly room?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A whole form; values that are bytes go as files. */
function multipart(fields: Fields): { headers: Record<string, string>; body: Buffer } {
  const parts = fields.flatMap(([name, value]) => {
    const file = typeof value === 'string' ? '' : '; filename="f"';
    return [`--b\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`, value, '\r\n'].map((x) =>
      Buffer.from(x),
    );
  });
  const headers = { 'content-type': 'multipart/form-data; boundary=b' };
  return { headers, body: Buffer.concat([...parts, Buffer.from('--b--\r\n')]) };
}

function post(stage: Stage, fields: Fields, { room = 'lobby', headers = {} }: Posting = {}): Promise<Answer> {
  const form = multipart(fields);
  return stage.ask({ method: 'POST', path: at(room), body: form.body, headers: { ...form.headers, ...headers } });
}

async function ticketFor(stage: Stage, room = 'lobby', query = ''): Promise<string> {
  return (JSON.parse((await stage.ask({ path: `${at(room)}${query}` })).body) as FormTicket).ticket;
}

const receiptOf = ({ body }: Answer): FormReceipt => JSON.parse(body) as FormReceipt;
const messagesOf = ({ body }: Answer): readonly FormMessage[] =>
  (JSON.parse(body) as { messages?: FormMessage[] }).messages ?? [];

/** A member of the lobby with a pipe over the form, and the grant for it. */
function granted(stage: Stage, more: object = {}): { member: Member; grant: Grant } {
  const member = stage.world.member({ transport: 'form', ...more });
  member.sibling.bind(member.grant);
  return { member, grant: member.grant };
}

void t.test('a form of a stranger: message after message, each with a receipt', async (t) => {
  const stage = new Stage();
  const bob = stage.world.join();
  const ticket = await ticketFor(stage);
  t.equal(stage.world.router.sessions, 1, 'a ticket costs nothing');
  const answer = await post(stage, [
    ['ticket', ticket],
    ['message', 'one\r\ntwo'],
    ['message', Buffer.from([0, 255])],
    ['message', ''],
  ]);
  t.equal(answer.status, 200);
  t.match(bob.received, ['text one\r\ntwo', /^binary /, 'text ']);
  const receipt = receiptOf(answer);
  t.match(receipt, {
    room: 'lobby',
    messages: [
      { n: 1, kind: 'text', bytes: 8, members: 1 },
      { n: 2, kind: 'binary', bytes: 2 },
      { n: 3, bytes: 0 },
    ],
  });
  t.match(JSON.parse((await stage.ask({ path: `${at('lobby')}?receipt=${receipt.receipt}` })).body), {
    receipt: receipt.receipt,
  });
  t.notOk(answer.body.includes(ticket));
});

void t.test('a form of an account needs no ticket, and its session ends with it', async (t) => {
  const stage = new Stage({ rooms: { lobby: {} } });
  const bob = stage.world.join();
  t.match(await post(stage, [['message', 'ahoy']], { headers: ALICE }), { status: 200 });
  t.same(bob.received, ['text ahoy']);
  stage.world.clock.advance(1);
  t.equal(stage.world.router.sessions, 1);
  t.match(await post(stage, [['message', 'ahoy']]), { status: 401 });
  t.match(await post(stage, [['message', 'ahoy']], { headers: { authorization: 'Bearer no' } }), { status: 401 });
});

void t.test('a form of a granted session is one of its pipes', async (t) => {
  const stage = new Stage();
  const bob = stage.world.join();
  const { member, grant } = granted(stage);
  t.equal(grant.endpoints.pipe, at('lobby'));
  bob.send('not for a form');
  const answer = await post(stage, [
    ['ticket', grant.pipeTicket],
    ['message', 'ahoy'],
  ]);
  t.match(receiptOf(answer).messages, [{ sid: grant.sid, epoch: 1, n: 1, members: 1 }]);
  t.match(member.heard().slice(1), ['pipe.opened 0', 'pipe.ended 1 closed_by_peer', 'pipe.ended 0 closed_by_peer']);
  t.equal(
    errorOf(
      await post(stage, [
        ['ticket', grant.pipeTicket],
        ['message', 'ahoy'],
      ]),
    ),
    'ticket_invalid',
    'once',
  );
});

void t.test('what is refused, and with which words', async (t) => {
  const stage = new Stage({ rooms: { lobby: { anonymous: { send: true } }, quiet: { anonymous: { receive: true } } } });
  const ticket = await ticketFor(stage);
  const { grant } = granted(stage, { room: 'quiet' });
  const key: [string, string] = ['idempotencyKey', 'k'];
  const rows: readonly (readonly [Fields, number, string])[] = [
    [[['message', 'ahoy']], 401, 'ticket_invalid'],
    [
      [
        ['message', 'ahoy'],
        ['ticket', ticket],
      ],
      401,
      'ticket_invalid',
    ],
    [
      [
        ['ticket', `${ticket.slice(0, -1)}${ticket.endsWith('A') ? 'B' : 'A'}`],
        ['message', 'ahoy'],
      ],
      401,
      'ticket_invalid',
    ],
    [
      [
        ['ticket', grant.pipeTicket],
        ['message', 'ahoy'],
      ],
      401,
      'ticket_invalid',
    ],
    [
      [
        ['ticket', 'x'.repeat(300)],
        ['message', 'ahoy'],
      ],
      401,
      'ticket_invalid',
    ],
    [
      [
        ['ticket', Buffer.from(ticket)],
        ['message', 'ahoy'],
      ],
      400,
      'invalid_params',
    ],
    [
      [
        ['ticket', ticket],
        ['ticket', ticket],
        ['message', 'ahoy'],
      ],
      400,
      'invalid_params',
    ],
    [[['ticket', ticket], key, key, ['message', 'ahoy']], 400, 'invalid_params'],
    [[['ticket', ticket], ['message', 'ahoy'], key], 400, 'invalid_params'],
    [
      [
        ['ticket', ticket],
        ['idempotencyKey', 'a b'],
        ['message', 'ahoy'],
      ],
      400,
      'invalid_params',
    ],
    [
      [
        ['ticket', ticket],
        ['_charset_', 'latin1'],
        ['message', 'ahoy'],
      ],
      415,
      'unsupported_media_type',
    ],
    [[['ticket', ticket]], 400, 'invalid_params'],
    [
      [['ticket', ticket], ...Array.from({ length: 64 }, () => ['x', ''] as const), ['message', 'ahoy']],
      413,
      'body_too_large',
    ],
    [
      [
        ['junk', 'x'.repeat(20_000)],
        ['ticket', ticket],
        ['message', 'ahoy'],
      ],
      413,
      'body_too_large',
    ],
    [
      [
        ['ticket', ticket],
        ['message', Buffer.alloc(1_048_577)],
      ],
      413,
      'message_too_long',
    ],
    [
      [
        ['ticket', ticket],
        ['message', 'x'.repeat(1_048_577)],
      ],
      413,
      'message_too_long',
    ],
    [
      [
        ['ticket', ticket],
        ['message', Buffer.alloc(65_537)],
      ],
      413,
      'message_too_large',
    ],
  ];
  for (const [fields, status, name] of rows) {
    const answer = await post(stage, fields);
    t.match([answer.status, errorOf(answer)], [status, name], JSON.stringify(fields).slice(0, 100));
  }
  t.match(
    await post(stage, [
      ['ticket', ticket],
      ['message', 'ahoy'],
    ]),
    { status: 200 },
    'and a good one is taken',
  );
  const latin = `ticket=${ticket}&message=%ff`;
  const text = await stage.ask({ method: 'POST', path: at('lobby'), headers: URLENCODED, body: latin });
  t.match([text.status, errorOf(text)], [400, 'invalid_utf8']);
});

void t.test('rooms that are not for strangers', async (t) => {
  const rooms = {
    lobby: {},
    quiet: { anonymous: { receive: true } },
    own: { visibility: 'private' as const, anonymous: { send: true } },
  };
  const stage = new Stage({ rooms });
  const [nowhere, own, lobby, quiet] = await Promise.all(
    ['nowhere', 'own', 'lobby', 'quiet'].map((room) => stage.ask({ path: at(room) })),
  );
  t.match([nowhere?.status, lobby?.status, quiet?.status], [404, 401, 403]);
  t.same(own?.body, nowhere?.body);
  const list = await stage.ask({ path: '/porthouse/v1/rooms', headers: PAGE });
  t.notMatch(list.body, /quiet|lobby|own/);
});

void t.test('messages before a refusal are delivered, and said', async (t) => {
  const stage = new Stage();
  const bob = stage.world.join();
  const ticket = await ticketFor(stage);
  const answer = await post(stage, [
    ['ticket', ticket],
    ['message', 'one'],
    ['message', Buffer.alloc(2 ** 21)],
    ['message', 'three'],
  ]);
  t.match([answer.status, errorOf(answer)], [413, 'message_too_long']);
  t.match(messagesOf(answer), [{ n: 1, members: 1 }]);
  t.equal(messagesOf(answer).length, 1);
  t.same(bob.received, ['text one']);
  t.match(
    await post(stage, [
      ['ticket', ticket],
      ['message', Buffer.alloc(65_537)],
      ['message', 'in time'],
    ]),
    { status: 200 },
  );
});

void t.test('a key lets a form be posted again, and go on where it broke off', async (t) => {
  const stage = new Stage();
  const bob = stage.world.join();
  const ticket = await ticketFor(stage);
  const head: Fields = [
    ['ticket', ticket],
    ['idempotencyKey', 'k1'],
  ];
  const cut = multipart([...head, ['message', 'one'], ['message', Buffer.from('two')]]);
  const broken = await stage.ask({
    method: 'POST',
    path: at('lobby'),
    headers: cut.headers,
    body: cut.body.subarray(0, -20),
  });
  t.match([broken.status, messagesOf(broken).length], [400, 1], 'the second was not whole');
  const whole: Fields = [...head, ['message', 'one'], ['message', Buffer.from('two')]];
  const first = receiptOf(await post(stage, whole));
  t.same(first.messages[0], messagesOf(broken)[0]);
  t.same(receiptOf(await post(stage, whole)).messages, first.messages);
  t.same(bob.received, ['text one', 'binary two'], 'each once');
  for (const other of [
    ['message', 'uno'],
    ['message', Buffer.from('one')],
  ] as const) {
    t.equal(errorOf(await post(stage, [...head, other, ['message', Buffer.from('two')]])), 'key_reused');
  }
  t.equal(errorOf(await post(stage, [...whole, ['message', 'three']])), 'key_reused', 'more than before');
  t.equal(errorOf(await post(stage, whole.slice(0, 3))), 'key_reused', 'less than before');
  const stranger = await ticketFor(stage);
  t.match(
    await post(stage, [
      ['ticket', stranger],
      ['idempotencyKey', 'k1'],
      ['message', 'mine'],
    ]),
    { status: 200 },
  );
  t.same(bob.received, ['text one', 'binary two', 'text mine'], 'a key is its poster’s own');
});

void t.test('a file flows into a stream room as it comes, and an account is answered when all is in', async (t) => {
  const stage = new Stage({ streams: true });
  const bob = stage.world.join({ room: 'log', create: { boundaries: 'ignored', limits: { maxMessageBytes: 1000 } } });
  const file = Buffer.alloc(3 * 2 ** 20, 'x');
  const answer = await post(
    stage,
    [
      ['message', file],
      ['message', 'end'],
    ],
    { room: 'log', headers: ALICE },
  );
  t.match(receiptOf(answer).messages, [
    { n: 1, bytes: file.length, members: 1 },
    { n: 2, kind: 'text' },
  ]);
  const chunks = bob.sink.batches.flatMap(({ messages }) => messages);
  t.ok(chunks.every(({ payload }) => payload.length <= 1000));
  t.equal(
    chunks.reduce((sum, { payload }) => sum + payload.length, 0),
    file.length + 3,
  );
});

void t.test('the pages: escaped, without script, and with a way through', async (t) => {
  const stage = new Stage();
  const rooms = await stage.ask({ path: '/porthouse/v1/rooms?room=%3Cscript%3E', headers: PAGE });
  t.match(rooms.body, /&lt;script&gt;/);
  t.notMatch(rooms.body, /<script/);
  t.match(rooms.headers, { 'content-security-policy': /default-src 'none'/, 'cache-control': 'no-store' });
  t.match((await stage.ask({ path: '/porthouse/v1/rooms?room=Lobby' })).headers, { location: at('lobby') });
  const form = await stage.ask({ path: at('lobby'), headers: PAGE });
  const [ticket = ''] = /(?<=name="ticket" value=")[^"]+/.exec(form.body) ?? [];
  const sent = await post(
    stage,
    [
      ['ticket', ticket],
      ['message', '<b>'],
    ],
    { headers: PAGE },
  );
  t.equal(sent.status, 303);
  const receipt = await stage.ask({ path: sent.headers.location ?? '', headers: PAGE });
  t.match(receipt.body, /nobody was there/);
  t.match(await stage.ask({ path: (sent.headers.location ?? '').replace('lobby', 'other'), headers: PAGE }), {
    status: 404,
  });
  const refused = await post(stage, [['message', 'x']], { headers: PAGE });
  t.match([refused.status, refused.headers['content-type']], [401, 'text/html; charset=utf-8']);
  t.match(await stage.ask({ method: 'PUT', path: at('lobby') }), {
    status: 405,
    headers: { allow: 'GET, HEAD, POST' },
  });
});

void t.test('pages of other sites post nothing', async (t) => {
  const stage = new Stage({ origins: ['https://app.example'] });
  const ticket = await ticketFor(stage);
  const fields: Fields = [
    ['ticket', ticket],
    ['message', 'ahoy'],
  ];
  for (const headers of [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ] as const) {
    t.equal(
      errorOf(await post(stage, fields, { headers: { ...headers } as Record<string, string> })),
      'origin_refused',
    );
  }
  for (const headers of [
    { origin: 'http://localhost' },
    { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'none' },
  ]) {
    t.match(await post(stage, fields, { headers: { ...headers } as Record<string, string> }), { status: 200 });
  }
});

async function pending(
  t: Test,
  stage: Stage,
  grant: Grant,
): Promise<{ write(text: string): void; answer(): Promise<Answer> }> {
  const form = multipart([
    ['ticket', grant.pipeTicket],
    ['message', 'one'],
  ]);
  const open = form.body.subarray(0, -6);
  const asked = stage.begin({
    method: 'POST',
    path: at('lobby'),
    headers: { ...form.headers, 'content-length': '1000' },
  });
  t.teardown(() => asked.socket.destroy());
  asked.socket.write(open);
  await Promise.resolve();
  return { write: (text) => void asked.socket.write(text), answer: asked.answer };
}

void t.test('a form whose pipe is ended from elsewhere is answered at once', async (t) => {
  const stage = new Stage();
  const { member, grant } = granted(stage);
  const form = await pending(t, stage, grant);
  await member.sibling.event('pipe.opened');
  member.sibling.call('pipe.close', {});
  const answer = await form.answer();
  t.match([answer.status, errorOf(answer), answer.headers.connection], [409, 'pipe_ended', 'close']);
});

void t.test('a client that falls silent is told so, and ends with that cause', async (t) => {
  const stage = new Stage();
  const { member, grant } = granted(stage);
  const form = await pending(t, stage, grant);
  await member.sibling.event('pipe.opened');
  stage.world.clock.advance(30_000);
  t.match(errorOf(await form.answer()), 'timeout');
  t.match((await member.sibling.event('pipe.ended')).params, { cause: 'timeout' });
  const nobody = stage.begin({
    method: 'POST',
    path: at('lobby'),
    headers: { ...URLENCODED, 'content-length': '1000' },
  });
  nobody.socket.write('tick');
  await stage.ask({ path: at('lobby') });
  stage.world.clock.advance(10_000);
  t.match(errorOf(await nobody.answer()), 'timeout');
});

void t.test('tickets expire, and belong to one room', async (t) => {
  const stage = new Stage({ rooms: { lobby: { anonymous: { send: true } }, other: { anonymous: { send: true } } } });
  const ticket = await ticketFor(stage, 'lobby', '?ticketMs=50');
  const late = await ticketFor(stage, 'lobby', '?ticketMs=99999999999');
  t.equal(
    errorOf(
      await post(
        stage,
        [
          ['ticket', ticket],
          ['message', 'x'],
        ],
        { room: 'other' },
      ),
    ),
    'ticket_invalid',
  );
  t.match(
    await post(stage, [
      ['ticket', ticket],
      ['message', 'x'],
    ]),
    { status: 200 },
  );
  stage.world.clock.advance(50);
  t.equal(
    errorOf(
      await post(stage, [
        ['ticket', ticket],
        ['message', 'x'],
      ]),
    ),
    'ticket_invalid',
  );
  stage.world.clock.advance(3_600_000);
  t.equal(
    errorOf(
      await post(stage, [
        ['ticket', late],
        ['message', 'x'],
      ]),
    ),
    'ticket_invalid',
    'no longer than the limit',
  );
});
