import { OPCODE } from '../drivers/websocket/frame.js';
import { errorName, numberAt, objectAt, perLink, stateless, withResult } from './helpers.js';
import type { JsonObject } from './json.js';
import { onError, onEvent, onResult } from './makers.js';
import type { WireMutant } from './mutant.js';

function failing(call: JsonObject, code: number, name: string): JsonObject {
  return { jsonrpc: '2.0', id: call['id'] ?? null, error: { code, message: 'Refused by a mutant.', data: { name } } };
}

const creating: readonly WireMutant[] = [
  stateless({
    name: 'does-not-know-session-create',
    breaks: ['OPEN-18'],
    also: ['OPEN-19', 'BIND-8'],
    what: 'Answers session.create with method_not_found.',
    alter: {
      onSiblingToClient: (json, link) => [
        link.callFor(json)?.method === 'session.create' ? failing(json, -32601, 'method_not_found') : json,
      ],
    },
  }),
  stateless({
    name: 'hangs-up-on-a-refused-session-create',
    breaks: ['OPEN-18'],
    also: ['OPEN-19', 'BIND-8', 'RPC-10'],
    what: 'Closes a sibling whose session.create was refused.',
    alter: {
      onSiblingToClient: (json, link) => {
        if (errorName(json) === undefined || link.callFor(json)?.method !== 'session.create') return [json];
        link.toClient(json);
        link.closeClient(4501);
        return [];
      },
    },
  }),
];

const binding: readonly WireMutant[] = [
  stateless({
    name: 'looks-at-params-before-the-bind',
    breaks: ['BIND-6'],
    also: [],
    what: 'Answers a call with bad params before the bind with invalid_params.',
    alter: onError('not_bound', (json, link) => {
      const { seq } = objectAt({ params: link.callFor(json)?.params }, 'params');
      return [typeof seq === 'string' ? failing(json, -32602, 'invalid_params') : json];
    }),
  }),
  stateless({
    name: 'tells-unknown-methods-before-the-bind',
    breaks: ['BIND-6'],
    also: [],
    what: 'Answers an unknown method before the bind with method_not_found.',
    alter: onError('not_bound', (json, link) => [
      link.callFor(json)?.method.startsWith('server.') === true ? failing(json, -32601, 'method_not_found') : json,
    ]),
  }),
  stateless({
    name: 'takes-a-malformed-bind-for-a-try',
    breaks: ['RPC-10'],
    also: ['BIND-3'],
    what: 'Closes a sibling whose bind violates its schema.',
    alter: onError(
      'invalid_params',
      (json, link) => {
        link.toClient(json);
        link.closeClient(4501);
        return [];
      },
      'sibling.bind',
    ),
  }),
  stateless({
    name: 'closes-the-replaced-with-1000',
    breaks: ['BIND-11'],
    also: [],
    what: 'Closes a replaced sibling with 1000.',
    alter: {
      onFrameToClient: (frame, link) => {
        const replaced =
          frame.opcode === OPCODE.close && frame.payload.length >= 2 && frame.payload.readUInt16BE(0) === 4503;
        return [replaced && link.endpoint === 'sibling' ? { ...frame, payload: Buffer.from([0x03, 0xe8]) } : frame];
      },
    },
  }),
  {
    name: 'loses-the-first-opening-of-who-bound-twice',
    breaks: ['BIND-13'],
    also: ['PIPE-1', 'SIB-1'],
    what: 'Does not tell a sibling of the first pipe if it was not the first to be bound.',
    alter: () => {
      const bound = perLink(() => ({ generation: 0 }));
      return {
        onSiblingToClient: (json, link) => {
          if (link.callFor(json)?.method === 'sibling.bind') {
            bound(link).generation = numberAt(objectAt(json, 'result'), 'generation') ?? 0;
          }
          const first = json['method'] === 'pipe.opened' && objectAt(json, 'params')['epoch'] === 1;
          return first && bound(link).generation > 1 ? [] : [json];
        },
      };
    },
  },
];

const staying: readonly WireMutant[] = [
  stateless({
    name: 'grants-any-stay',
    breaks: ['SESS-4'],
    also: ['OPEN-13', 'RPC-9'],
    what: 'Answers sibling.stay with what was asked for, however long.',
    alter: onResult('sibling.stay', (json, link) => [
      withResult(json, { ms: numberAt(link.callFor(json)?.params, 'ms') ?? 0 }),
    ]),
  }),
];

const anonymous: readonly WireMutant[] = [
  stateless({
    name: 'refuses-strangers-without-a-word',
    breaks: ['ANON-4'],
    also: ['SIB-1'],
    what: 'Does not tell an anonymous client that its message was refused.',
    alter: onEvent('pipe.refused', (json, link) =>
      link.session !== undefined && link.session.authorization === undefined ? [] : [json],
    ),
  }),
];

/** Faults in session.create, in binds and takeovers, and in how long a session stays. */
export const bindMutants: readonly WireMutant[] = [...creating, ...binding, ...staying, ...anonymous];
