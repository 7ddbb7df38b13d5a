import { forgedGrant, jsonResponse, objectAt, stateless, stringAt, withAt, withJson } from './helpers.js';
import { offeredProtocols, switchingProtocols, withResponseHeader } from './helpers.js';
import type { JsonObject } from './json.js';
import { onDiscovery, onGrant, onRefusal } from './makers.js';
import type { Alterations, HttpRequest, HttpResponse, WireMutant, World } from './mutant.js';

const TICKET = 'porthouse.ticket.';

function edited(response: HttpResponse, edit: (json: JsonObject) => JsonObject): HttpResponse {
  return response.json === undefined ? response : withJson(response, edit(response.json));
}

/** A grant of nothing, shaped like one that the server gave before. */
function grantAnyway(world: World): (refusal: HttpResponse, request: HttpRequest) => HttpResponse {
  return (refusal, request) => {
    const model = world.sessions()[0]?.grant;
    if (model === undefined) return refusal;
    return jsonResponse(201, { ...forgedGrant(model), room: stringAt(request.json, 'room') ?? 'lobby' });
  };
}

function granting(name: string, world: World): Alterations {
  return onRefusal(name, grantAnyway(world));
}

/** Opens any pipe whose ticket was granted once, if `picks` says so. */
function opensOnTicket(picks: (seen: number) => boolean): Alterations {
  const uses = new Map<string, number>();
  return {
    onHttpResponse: (response, request) => {
      const ticket = offeredProtocols(request).find((name) => name.startsWith(TICKET));
      if (request.endpoint !== 'pipe' || ticket === undefined) return response;
      const before = uses.get(ticket) ?? 0;
      if (response.status === 101) uses.set(ticket, before + 1);
      return response.status === 401 && picks(before) ? switchingProtocols(request, 'porthouse.pipe.v1') : response;
    },
  };
}

/** Declares other profiles than the server has. */
const declaring = (change: (profiles: readonly string[]) => readonly string[]): ReturnType<typeof onDiscovery> =>
  onDiscovery((it) =>
    edited(it, (json) => {
      const profiles = Array.isArray(json['profiles']) ? (json['profiles'] as readonly string[]) : [];
      return { ...json, profiles: [...change(profiles)] };
    }),
  );

const discovery: readonly WireMutant[] = [
  stateless({
    name: 'serves-discovery-without-errors',
    breaks: ['DISC-1'],
    also: [],
    what: 'The discovery document lacks its table of errors.',
    alter: onDiscovery((it) => edited(it, (json) => withAt(json, [], { errors: undefined }))),
  }),
  stateless({
    name: 'declares-a-profile-without-its-needs',
    breaks: ['DISC-2'],
    also: [],
    what: 'Declares every profile but core.',
    alter: declaring((profiles) => profiles.filter((name) => name !== 'core')),
  }),
  stateless({
    name: 'declares-no-transport-with-siblings',
    breaks: ['DISC-2'],
    also: [],
    what: 'Declares only transports that have no siblings.',
    alter: declaring((profiles) => [...profiles.filter((name) => !['websocket', 'tcp', 'udp'].includes(name)), 'udp']),
  }),
  stateless({
    name: 'declares-a-larger-message-limit',
    breaks: ['DISC-3'],
    also: ['ROOM-SPEC-2', 'DELIV-1', 'DELIV-2', 'DELIV-11', 'ROOM-LIMIT-3'],
    what: 'Declares twice the maxMessageBytes that rooms have.',
    alter: onDiscovery((it) => edited(it, (json) => withAt(json, ['limits'], { maxMessageBytes: 131_072 }))),
  }),
  stateless({
    name: 'finds-every-path',
    breaks: ['DISC-4'],
    also: ['HTTP-1'],
    what: 'Answers an unknown path with 200 and an empty object.',
    alter: onRefusal('not_found', () => jsonResponse(200, {})),
  }),
  stateless({
    name: 'takes-any-method',
    breaks: ['DISC-5'],
    also: ['HTTP-1'],
    what: 'Answers a method that a path does not have with 200.',
    alter: onRefusal('method_not_allowed', () => jsonResponse(200, {})),
  }),
  stateless({
    name: 'does-not-say-which-methods',
    breaks: ['DISC-5'],
    also: ['HTTP-1'],
    what: 'Sends 405 without Allow.',
    alter: onRefusal('method_not_allowed', (it) => withResponseHeader(it, 'Allow', undefined)),
  }),
  stateless({
    name: 'refuses-with-plain-text',
    breaks: ['HTTP-1'],
    also: [],
    what: 'Sends refusals as text/plain.',
    alter: {
      onHttpResponse: (it) => (it.status >= 400 ? withResponseHeader(it, 'Content-Type', 'text/plain') : it),
    },
  }),
  stateless({
    name: 'lets-grants-be-stored',
    breaks: ['HTTP-2'],
    also: [],
    what: 'Sends grants without Cache-Control: no-store.',
    alter: onGrant((it) => withResponseHeader(it, 'Cache-Control', undefined)),
  }),
  stateless({
    name: 'lets-refusals-be-stored',
    breaks: ['HTTP-2'],
    also: [],
    what: 'Sends refusals of the sessions endpoint without Cache-Control: no-store.',
    alter: {
      onHttpResponse: (it, request) =>
        request.endpoint === 'sessions' && it.status >= 400 ? withResponseHeader(it, 'Cache-Control', undefined) : it,
    },
  }),
];

const grants: readonly WireMutant[] = [
  stateless({
    name: 'grants-with-200',
    breaks: ['OPEN-1'],
    also: [],
    what: 'Answers a valid request with 200 in place of 201.',
    alter: onGrant((it) => ({ ...it, status: 200, reason: 'OK' })),
  }),
  {
    name: 'gives-one-ticket-twice',
    breaks: ['OPEN-2'],
    also: ['WS-1'],
    what: 'Gives sessions that only receive one and the same ticket.',
    alter: () => {
      let shared: string | undefined;
      return onGrant((it, request) => {
        if (JSON.stringify(request.json?.['scopes']) !== '["receive"]') return it;
        shared ??= stringAt(it.json, 'pipeTicket');
        return edited(it, (json) => ({ ...json, ...(shared === undefined ? {} : { pipeTicket: shared }) }));
      });
    },
  },
  {
    name: 'grants-on-a-bad-token',
    breaks: ['OPEN-7'],
    also: ['HTTP-1'],
    what: 'Grants to a token that is not valid.',
    alter: (world) => ({
      onHttpResponse: (it, request) =>
        it.status === 401 && request.headers.some(([name]) => /^authorization$/i.test(name))
          ? (granting('unauthenticated', world).onHttpResponse?.(it, request) ?? it)
          : it,
    }),
  },
  stateless({
    name: 'refuses-tokens-without-a-challenge',
    breaks: ['OPEN-7'],
    also: ['ANON-2'],
    what: 'Sends 401 without WWW-Authenticate.',
    alter: onRefusal('unauthenticated', (it) => withResponseHeader(it, 'WWW-Authenticate', undefined)),
  }),
  {
    name: 'grants-rooms-that-do-not-exist',
    breaks: ['OPEN-8'],
    also: ['OPEN-11', 'OPEN-17', 'ANON-6', 'HTTP-1', 'ROOM-SPEC-1'],
    what: 'Grants a session in a room that does not exist.',
    alter: (world) => granting('room_not_found', world),
  },
  {
    name: 'creates-a-room-twice',
    breaks: ['OPEN-10'],
    also: ['HTTP-1'],
    what: 'Answers a second creation of a room as if it were the first.',
    alter: (world) => granting('room_exists', world),
  },
  {
    name: 'grants-more-than-the-room-holds',
    breaks: ['OPEN-15'],
    also: ['SESS-1', 'SESS-2', 'SESS-3', 'HTTP-1'],
    what: 'Grants a session in a full room.',
    alter: (world) => granting('room_full', world),
  },
  {
    name: 'grants-scopes-beyond-the-allowed',
    breaks: ['OPEN-14'],
    also: ['ANON-5', 'HTTP-1'],
    what: 'Grants scopes that the caller may not have.',
    alter: (world) => granting('forbidden', world),
  },
  {
    name: 'grants-unknown-transports',
    breaks: ['OPEN-12'],
    also: ['HTTP-1'],
    what: 'Grants a session for a transport that it does not offer.',
    alter: (world) => granting('transport_unsupported', world),
  },
  {
    name: 'grants-without-common-formats',
    breaks: ['OPEN-16'],
    also: ['FMT-7', 'HTTP-1'],
    what: 'Grants a session to somebody whose formats the room cannot serve.',
    alter: (world) => granting('format_unsupported', world),
  },
  {
    name: 'lets-strangers-into-closed-rooms',
    breaks: ['ANON-2'],
    also: ['OPEN-7', 'ANON-3', 'HTTP-1'],
    what: 'Grants to anonymous clients where the room admits none.',
    alter: (world) => granting('unauthenticated', world),
  },
  stateless({
    name: 'grants-the-limits-asked-for',
    breaks: ['OPEN-13'],
    also: ['OPEN-1'],
    what: 'A grant names the limits that were asked for, though larger than those in force.',
    alter: onGrant((it, request) => edited(it, (json) => withAt(json, ['limits'], objectAt(request.json, 'limits')))),
  }),
  stateless({
    name: 'grants-all-scopes',
    breaks: ['OPEN-14'],
    also: ['ANON-1', 'SIB-6'],
    what: 'A grant names all scopes whatever was asked for.',
    alter: onGrant((it) => edited(it, (json) => ({ ...json, scopes: ['send', 'receive', 'debug'] }))),
  }),
];

const tickets: readonly WireMutant[] = [
  {
    name: 'opens-twice-on-one-ticket',
    breaks: ['TICKET-1'],
    also: ['WS-3', 'HTTP-1'],
    what: 'A used ticket opens a pipe again.',
    alter: () => opensOnTicket((uses) => uses > 0),
  },
  {
    name: 'opens-on-stale-tickets',
    breaks: ['TICKET-2', 'TICKET-5'],
    also: ['WS-3', 'SESS-1', 'SIB-11', 'HTTP-1'],
    what: 'A ticket that expired, or that a newer one voided, opens a pipe.',
    alter: () => opensOnTicket((uses) => uses === 0),
  },
];

/** Faults in discovery, grants and tickets. */
export const openingMutants: readonly WireMutant[] = [...discovery, ...grants, ...tickets];
