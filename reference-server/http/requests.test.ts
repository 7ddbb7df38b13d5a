import t from 'tap';
import { errors } from '../../generated/errors.js';
import { validate } from '../../generated/validate.js';
import { type Ask, errorOf } from '../testing/http.js';
import { PIPE, SESSIONS_PATH, SIBLING, Stage } from '../testing/stage.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const REQUEST = JSON.stringify({ room: 'lobby', transport: 'websocket' });
const DISCOVERY = '/.well-known/porthouse';
const post = (more: Ask = {}): Ask => ({
  method: 'POST',
  path: SESSIONS_PATH,
  body: REQUEST,
  ...more,
  headers: { ...JSON_TYPE, ...more.headers },
});

interface Row {
  readonly what: string;
  readonly ask: Ask;
  readonly status: number;
  readonly name?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly pointer?: string;
}

const NO_STORE = { 'cache-control': 'no-store', 'content-type': 'application/json' };
const ROWS: readonly Row[] = [
  { what: 'discovery', ask: { path: DISCOVERY }, status: 200, headers: { 'content-type': 'application/json' } },
  { what: 'discovery with a query', ask: { path: `${DISCOVERY}?a=b` }, status: 200 },
  {
    what: 'discovery from any page',
    ask: { path: DISCOVERY, headers: { origin: 'http://evil.example' } },
    status: 200,
  },
  { what: 'its head', ask: { method: 'HEAD', path: DISCOVERY }, status: 200 },
  {
    what: 'discovery by POST',
    ask: { method: 'POST', path: DISCOVERY },
    status: 405,
    name: 'method_not_allowed',
    headers: { allow: 'GET, HEAD' },
  },
  { what: 'another path', ask: { path: '/nowhere' }, status: 404, name: 'not_found' },
  {
    what: 'a path about the discovery',
    ask: { path: '/.well-known/../.well-known/porthouse' },
    status: 404,
    name: 'not_found',
  },
  { what: 'a path of every object', ask: { path: '/__proto__' }, status: 404, name: 'not_found' },
  { what: 'another path with every method', ask: { method: 'DELETE', path: '/x' }, status: 404, name: 'not_found' },
  {
    what: 'the pipe without an upgrade',
    ask: { path: PIPE },
    status: 426,
    name: 'upgrade_required',
    headers: { upgrade: 'websocket' },
  },
  { what: 'the sibling without an upgrade', ask: { path: SIBLING }, status: 426, name: 'upgrade_required' },
  {
    what: 'the pipe by POST',
    ask: { method: 'POST', path: PIPE },
    status: 405,
    name: 'method_not_allowed',
    headers: { allow: 'GET' },
  },
  {
    what: 'the pipe from another page',
    ask: { path: PIPE, headers: { origin: 'http://evil.example' } },
    status: 403,
    name: 'origin_refused',
  },
  {
    what: 'sessions by GET',
    ask: { path: SESSIONS_PATH },
    status: 405,
    name: 'method_not_allowed',
    headers: { allow: 'POST', ...NO_STORE },
  },
  { what: 'a session', ask: post(), status: 201, headers: NO_STORE },
  {
    what: 'a session with parameters to its type',
    ask: post({ headers: { 'content-type': 'Application/JSON; charset=utf-8' } }),
    status: 201,
  },
  { what: 'a session from the own page', ask: post({ headers: { origin: 'http://localhost' } }), status: 201 },
  { what: 'a session from a listed page', ask: post({ headers: { origin: 'https://app.example' } }), status: 201 },
  {
    what: 'from a page of another port',
    ask: post({ headers: { origin: 'http://localhost:81' } }),
    status: 403,
    name: 'origin_refused',
  },
  {
    what: 'from a page without an origin',
    ask: post({ headers: { origin: 'null' } }),
    status: 403,
    name: 'origin_refused',
  },
  {
    what: 'from something like a page',
    ask: post({ headers: { origin: 'ftp://localhost' } }),
    status: 403,
    name: 'origin_refused',
  },
  { what: 'from nothing', ask: post({ headers: { origin: '' } }), status: 403, name: 'origin_refused' },
  {
    what: 'to another host',
    ask: post({ headers: { host: 'evil.example' } }),
    status: 421,
    name: 'host_refused',
    headers: NO_STORE,
  },
  {
    what: 'to another host, whose page it is',
    ask: post({ headers: { host: 'evil.example', origin: 'http://evil.example' } }),
    status: 421,
    name: 'host_refused',
  },
  {
    what: 'to a host that begins like ours',
    ask: { path: DISCOVERY, headers: { host: 'localhost.evil.example' } },
    status: 421,
    name: 'host_refused',
  },
  { what: 'to our host, loudly, by port', ask: { path: DISCOVERY, headers: { host: 'LOCALHOST:1234' } }, status: 200 },
  {
    what: 'to no host',
    ask: { path: DISCOVERY, version: '1.0', headers: { host: undefined } },
    status: 421,
    name: 'host_refused',
  },
  {
    what: 'a form',
    ask: post({ headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
    status: 415,
    name: 'unsupported_media_type',
  },
  {
    what: 'plain text',
    ask: post({ headers: { 'content-type': 'text/plain' } }),
    status: 415,
    name: 'unsupported_media_type',
  },
  {
    what: 'something like JSON',
    ask: post({ headers: { 'content-type': 'application/jsonp' } }),
    status: 415,
    name: 'unsupported_media_type',
  },
  {
    what: 'no type',
    ask: post({ headers: { 'content-type': undefined } }),
    status: 415,
    name: 'unsupported_media_type',
  },
  { what: 'nothing', ask: post({ body: '' }), status: 400, name: 'parse_error' },
  { what: 'half of it', ask: post({ body: '{"room":' }), status: 400, name: 'parse_error' },
  { what: 'a byte order mark', ask: post({ body: `\ufeff${REQUEST}` }), status: 400, name: 'parse_error' },
  {
    what: 'bytes that are no text',
    ask: post({ body: Buffer.from([0x7b, 0xff, 0x7d]) }),
    status: 400,
    name: 'parse_error',
  },
  { what: 'brackets', ask: post({ body: '['.repeat(16_384) }), status: 400, name: 'parse_error' },
  {
    what: 'brackets that match',
    ask: post({ body: '['.repeat(8000) + ']'.repeat(8000) }),
    status: 400,
    name: 'invalid_params',
    pointer: '',
  },
  { what: 'no object', ask: post({ body: 'null' }), status: 400, name: 'invalid_params', pointer: '' },
  {
    what: 'a bad name',
    ask: post({ body: '{"room":"A","transport":"websocket"}' }),
    status: 400,
    name: 'invalid_params',
    pointer: '/room',
  },
  {
    what: 'a member of every object',
    ask: post({ body: '{"__proto__":{"room":"lobby"},"transport":"websocket"}' }),
    status: 400,
    name: 'invalid_params',
    pointer: '/room',
  },
  {
    what: 'no whole number',
    ask: post({ body: '{"room":"lobby","transport":"websocket","limits":{"ringEvents":1.5}}' }),
    status: 400,
    name: 'invalid_params',
    pointer: '/limits/ringEvents',
  },
  {
    what: 'a great number',
    ask: post({ body: '{"room":"lobby","transport":"websocket","limits":{"ringEvents":1e16}}' }),
    status: 400,
    name: 'invalid_params',
    pointer: '/limits/ringEvents',
  },
  { what: 'a body of just the limit', ask: post({ body: REQUEST.padEnd(16_384) }), status: 201 },
  { what: 'a body of one more', ask: post({ body: REQUEST.padEnd(16_385) }), status: 413, name: 'body_too_large' },
  {
    what: 'no scheme',
    ask: post({ headers: { authorization: 'dev.alice' } }),
    status: 401,
    name: 'unauthenticated',
    headers: { 'www-authenticate': 'Bearer', ...NO_STORE },
  },
  {
    what: 'another scheme',
    ask: post({ headers: { authorization: 'Basic ZGV2OmFsaWNl' } }),
    status: 401,
    name: 'unauthenticated',
  },
  {
    what: 'an empty token',
    ask: post({ headers: { authorization: 'Bearer ' } }),
    status: 401,
    name: 'unauthenticated',
  },
  { what: 'an empty header', ask: post({ headers: { authorization: '' } }), status: 401, name: 'unauthenticated' },
  {
    what: 'a bad token',
    ask: post({ headers: { authorization: 'Bearer dev.ALICE' } }),
    status: 401,
    name: 'unauthenticated',
  },
  { what: 'a good token', ask: post({ headers: { authorization: 'bearer dev.alice' } }), status: 201 },
  {
    what: 'no such room',
    ask: post({ body: '{"room":"x","transport":"websocket"}' }),
    status: 404,
    name: 'room_not_found',
  },
];

void t.test('each request gets the status, the name and the headers that the registry gives it', async (t) => {
  const stage = new Stage({ origins: ['https://app.example'] });
  const check = validate['http/refusal'];
  for (const { what, ask, status, name, headers, pointer } of ROWS) {
    const answer = await stage.ask(ask);
    t.equal(answer.status, status, what);
    if (headers) t.match(answer.headers, headers, what);
    if (!name) continue;
    const refusal = JSON.parse(answer.body) as { error: { code: number; data?: { pointer?: string } } };
    t.ok(check(refusal), `${what}: as the schema says`);
    t.notMatch(answer.body, /evil|nowhere|__proto__/, `${what}: and repeats nothing`);
    t.equal(errorOf(answer), name, what);
    t.equal(refusal.error.code, errors[name as keyof typeof errors].code, what);
    t.equal(refusal.error.data?.pointer, pointer, what);
  }
  t.same(stage.faults, []);
});
