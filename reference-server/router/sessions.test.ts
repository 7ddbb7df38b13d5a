import t from 'tap';
import type { RequestedLimits, RoomSpec, SessionRequest } from '../../generated/types.js';
import { World } from '../testing/world.js';

interface RefusalRow {
  readonly what: string;
  readonly request: Partial<SessionRequest> & { account?: string | null };
  readonly refused: string | undefined;
}

const OPEN = { anonymous: { send: true } } as const;
const ROWS: readonly RefusalRow[] = [
  { what: 'a room that is there', request: {}, refused: undefined },
  { what: 'no such room', request: { room: 'nowhere' }, refused: 'room_not_found' },
  { what: 'a name that is taken', request: { room: 'lobby', create: {} }, refused: 'room_exists' },
  {
    what: 'a name that is taken by another, privately',
    request: { room: 'study', create: {}, account: 'bob' },
    refused: 'room_exists',
  },
  { what: 'a private room of the own account', request: { room: 'study' }, refused: undefined },
  { what: 'a private room of another', request: { room: 'study', account: 'bob' }, refused: 'room_not_found' },
  { what: 'a private room, anonymously', request: { room: 'study', account: null }, refused: 'room_not_found' },
  { what: 'a room for accounts, anonymously', request: { room: 'office', account: null }, refused: 'unauthenticated' },
  { what: 'a new room, anonymously', request: { room: 'new', create: {}, account: null }, refused: 'unauthenticated' },
  { what: 'an old room as new, anonymously', request: { create: {}, account: null }, refused: 'unauthenticated' },
  { what: 'debug, anonymously', request: { scopes: ['debug'], account: null }, refused: 'forbidden' },
  {
    what: 'to receive where strangers only send',
    request: { room: 'box', scopes: ['receive'], account: null },
    refused: 'forbidden',
  },
  { what: 'a transport that nobody offers', request: { transport: 'pigeon' }, refused: 'transport_unsupported' },
  {
    what: 'a transport named as a member of every object',
    request: { transport: 'constructor' },
    refused: 'transport_unsupported',
  },
  { what: 'a room named as a member of every object', request: { room: '__proto__' }, refused: 'room_not_found' },
  {
    what: 'formats that do not fit',
    request: { room: 'json', formats: { send: ['json'], receive: ['text'] } },
    refused: 'format_unsupported',
  },
  {
    what: 'formats that fit as far as needed',
    request: { room: 'json', formats: { send: ['json'], receive: [] }, scopes: ['send'] },
    refused: undefined,
  },
  { what: 'a full room', request: { room: 'one' }, refused: 'room_full' },
  {
    what: 'a new room whose format does not fit',
    request: { room: 'new', create: { format: 'text' }, formats: { send: [], receive: ['text'] } },
    refused: 'format_unsupported',
  },
];

function world(): World {
  const made = new World({
    rooms: {
      lobby: { anonymous: { send: true, receive: true } },
      office: {},
      box: OPEN,
      json: { format: 'json' },
      one: { limits: { maxMembers: 1 } },
    },
  });
  made.join({ room: 'one' });
  made.join({ room: 'study', create: { visibility: 'private', ...OPEN } });
  return made;
}

void t.test('each request gets its grant or its refusal, and a refused one leaves nothing behind', (t) => {
  for (const { what, request, refused } of ROWS) {
    const { router } = world();
    const fresh = world();
    const before = [fresh.router.sessions, fresh.router.rooms];
    t.equal(fresh.refusal(request), refused, what);
    if (refused) t.same([fresh.router.sessions, fresh.router.rooms], before, `${what}: nothing left`);
    else t.equal(fresh.router.sessions, router.sessions + 1, what);
  }
  t.end();
});

interface SpecRow {
  readonly spec: RoomSpec;
  readonly refused: string;
  readonly pointer: string;
}

const SPECS: readonly SpecRow[] = [
  { spec: { lifetime: 'persistent' }, refused: 'not_supported', pointer: '/create/lifetime' },
  { spec: { boundaries: 'ignored' }, refused: 'not_supported', pointer: '/create/boundaries' },
  {
    spec: { limits: { maxMessageBytes: 1048577 } },
    refused: 'invalid_params',
    pointer: '/create/limits/maxMessageBytes',
  },
  { spec: { limits: { maxMembers: 1001 } }, refused: 'invalid_params', pointer: '/create/limits/maxMembers' },
  {
    spec: { limits: { maxQueuedMessages: 1025 } },
    refused: 'invalid_params',
    pointer: '/create/limits/maxQueuedMessages',
  },
  {
    spec: { limits: { maxQueuedBytes: 1048577 } },
    refused: 'invalid_params',
    pointer: '/create/limits/maxQueuedBytes',
  },
];

void t.test('a room spec is kept to the letter or refused with a pointer', (t) => {
  for (const { spec, refused, pointer } of SPECS) {
    t.match(world().grant({ room: 'new', create: spec }), { refused, pointer }, pointer);
  }
  const defaults: RoomSpec = { lifetime: 'transient', boundaries: 'kept', slowConsumer: 'close', visibility: 'public' };
  const made = world().join({ room: 'new', create: { ...defaults, limits: { maxMessageBytes: 1048576 } } });
  t.match(made.sibling.call('pipe.state')?.result, {
    state: { room: { name: 'new', ...defaults, limits: { maxMessageBytes: 1048576, maxMembers: 1000 } } },
  });
  t.end();
});

void t.test(
  'nobody widens a limit of the server by way of a room, or smuggles members into what the server says',
  (t) => {
    const smuggled = JSON.parse(
      '{"limits":{"hardMessageBytes":9e15,"sessionLingerMs":9e15,"junk":"x","__proto__":{"ringEvents":1}},"anonymous":{"junk":1},"junk":1}',
    ) as RoomSpec;
    const formats = JSON.parse('{"send":["text"],"receive":["text"],"junk":"x"}') as SessionRequest['formats'];
    const fresh = world();
    const member = fresh.join({ room: 'new', create: smuggled, ...(formats ? { formats } : {}) });
    t.same(member.grant.limits, fresh.limits);
    t.same(Object.getPrototypeOf(member.grant.limits), Object.prototype);
    t.notMatch(JSON.stringify([member.grant, member.sibling.call('pipe.state')]), /junk|__proto__/);
    t.end();
  },
);

void t.test('limits that a client asks for are in force, lowered to those of the server', (t) => {
  const limits = {
    ringEvents: 2,
    ticketMs: 9e15,
    maxMembers: 1,
    bindMs: 1,
    siblingMessageBytes: 2048,
  } as RequestedLimits;
  const member = world().join({ limits });
  t.match(member.grant.limits, {
    ringEvents: 2,
    ticketMs: 60000,
    maxMembers: 1000,
    bindMs: 10000,
    siblingMessageBytes: 2048,
  });
  t.equal(member.grant.expiresInMs, 60000);
  t.end();
});

void t.test('grants differ in everything that must not be guessed', (t) => {
  const fresh = world();
  const grants = Array.from({ length: 5 }, () => fresh.join().grant);
  const secrets = grants.flatMap(({ sid, pipeTicket, siblingSecret }) => [sid, pipeTicket, siblingSecret]);
  t.equal(new Set(secrets).size, 15);
  t.end();
});

void t.test('strangers have a budget of sessions of their own', (t) => {
  const fresh = new World({ limits: { maxSessions: 3, maxAnonymousSessions: 1 } });
  fresh.member({ account: null });
  t.match(fresh.grant({ account: null }), { refused: 'busy', limit: 1 });
  fresh.member();
  fresh.member();
  t.match(fresh.grant(), { refused: 'busy', limit: 3 });
  fresh.clock.advance(90_000);
  t.equal(fresh.router.sessions, 0);
  t.equal(fresh.refusal({ account: null }), undefined, 'what ended counts no more');
  t.end();
});
