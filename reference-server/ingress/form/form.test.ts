import t from 'tap';
import { errorOf } from '../../testing/http.js';
import { Stage } from '../../testing/stage.js';
import {
  ALICE,
  URLENCODED,
  at,
  type Fields,
  granted,
  messagesOf,
  multipart,
  post,
  receiptOf,
  ticketFor,
} from './testing/forms.js';

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
