import { errorName, isCall, perLink, reply, stateless, stringAt, withAt } from './helpers.js';
import { objectAt } from './json.js';
import type { JsonObject } from './json.js';
import { onError } from './makers.js';
import type { WireMutant } from './mutant.js';

/** Every name that a call of the protocol has in its params. */
const KNOWN = new Set([
  ...['sid', 'channel', 'cnonce', 'mac', 'eventEpoch', 'lastSeq', 'seq', 'ms', 'op', 'after', 'scope', 'timeoutMs'],
  ...['transport', 'replace', 'events', 'level', 'token', 'room', 'create', 'formats', 'scopes', 'limits'],
]);

const failure = (id: JsonObject['id'], code: number, name: string): JsonObject => ({
  jsonrpc: '2.0',
  id: id ?? null,
  error: { code, message: 'Refused.', data: { name } },
});

const isNotification = (json: JsonObject): boolean => isCall(json) && json['jsonrpc'] === '2.0' && !('id' in json);

const OP = /^[!-~]{1,40}$/;
const opOf = (json: JsonObject): string | undefined => {
  const op = stringAt(json['params'], 'op') ?? '';
  return isCall(json) && OP.test(op) ? op : undefined;
};

const isReply = (json: JsonObject): boolean => 'result' in json || 'error' in json;

/** Faults in the rules of JSON-RPC. */
export const rpcMutants: readonly WireMutant[] = [
  stateless({
    name: 'says-nothing-to-what-is-not-json',
    breaks: ['RPC-1'],
    also: [],
    what: 'Does not answer text that is not JSON.',
    alter: onError('parse_error', () => []),
  }),
  stateless({
    name: 'hangs-up-on-what-is-not-json',
    breaks: ['RPC-10'],
    also: ['RPC-1', 'RPC-2', 'RPC-3', 'WS-17'],
    what: 'Closes a sibling that sends text that is not JSON.',
    alter: onError('parse_error', (json, link) => {
      link.toClient(json);
      link.closeClient(1007);
      return [];
    }),
  }),
  stateless({
    name: 'calls-invalid-requests-parse-errors',
    breaks: ['RPC-2'],
    also: [],
    what: 'Answers JSON that is no request with parse_error.',
    alter: onError('invalid_request', (json) => [
      withAt(json, ['error'], { code: -32700, data: { name: 'parse_error' } }),
    ]),
  }),
  stateless({
    name: 'hangs-up-on-invalid-requests',
    breaks: ['RPC-10'],
    also: ['RPC-1', 'RPC-2', 'RPC-3'],
    what: 'Closes a sibling that sends JSON that is no request.',
    alter: onError('invalid_request', (json, link) => {
      link.toClient(json);
      link.closeClient(1008);
      return [];
    }),
  }),
  stateless({
    name: 'hangs-up-on-unknown-methods',
    breaks: ['RPC-10'],
    also: ['RPC-1', 'RPC-2', 'RPC-3', 'RPC-5', 'RPC-7'],
    what: 'Closes a sibling that calls an unknown method.',
    alter: onError('method_not_found', (json, link) => {
      link.toClient(json);
      link.closeClient(1008);
      return [];
    }),
  }),
  stateless({
    name: 'answers-unknown-methods-with-success',
    breaks: ['RPC-3'],
    also: ['RPC-5', 'RPC-7'],
    what: 'Answers an unknown method with an empty result.',
    alter: onError('method_not_found', (json) => [reply(json, {})]),
  }),
  stateless({
    name: 'refuses-params-without-a-pointer',
    breaks: ['RPC-4'],
    also: ['RPC-11', 'SIB-12'],
    what: 'Does not say where params violate their schema.',
    alter: onError('invalid_params', (json) => [withAt(json, ['error', 'data'], { pointer: undefined })]),
  }),
  stateless({
    name: 'cuts-long-ids-short',
    breaks: ['RPC-5'],
    also: [],
    what: 'Answers with the first 64 characters of an id.',
    alter: {
      onSiblingToClient: (json) => {
        const id = json['id'];
        return [isReply(json) && typeof id === 'string' ? { ...json, id: id.slice(0, 64) } : json];
      },
    },
  }),
  stateless({
    name: 'answers-notifications',
    breaks: ['RPC-6'],
    also: ['FRAME-1'],
    what: 'Answers calls that have no id.',
    alter: {
      onSiblingToServer: (json, link) => {
        if (isNotification(json)) link.toClient(reply(json, {}));
        return [json];
      },
    },
  }),
  stateless({
    name: 'ignores-notifications',
    breaks: ['RPC-6'],
    also: [],
    what: 'Does not carry out calls that have no id.',
    alter: { onSiblingToServer: (json) => (isNotification(json) ? [] : [json]) },
  }),
  {
    name: 'answers-the-later-call-first',
    breaks: ['RPC-7'],
    also: ['RPC-5', 'FRAME-1'],
    what: 'Sends the reply to the first of several open calls after the next reply.',
    alter: () => {
      const of = perLink<{ open: number; held: JsonObject[] }>(() => ({ open: 0, held: [] }));
      return {
        onSiblingToServer: (json, link) => {
          if (isCall(json) && 'id' in json && json['method'] !== 'fence') of(link).open += 1;
          return [json];
        },
        onSiblingToClient: (json, link) => {
          const state = of(link);
          if (!isReply(json) || link.callFor(json)?.method === 'fence') return [json];
          state.open -= 1;
          if (state.held.length > 0) return [json, ...state.held.splice(0)];
          if (state.open > 0) state.held.push(json);
          return state.open > 0 ? [] : [json];
        },
      };
    },
  },
  stateless({
    name: 'refuses-unknown-params',
    breaks: ['RPC-8'],
    also: ['OWN-3', 'OWN-5', 'END-8'],
    what: 'Refuses params that have a member it does not know.',
    alter: {
      onSiblingToServer: (json, link) => {
        const unknown = Object.keys(objectAt(json, 'params')).find((key) => !KNOWN.has(key));
        if (!isCall(json) || unknown === undefined) return [json];
        link.toClient(failure(json['id'], -32602, 'invalid_params'));
        return [];
      },
    },
  }),
  stateless({
    name: 'forgets-op-ids',
    breaks: ['RPC-9'],
    also: ['RPC-11'],
    what: 'Carries out a call again whose op it has seen.',
    alter: {
      onSiblingToServer: (json) => [opOf(json) === undefined ? json : withAt(json, ['params'], { op: undefined })],
    },
  }),
  stateless({
    name: 'answers-what-is-not-json-without-an-id',
    breaks: ['RPC-1'],
    also: ['FRAME-1'],
    what: 'Leaves the id out of the answer to what is not JSON, in place of null.',
    alter: onError('parse_error', (json) => [withAt(json, [], { id: undefined })]),
  }),
  stateless({
    name: 'answers-ids-of-digits-as-numbers',
    breaks: ['RPC-5'],
    also: [],
    what: 'Answers a call whose id is a string of digits with a number.',
    alter: {
      onSiblingToClient: (json) => {
        const id = json['id'];
        return [isReply(json) && typeof id === 'string' && /^\d+$/.test(id) ? { ...json, id: Number(id) } : json];
      },
    },
  }),
  stateless({
    name: 'points-at-the-parent-of-a-fault',
    breaks: ['RPC-4'],
    also: ['OPEN-18', 'RPC-11', 'SIB-12', 'AGENT-13'],
    what: 'Names in a pointer the object that holds the value at fault.',
    alter: onError('invalid_params', (json) => {
      const pointer = stringAt(objectAt(objectAt(json, 'error'), 'data'), 'pointer') ?? '';
      return [withAt(json, ['error', 'data'], { pointer: pointer.replace(/\/[^/]*$/, '') })];
    }),
  }),
  stateless({
    name: 'keys-ops-by-call',
    breaks: ['RPC-11'],
    also: [],
    what: 'Takes the same op of another method for another operation.',
    alter: {
      onSiblingToServer: (json) => {
        const op = opOf(json);
        return [op === undefined ? json : withAt(json, ['params'], { op: `${stringAt(json, 'method') ?? ''}-${op}` })];
      },
    },
  }),
  stateless({
    name: 'counts-a-code-too-high',
    breaks: ['RPC-3'],
    also: ['ERR-1', 'RPC-5', 'RPC-7'],
    what: 'Answers an unknown method with the code of invalid_params.',
    alter: {
      onSiblingToClient: (json) => [
        errorName(json) === 'method_not_found' ? withAt(json, ['error'], { code: -32602 }) : json,
      ],
    },
  }),
];
