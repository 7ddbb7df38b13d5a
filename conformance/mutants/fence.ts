import { isCall, numberAt, objectAt, perLink, reply, stateless, withAt, withResult } from './helpers.js';
import type { JsonObject } from './json.js';
import { onError, onResult } from './makers.js';
import type { WireMutant } from './mutant.js';

const zero = { c2sReceived: 0, c2sRouted: 0, s2cEnqueued: 0, s2cWritten: 0, s2cDropped: 0, headSeq: 0 };

const counters = (change: (result: JsonObject) => JsonObject) =>
  onResult('fence', (json) => [withResult(json, change(objectAt(json, 'result')))]);

const plus = (result: JsonObject, key: string, by: number): JsonObject => ({
  [key]: (numberAt(result, key) ?? 0) + by,
});

/** Faults in the fence. */
export const fenceMutants: readonly WireMutant[] = [
  {
    name: 'answers-fences-at-once',
    breaks: ['FENCE-1'],
    also: ['FENCE-3', 'FENCE-4', 'FENCE-5', 'FENCE-7', 'FENCE-8', 'FENCE-2', 'RPC-7', 'RPC-9'],
    what: 'Answers a fence with the number asked for, before that many messages came.',
    alter: () => {
      const early = perLink(() => new Set<string>());
      return {
        onSiblingToServer: (json, link) => {
          const after = objectAt(objectAt(json, 'params'), 'after');
          const c2s = numberAt(after, 'c2s');
          const came = link.session?.pipe?.received.toServer ?? 0;
          if (!isCall(json, 'fence') || c2s === undefined || c2s <= came) return [json];
          early(link).add(JSON.stringify(json['id']));
          link.toClient(reply(json, { ...zero, epoch: after['epoch'] ?? 1, c2sReceived: c2s, c2sRouted: c2s }));
          return [json];
        },
        onSiblingToClient: (json, link) =>
          !('method' in json) && early(link).delete(JSON.stringify(json['id'])) ? [] : [json],
      };
    },
  },
  {
    name: 'answers-fences-before-their-events',
    breaks: ['FENCE-2'],
    also: ['SIB-1'],
    what: 'Sends a refusal behind the answer to the fence that follows it.',
    alter: () => {
      const held = perLink<JsonObject[]>(() => []);
      return {
        onSiblingToClient: (json, link) => {
          if (isCall(json, 'pipe.refused')) held(link).push(json);
          return isCall(json, 'pipe.refused') ? [] : [json, ...held(link).splice(0)];
        },
      };
    },
  },
  {
    name: 'answers-fences-before-their-receipts',
    breaks: ['FENCE-2'],
    also: ['RCPT-5'],
    what: 'Sends a receipt that comes while a fence waits behind the answer to that fence.',
    alter: () => {
      const of = perLink(() => ({ waiting: new Set<string>(), held: [] as JsonObject[] }));
      return {
        onSiblingToServer: (json, link) => {
          const waits = isCall(json, 'fence') && 'after' in objectAt(json, 'params');
          if (waits) of(link).waiting.add(JSON.stringify(json['id']));
          return [json];
        },
        onSiblingToClient: (json, link) => {
          const { waiting, held } = of(link);
          if (isCall(json, 'pipe.receipt') && waiting.size > 0) held.push(json);
          if (held.includes(json)) return [];
          return waiting.delete(JSON.stringify(json['id'])) ? [json, ...held.splice(0)] : [json];
        },
      };
    },
  },
  stateless({
    name: 'times-out-without-counters',
    breaks: ['FENCE-3'],
    also: ['PIPE-6'],
    what: 'fence_timeout does not say how far it got.',
    alter: onError('fence_timeout', (json) => [withAt(json, ['error', 'data'], { counters: undefined })]),
  }),
  stateless({
    name: 'calls-a-fence-timeout-busy',
    breaks: ['FENCE-3'],
    also: ['PIPE-6'],
    what: 'Answers a fence that was not reached in time with busy.',
    alter: onError('fence_timeout', (json) => [withAt(json, ['error'], { code: 1023, data: { name: 'busy' } })]),
  }),
  stateless({
    name: 'calls-a-missing-pipe-ended',
    breaks: ['FENCE-8'],
    also: ['PIPE-6'],
    what: 'Answers pipe_ended where no_pipe is due.',
    alter: onError('no_pipe', (json) => [withAt(json, ['error'], { code: 1021, data: { name: 'pipe_ended' } })]),
  }),
  stateless({
    name: 'calls-an-ended-pipe-missing',
    breaks: ['FENCE-4'],
    also: ['PIPE-6'],
    what: 'Answers no_pipe where pipe_ended is due.',
    alter: onError('pipe_ended', (json) => [withAt(json, ['error'], { code: 1020, data: { name: 'no_pipe' } })]),
  }),
  stateless({
    name: 'counts-one-too-many-received',
    breaks: ['FENCE-5'],
    also: ['POS-1'],
    what: 'The answer to a fence counts a message that never came, from the fourth on.',
    alter: counters((result) =>
      (numberAt(result, 'c2sReceived') ?? 0) < 4
        ? {}
        : { ...plus(result, 'c2sReceived', 1), ...plus(result, 'c2sRouted', 1) },
    ),
  }),
  stateless({
    name: 'counts-one-too-few-written',
    breaks: ['FENCE-5'],
    also: ['POS-2'],
    what: 'The answer to a fence counts one message less than was delivered.',
    alter: counters((result) => {
      const written = numberAt(result, 's2cWritten') ?? 0;
      return written === 0 ? {} : { ...plus(result, 's2cWritten', -1), ...plus(result, 's2cEnqueued', -1) };
    }),
  }),
  stateless({
    name: 'forgets-the-head-in-fences',
    breaks: ['FENCE-5'],
    also: [],
    what: 'The answer to a fence always has headSeq 0.',
    alter: counters(() => ({ headSeq: 0 })),
  }),
  stateless({
    name: 'takes-any-number-of-fences',
    breaks: ['FENCE-7'],
    also: ['FENCE-1'],
    what: 'Answers a fence beyond maxPendingFences with counters in place of busy.',
    alter: onError('busy', (json) => [reply(json, { ...zero, epoch: 1 })], 'fence'),
  }),
  stateless({
    name: 'answers-mesh-fences',
    breaks: ['FENCE-6'],
    also: ['FENCE-1'],
    what: 'Answers a fence of scope mesh with counters.',
    alter: onError('not_supported', (json) => [reply(json, { ...zero, epoch: 1 })], 'fence'),
  }),
];
