import { headerOf, withAt, withJson, withResponseHeader, stateless } from './helpers.js';
import type { Json } from './json.js';
import { isObject } from './json.js';
import { onDiscovery, onRefusal, onRequest, refusing } from './makers.js';
import type { WireMutant } from './mutant.js';

const discovery: readonly WireMutant[] = [
  stateless({
    name: 'serves-discovery-as-a-download',
    breaks: ['DISC-1'],
    also: [],
    what: 'Serves the discovery document as a file of no known type.',
    alter: onDiscovery((it) => withResponseHeader(it, 'Content-Type', 'application/octet-stream')),
  }),
  stateless({
    name: 'asks-for-a-good-token-on-discovery',
    breaks: ['DISC-1'],
    also: [],
    what: 'Refuses the discovery document to whoever sends a token that is not valid.',
    alter: onRequest('discovery', (request) =>
      headerOf(request.headers, 'authorization') === 'Bearer nobody' ? refusing('unauthenticated') : request,
    ),
  }),
  stateless({
    name: 'declares-lines-without-agents',
    breaks: ['DISC-2'],
    also: [],
    what: 'Declares a profile without the one that it needs.',
    alter: onDiscovery((it) => {
      const listed = it.json?.['profiles'];
      const profiles = (Array.isArray(listed) ? (listed as Json[]) : []).filter((profile) => profile !== 'agents');
      return withJson(it, { ...it.json, profiles: [...profiles, 'lines'] });
    }),
  }),
  stateless({
    name: 'names-no-hooks',
    breaks: ['HOOK-1'],
    also: [],
    what: 'Does not say where its hooks are.',
    alter: onDiscovery((it) => {
      const endpoints = it.json?.['endpoints'];
      const { hooks: _hooks, ...others } = isObject(endpoints) ? endpoints : {};
      return withJson(it, { ...it.json, endpoints: others });
    }),
  }),
  stateless({
    name: 'declares-more-members-than-it-takes',
    breaks: ['DISC-3'],
    also: ['OPEN-13', 'ROOM-SPEC-2', 'ROOM-LIMIT-4'],
    what: 'Declares a greater maxMembers than rooms have.',
    alter: onDiscovery((it) => withJson(it, withAt(it.json ?? {}, ['limits'], { maxMembers: 7777 }))),
  }),
  stateless({
    name: 'allows-what-it-does-not-serve',
    breaks: ['DISC-5'],
    also: [],
    what: 'Lists every method in Allow.',
    alter: onRefusal('method_not_allowed', (it) => withResponseHeader(it, 'Allow', 'GET, HEAD, POST, PUT, DELETE')),
  }),
  stateless({
    name: 'knows-paths-by-their-method',
    breaks: ['DISC-5'],
    also: ['HTTP-1'],
    what: 'Does not find a path that it serves for another method.',
    alter: onRefusal('method_not_allowed', () => refusing('not_found')),
  }),
];

const form: readonly WireMutant[] = [
  stateless({
    name: 'refuses-as-problem-json',
    breaks: ['HTTP-1'],
    also: [],
    what: 'Sends refusals as application/problem+json (RFC 9457).',
    alter: {
      onHttpResponse: (it) =>
        it.status >= 400 ? withResponseHeader(it, 'Content-Type', 'application/problem+json') : it,
    },
  }),
  stateless({
    name: 'refuses-upgrades-with-a-bare-status',
    breaks: ['HTTP-1'],
    also: ['WS-5'],
    what: 'Refuses an upgrade of a sibling with a status and nothing else.',
    alter: onRefusal('subprotocol_required', (it, request) =>
      request.endpoint === 'sibling'
        ? { ...withResponseHeader(it, 'Content-Type', undefined), body: Buffer.alloc(0), json: undefined }
        : it,
    ),
  }),
  stateless({
    name: 'leaves-the-code-out',
    breaks: ['HTTP-1'],
    also: ['DISC-5'],
    what: 'Does not give the code of a refusal for a wrong method.',
    alter: onRefusal('method_not_allowed', (it) => withJson(it, withAt(it.json ?? {}, ['error'], { code: undefined }))),
  }),
  stateless({
    name: 'refuses-broken-upgrades-in-words',
    breaks: ['HTTP-1'],
    also: [],
    what: 'Refuses an upgrade without a key with a sentence in HTML.',
    alter: onRefusal('invalid_request', (it, request) =>
      request.endpoint === 'pipe' || request.endpoint === 'sibling'
        ? { ...withResponseHeader(it, 'Content-Type', 'text/html'), body: Buffer.from('Invalid Sec-WebSocket-Key') }
        : it,
    ),
  }),
];

/** Faults in the discovery document, in paths and methods, and in the form of refusals. */
export const discoveryMutants: readonly WireMutant[] = [...discovery, ...form];
