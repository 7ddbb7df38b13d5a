import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { Grant } from '../../../generated/types.js';
import { type Answer, errorOf } from '../../testing/http.js';
import { holdsAsync } from '../../testing/property.js';
import { Stage } from '../../testing/stage.js';
import { ALICE, PAGE, URLENCODED, at, type Fields, granted, multipart, post, ticketFor } from './testing/forms.js';

void t.test('the pages: escaped, without script, and with a way through', async (t) => {
  const stage = new Stage();
  const rooms = await stage.ask({ path: '/porthouse/v1/rooms?room=%3Cscript%3E', headers: PAGE });
  t.match(rooms.body, /&lt;script&gt;/);
  t.notMatch(rooms.body, /<script/);
  t.match(rooms.headers, { 'content-security-policy': /default-src 'none'/, 'cache-control': 'no-store' });
  t.match((await stage.ask({ path: '/porthouse/v1/rooms?room=Lobby' })).headers, { location: at('lobby') });
  const form = await stage.ask({ path: at('lobby'), headers: PAGE });
  const style = createHash('sha256')
    .update(/<style>([^]*)<\/style>/.exec(form.body)?.[1] ?? '')
    .digest('base64');
  t.ok(form.headers['content-security-policy']?.includes(`style-src 'sha256-${style}'`), 'the looks are let through');
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

void t.test('a ticket is good or not, whatever it looks like, and comes once and before messages', async (t) => {
  const stage = new Stage();
  const ticket = `ticket=${await ticketFor(stage)}`;
  const refused = async (said: string, headers = {}): Promise<unknown> => {
    const fields = said.split('&').map((field) => field.split('=') as [string, string]);
    const { status, body } = await post(stage, fields, { headers });
    return [status, (JSON.parse(body) as { error: { data?: unknown } }).error.data];
  };
  for (const odd of ['', 'a', 'a b', 'x'.repeat(300), '\u20ac']) {
    t.strictSame(await refused(`ticket=${odd}&message=x`), [401, undefined], odd);
  }
  const late = [400, { pointer: '/ticket' }];
  t.strictSame(await refused(`${ticket}&${ticket}&message=x`), late);
  t.strictSame(await refused(`${ticket}&${ticket}&message=x`, ALICE), late);
  t.strictSame(await refused(`message=x&${ticket}`, ALICE), late);
  t.strictSame(await refused(`message=x&${ticket}`), [401, undefined]);
  t.strictSame(await refused('other=x'), [400, { pointer: '/message' }]);
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
    t.equal(errorOf(await post(stage, fields, { headers: { ...headers } })), 'origin_refused');
  }
  for (const headers of [
    { origin: 'http://localhost' },
    { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'none' },
  ]) {
    t.match(await post(stage, fields, { headers: { ...headers } }), { status: 200 });
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

void t.test('whatever is posted is answered, and costs nobody else anything', async (t) => {
  const stage = new Stage();
  const bob = stage.world.join();
  const ticket = await ticketFor(stage);
  const line = fc.oneof(
    fc.constantFrom(
      '--b',
      '--b--',
      '',
      `ticket=${ticket}&`,
      'message=',
      'Content-Disposition: form-data; name=message',
      ticket,
    ),
    fc.constantFrom(
      'Content-Disposition: form-data; name=ticket',
      'Content-Disposition: form-data; name=message; filename=x',
    ),
    fc.string({ unit: 'binary', maxLength: 30 }),
  );
  const body = fc.array(line, { maxLength: 12 }).map((lines) => Buffer.from(lines.join('\r\n'), 'latin1'));
  const type = fc.constantFrom('multipart/form-data; boundary=b', 'application/x-www-form-urlencoded');
  await holdsAsync(
    t,
    fc.asyncProperty(body, type, async (body, type) => {
      const headers = { 'content-type': type };
      const { status } = await stage.ask({ method: 'POST', path: at('lobby'), headers, body });
      assert.ok([200, 400, 401, 415].includes(status), String(status));
    }),
    200,
  );
  const before = bob.received.length;
  t.match(
    await post(stage, [
      ['ticket', ticket],
      ['message', 'still here'],
    ]),
    { status: 200 },
  );
  t.equal(bob.received[before], 'text still here');
  t.same(stage.faults, []);
});

void t.test('a fault of the server is answered as one, ends its own pipe, and nothing else', async (t) => {
  const stage = new Stage();
  const bob = stage.world.join();
  const { router } = stage.world;
  const { member, grant } = granted(stage);
  const broken = (): never => {
    throw new Error('a bug');
  };
  const redeem = router.redeem.bind(router);
  const faulty: typeof redeem = (...shown) => {
    const offer = redeem(...shown);
    if ('refused' in offer) return offer;
    return { ...offer, open: (sink) => Object.assign(offer.open(sink), { receive: broken }) };
  };
  for (const faults of [{ redeem: broken }, { redeem: faulty }]) {
    Object.assign(router, faults);
    const answer = await post(stage, [
      ['ticket', grant.pipeTicket],
      ['message', 'ahoy'],
    ]);
    t.match([answer.status, errorOf(answer)], [500, 'internal_error']);
  }
  t.match(member.heard().slice(-2), ['pipe.ended 0 lost', 'pipe.ended 0 lost']);
  t.match(stage.faults, [{ message: 'a bug' }, { message: 'a bug' }], 'and the log is told');
  Object.assign(router, { redeem });
  t.match(await post(stage, [['message', 'ahoy']], { headers: ALICE }), { status: 200 });
  t.same(bob.received, ['text ahoy']);
});
