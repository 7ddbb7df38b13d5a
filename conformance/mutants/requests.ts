import { headerOf, stateless, stringAt, withAt, withHeader, withJson } from './helpers.js';
import { offeredProtocols } from './helpers.js';
import type { Json, JsonObject } from './json.js';
import { isObject, objectAt } from './json.js';
import { onGrant, onRefusal, onRequest, refusing } from './makers.js';
import type { Alterations, HttpRequest, WireMutant } from './mutant.js';

/** `request` with another body. */
function withBody(request: HttpRequest, json: JsonObject): HttpRequest {
  return { ...request, body: Buffer.from(JSON.stringify(json), 'utf8'), json };
}

/** Changes the JSON that clients ask for a session with. */
function onAsked(change: (asked: JsonObject) => JsonObject): Alterations {
  return onRequest('sessions', (request) => {
    const changed = request.json === undefined ? undefined : change(request.json);
    return changed === undefined || changed === request.json ? request : withBody(request, changed);
  });
}

function onMediaType(change: (type: string) => string | undefined): Alterations {
  return onRequest('sessions', (request) => {
    const type = headerOf(request.headers, 'content-type') ?? '';
    const changed = change(type);
    return changed === undefined
      ? request
      : { ...request, headers: withHeader(request.headers, 'Content-Type', changed) };
  });
}

/** Takes for a bearer token what it finds where none belongs. */
function onTokenElsewhere(find: (request: HttpRequest) => string | undefined): Alterations {
  return onRequest('sessions', (request) => {
    const token = headerOf(request.headers, 'authorization') === undefined ? find(request) : undefined;
    if (token === undefined) return request;
    return { ...request, headers: withHeader(request.headers, 'Authorization', `Bearer ${token}`) };
  });
}

const KNOWN: ReadonlySet<string> = new Set(['room', 'transport', 'create', 'formats', 'scopes', 'limits']);

const asNumber = (value: Json | undefined): Json | undefined =>
  typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;

const reading: readonly WireMutant[] = [
  stateless({
    name: 'tells-the-expiry-in-seconds',
    breaks: ['OPEN-1'],
    also: [],
    what: 'A grant gives the life of its ticket in seconds.',
    alter: onGrant((it) => {
      const ms = it.json?.['expiresInMs'];
      return withJson(it, { ...it.json, expiresInMs: typeof ms === 'number' ? Math.ceil(ms / 1000) : ms });
    }),
  }),
  stateless({
    name: 'refuses-members-it-does-not-know',
    breaks: ['OPEN-1'],
    also: ['ANON-2', 'OPEN-3'],
    what: 'Refuses a request with a member that the schema does not name.',
    alter: onRequest('sessions', (request) =>
      Object.keys(request.json ?? {}).every((key) => KNOWN.has(key)) ? request : refusing('invalid_params'),
    ),
  }),
  stateless({
    name: 'leaves-out-formats-nobody-asked-for',
    breaks: ['OPEN-1'],
    also: [],
    what: 'A grant names formats only where the request did.',
    alter: onGrant((it, request) =>
      request.json?.['formats'] === undefined ? withJson(it, withAt(it.json ?? {}, [], { formats: undefined })) : it,
    ),
  }),
  stateless({
    name: 'wants-the-media-type-without-parameters',
    breaks: ['OPEN-1'],
    also: [],
    what: 'Takes application/json only without a charset.',
    alter: onMediaType((type) => (type.startsWith('application/json;') ? 'application/x-json' : undefined)),
  }),
  stateless({
    name: 'takes-nothing-for-an-empty-object',
    breaks: ['OPEN-3'],
    also: [],
    what: 'Reads an empty body as {}.',
    alter: onRefusal('parse_error', (it, request) => (request.body.length === 0 ? refusing('invalid_params') : it)),
  }),
  stateless({
    name: 'takes-json-with-trailing-commas',
    breaks: ['OPEN-3'],
    also: [],
    what: 'Reads JSON that ends a list with a comma.',
    alter: onRequest('sessions', (request) => {
      const text = request.body.toString('latin1');
      return text.endsWith(',}') ? { ...request, body: Buffer.from(`${text.slice(0, -2)}}`, 'latin1') } : request;
    }),
  }),
  stateless({
    name: 'points-with-dots',
    breaks: ['OPEN-4'],
    also: ['HTTP-1', 'ROOM-LIMIT-4'],
    what: 'Names the place of a fault as a path with dots.',
    alter: onRefusal('invalid_params', (it) => {
      const pointer = stringAt(objectAt(objectAt(it.json, 'error'), 'data'), 'pointer') ?? '';
      return withJson(it, withAt(it.json ?? {}, ['error', 'data'], { pointer: pointer.replaceAll('/', '.') }));
    }),
  }),
  stateless({
    name: 'trims-room-names',
    breaks: ['OPEN-4'],
    also: [],
    what: 'Takes a room name with blanks around it.',
    alter: onAsked((asked) => {
      const room = stringAt(asked, 'room');
      return room === undefined || room === room.trim() ? asked : { ...asked, room: room.trim() };
    }),
  }),
  stateless({
    name: 'reads-numbers-out-of-text',
    breaks: ['OPEN-4'],
    also: [],
    what: 'Takes a limit that is written as text.',
    alter: onAsked((asked) => {
      const limits = asked['limits'];
      if (!isObject(limits)) return asked;
      return { ...asked, limits: Object.fromEntries(Object.entries(limits).map(([k, v]) => [k, asNumber(v)])) };
    }),
  }),
  stateless({
    name: 'takes-json-for-plain-text',
    breaks: ['OPEN-5'],
    also: ['HTTP-1'],
    what: 'Reads a body of text/plain as JSON.',
    alter: onMediaType((type) => (type === 'text/plain' ? 'application/json' : undefined)),
  }),
  stateless({
    name: 'finds-json-anywhere-in-the-media-type',
    breaks: ['OPEN-5'],
    also: [],
    what: 'Reads a body whose content type holds application/json anywhere.',
    alter: onMediaType((type) => (type.includes('application/json') ? 'application/json' : undefined)),
  }),
  stateless({
    name: 'does-not-look-at-the-transport',
    breaks: ['OPEN-12'],
    also: [],
    what: 'Grants a WebSocket pipe whatever transport is asked for.',
    alter: onAsked((asked) =>
      /^(carrier|websockets)/.test(stringAt(asked, 'transport') ?? '') ? { ...asked, transport: 'websocket' } : asked,
    ),
  }),
  stateless({
    name: 'ignores-limits-that-are-asked',
    breaks: ['OPEN-13'],
    also: ['SESS-4', 'FENCE-3'],
    what: 'Does not look at requested maxStayMs and fenceMs.',
    alter: onAsked((asked) =>
      isObject(asked['limits']) ? withAt(asked, ['limits'], { maxStayMs: undefined, fenceMs: undefined }) : asked,
    ),
  }),
  stateless({
    name: 'makes-rooms-without-echo',
    breaks: ['OPEN-9'],
    also: ['DELIV-4', 'ROOM-SPEC-2', 'OPEN-4'],
    what: 'Does not look at the echo of a room spec.',
    alter: onAsked((asked) => (isObject(asked['create']) ? withAt(asked, ['create'], { echo: undefined }) : asked)),
  }),
  stateless({
    name: 'refuses-defaults-of-features-it-does-not-have',
    breaks: ['ROOM-SPEC-1'],
    also: [],
    what: 'Refuses a room spec that names the lifetime, though it is the default.',
    alter: onRequest('sessions', (request) =>
      objectAt(request.json, 'create')['lifetime'] === 'transient' ? refusing('not_supported') : request,
    ),
  }),
];

const tokens: readonly WireMutant[] = [
  stateless({
    name: 'takes-a-token-from-a-cookie',
    breaks: ['ANON-2'],
    also: [],
    what: 'Takes a cookie for a bearer token.',
    alter: onTokenElsewhere(({ headers }) => /(?:^|; )token=([^;]+)/.exec(headerOf(headers, 'cookie') ?? '')?.[1]),
  }),
  stateless({
    name: 'takes-a-token-from-the-body',
    breaks: ['ANON-2'],
    also: [],
    what: 'Takes a member of the body for a bearer token.',
    alter: onTokenElsewhere(({ json }) => stringAt(json, 'access_token')),
  }),
  stateless({
    name: 'takes-a-token-from-the-query',
    breaks: ['ANON-2'],
    also: [],
    what: 'Takes a bearer token out of the address.',
    alter: onTokenElsewhere(({ target }) => /[?&]access_token=([^&]+)/.exec(target)?.[1]),
  }),
  stateless({
    name: 'says-which-ticket-is-bad',
    breaks: ['TICKET-4'],
    also: [],
    what: 'Repeats a bad ticket in the message of the refusal.',
    alter: onRefusal('ticket_invalid', (it, request) => {
      const shown = offeredProtocols(request).find((name) => name.startsWith('porthouse.ticket.')) ?? '';
      return withJson(it, withAt(it.json ?? {}, ['error'], { message: `${shown} is not valid.` }));
    }),
  }),
];

/** Faults in how requests are read. */
export const requestMutants: readonly WireMutant[] = [...reading, ...tokens];
