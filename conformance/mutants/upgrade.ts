import { headerOf, offeredProtocols, stateless, withHeader, withResponseHeader } from './helpers.js';
import { onRefusal, onRequest, refusing } from './makers.js';
import type { Alterations, Header, HttpRequest, WireMutant } from './mutant.js';

const PIPE = 'porthouse.pipe.v1';
const SIBLING = 'porthouse.sibling.v1';
const TICKET = 'porthouse.ticket.';

function offering(request: HttpRequest, offered: readonly string[]): HttpRequest {
  return { ...request, headers: withHeader(request.headers, 'Sec-WebSocket-Protocol', offered.join(', ')) };
}

/** Takes no notice of the Origin of requests that `passes` picks. */
function blindToOrigin(passes: (origin: string, own: string, request: HttpRequest) => boolean): Alterations {
  return {
    onHttpRequest: (request) => {
      const origin = headerOf(request.headers, 'origin');
      const own = `http://${headerOf(request.headers, 'host') ?? ''}`;
      if (origin === undefined || !passes(origin, own, request)) return request;
      return { ...request, headers: withHeader(request.headers, 'Origin', undefined) };
    },
  };
}

const offers: readonly WireMutant[] = [
  stateless({
    name: 'reads-only-the-first-offer',
    breaks: ['WS-1'],
    also: [],
    what: 'Looks only at the first of several Sec-WebSocket-Protocol headers.',
    alter: onRequest('pipe', (request) => {
      const isOffer = ([name]: Header): boolean => name.toLowerCase() === 'sec-websocket-protocol';
      const first = request.headers.find(isOffer);
      return request.headers.filter(isOffer).length < 2
        ? request
        : { ...request, headers: request.headers.filter((each) => !isOffer(each) || each === first) };
    }),
  }),
  stateless({
    name: 'takes-the-subprotocol-only-in-front',
    breaks: ['WS-1'],
    also: ['TICKET-4'],
    what: 'Refuses a pipe whose subprotocol is not the first that is offered.',
    alter: onRequest('pipe', (request) => {
      const offered = offeredProtocols(request);
      return offered.includes(PIPE) && offered[0] !== PIPE ? refusing('subprotocol_required') : request;
    }),
  }),
  stateless({
    name: 'opens-pipes-on-a-ticket-alone',
    breaks: ['WS-2'],
    also: ['TICKET-1', 'WS-1'],
    what: 'Opens a pipe on a good ticket whatever else is offered.',
    alter: onRequest('pipe', (request) => {
      const offered = offeredProtocols(request);
      return offered.includes(PIPE) ? request : offering(request, [PIPE, ...offered]);
    }),
  }),
  stateless({
    name: 'takes-the-first-of-two-tickets',
    breaks: ['WS-2'],
    also: [],
    what: 'Looks only at the first of two tickets.',
    alter: onRequest('pipe', (request) => {
      const offered = offeredProtocols(request);
      const second = offered.filter((name) => name.startsWith(TICKET))[1];
      return second === undefined
        ? request
        : offering(
            request,
            offered.filter((name) => name !== second),
          );
    }),
  }),
  stateless({
    name: 'calls-a-bad-ticket-forbidden',
    breaks: ['WS-3'],
    also: ['HTTP-1', 'TICKET-1', 'TICKET-2', 'TICKET-5', 'SESS-1', 'SIB-11'],
    what: 'Refuses a bad ticket with 403.',
    alter: onRefusal('ticket_invalid', () => refusing('forbidden')),
  }),
  stateless({
    name: 'finds-the-subprotocol-anywhere-in-the-offer',
    breaks: ['WS-5'],
    also: ['WS-1'],
    what: 'Takes a sibling that offers a subprotocol which begins like its own.',
    alter: onRequest('sibling', (request) => {
      const offered = offeredProtocols(request);
      const close = offered.some((name) => name.startsWith(SIBLING));
      return close && !offered.includes(SIBLING) ? offering(request, [SIBLING]) : request;
    }),
  }),
  stateless({
    name: 'asks-for-an-upgrade-without-saying-to-what',
    breaks: ['WS-4'],
    also: [],
    what: 'Sends 426 without the header Upgrade.',
    alter: onRefusal('upgrade_required', (it) => withResponseHeader(it, 'Upgrade', undefined)),
  }),
  stateless({
    name: 'answers-other-versions-of-websocket-with-400',
    breaks: ['WS-4'],
    also: [],
    what: 'Refuses a version of WebSocket other than 13 as an invalid request.',
    alter: onRefusal('upgrade_required', (it, request) => {
      const version = headerOf(request.headers, 'sec-websocket-version') ?? '13';
      return version === '13' ? it : refusing('invalid_request');
    }),
  }),
];

/** Takes for a ticket what it finds where none belongs. */
function onTicketElsewhere(find: (request: HttpRequest) => string | undefined): Alterations {
  return onRequest('pipe', (request) => {
    const ticket = find(request);
    return ticket === undefined ? request : offering(request, [PIPE, `${TICKET}${ticket}`]);
  });
}

const elsewhere: readonly WireMutant[] = [
  stateless({
    name: 'takes-a-ticket-from-the-address',
    breaks: ['WS-2'],
    also: [],
    what: 'Takes a ticket out of the address of a pipe.',
    alter: onTicketElsewhere(({ target }) => /[?&]ticket=([^&]+)/.exec(target)?.[1]),
  }),
  stateless({
    name: 'takes-a-ticket-for-a-bearer-token',
    breaks: ['WS-2'],
    also: [],
    what: 'Takes a bearer token at the pipe for its ticket.',
    alter: onTicketElsewhere(({ headers }) => /^Bearer (.+)/.exec(headerOf(headers, 'authorization') ?? '')?.[1]),
  }),
];

const origins: readonly WireMutant[] = [
  stateless({
    name: 'takes-an-origin-that-begins-like-its-own',
    breaks: ['WS-6'],
    also: [],
    what: 'Takes an origin of which its own is the beginning.',
    alter: blindToOrigin((origin, own) => origin.startsWith(own)),
  }),
  stateless({
    name: 'takes-the-origin-null',
    breaks: ['WS-6'],
    also: [],
    what: 'Takes the origin null for none.',
    alter: blindToOrigin((origin) => origin === 'null'),
  }),
  stateless({
    name: 'compares-only-the-host-of-an-origin',
    breaks: ['WS-6'],
    also: [],
    what: 'Takes a page of its own host whatever the scheme.',
    alter: blindToOrigin((origin, own) => origin.split('//')[1] === own.split('//')[1]),
  }),
  stateless({
    name: 'looks-at-origin-only-where-pages-post',
    breaks: ['WS-6'],
    also: ['HTTP-1'],
    what: 'Does not look at the origin of an upgrade.',
    alter: blindToOrigin((_origin, _own, { endpoint }) => endpoint === 'pipe' || endpoint === 'sibling'),
  }),
  stateless({
    name: 'looks-at-origin-only-in-upgrades',
    breaks: ['WS-6'],
    also: [],
    what: 'Does not look at the origin of a POST.',
    alter: blindToOrigin((_origin, _own, { endpoint }) => endpoint === 'sessions'),
  }),
  stateless({
    name: 'refuses-every-origin',
    breaks: ['WS-6'],
    also: [],
    what: 'Refuses pages of its own origin too.',
    alter: {
      onHttpRequest: (request) =>
        headerOf(request.headers, 'origin') === undefined || request.endpoint === 'discovery'
          ? request
          : refusing('origin_refused'),
    },
  }),
];

const hosts: readonly WireMutant[] = [
  {
    name: 'takes-a-host-that-begins-like-its-own',
    breaks: ['WS-7'],
    also: [],
    what: 'Takes a host of which its own is the beginning.',
    alter: ({ target }) => ({
      onHttpRequest: (request) => {
        const named = headerOf(request.headers, 'host') ?? '';
        return named.startsWith(`${target.hostname}.`)
          ? { ...request, headers: withHeader(request.headers, 'Host', target.host) }
          : request;
      },
    }),
  },
  {
    name: 'takes-any-host-that-agrees-with-the-origin',
    breaks: ['WS-7'],
    also: [],
    what: 'Takes a request whose Origin and Host agree, whatever they say.',
    alter: ({ target }) => ({
      onHttpRequest: (request) => {
        const origin = headerOf(request.headers, 'origin');
        if (origin === undefined || origin !== `http://${headerOf(request.headers, 'host') ?? ''}`) return request;
        const headers = withHeader(withHeader(request.headers, 'Host', target.host), 'Origin', undefined);
        return { ...request, headers };
      },
    }),
  },
  {
    name: 'looks-at-host-only-in-upgrades',
    breaks: ['WS-7'],
    also: ['HTTP-1'],
    what: 'Does not look at the host of a request that is no upgrade.',
    alter: ({ target }) => ({
      onHttpRequest: (request) =>
        request.endpoint === 'pipe' || request.endpoint === 'sibling'
          ? request
          : { ...request, headers: withHeader(request.headers, 'Host', target.host) },
    }),
  },
];

/** Faults in what an upgrade may offer, and where it may come from. */
export const upgradeMutants: readonly WireMutant[] = [...offers, ...elsewhere, ...origins, ...hosts];
