import { isCall, isResultOf, numberAt, perLink, reply, stateless, withAt, withParams, withResult } from './helpers.js';
import { objectAt } from './json.js';
import type { JsonObject } from './json.js';
import { onCall, onEvent, onResult, swapper } from './makers.js';
import type { Alterations, Link, WireMutant } from './mutant.js';

const seqOf = (json: JsonObject): number | undefined => numberAt(json['params'], 'seq');
const isLifecycle = (json: JsonObject): boolean => isCall(json) && seqOf(json) !== undefined;
const isReplay = (json: JsonObject): boolean => objectAt(json, 'params')['replay'] === true;

/** Changes numbered events of the command channel. */
function onLifecycle(change: (json: JsonObject, link: Link) => readonly JsonObject[]): Alterations {
  return {
    onSiblingToClient: (json, link) => (isLifecycle(json) && link.channel === 'command' ? change(json, link) : [json]),
  };
}

/** Changes replies to binds, and the numbered events that follow them. */
function onBind(
  changeReply: (json: JsonObject, link: Link) => readonly JsonObject[],
  changeEvent: (json: JsonObject, link: Link) => readonly JsonObject[],
): Alterations {
  return {
    onSiblingToClient: (json, link) => {
      if (isLifecycle(json)) return changeEvent(json, link);
      return isResultOf(json, link, 'sibling.bind') ? changeReply(json, link) : [json];
    },
  };
}

const bind = (changes: (result: JsonObject) => JsonObject): Alterations =>
  onResult('sibling.bind', (json) => [withResult(json, changes(objectAt(json, 'result')))]);

const numbers: readonly WireMutant[] = [
  stateless({
    name: 'loses-the-third-event',
    breaks: ['SIB-1'],
    also: [],
    what: 'Does not send lifecycle event 3.',
    alter: onLifecycle((json) => (seqOf(json) === 3 ? [] : [json])),
  }),
  stateless({
    name: 'sends-the-second-event-twice',
    breaks: ['SIB-1'],
    also: [],
    what: 'Sends lifecycle event 2 twice.',
    alter: onLifecycle((json) => (seqOf(json) === 2 ? [json, json] : [json])),
  }),
  {
    name: 'swaps-two-events',
    breaks: ['SIB-1'],
    also: [],
    what: 'Sends lifecycle event 2 after event 3.',
    alter: () => onLifecycle(swapper((json) => seqOf(json) === 2)),
  },
  stateless({
    name: 'skips-a-number',
    breaks: ['SIB-1'],
    also: [],
    what: 'Numbers lifecycle events from 3 on one too high.',
    alter: onLifecycle((json) => [withParams(json, { seq: bumped(seqOf(json) ?? 0, 3) })]),
  }),
];

const bumped = (seq: number, from: number): number => (seq >= from ? seq + 1 : seq);

const replays: readonly WireMutant[] = [
  stateless({
    name: 'replays-nothing',
    breaks: ['SIB-3'],
    also: ['SIB-2'],
    what: 'Does not replay events after a bind.',
    alter: onLifecycle((json) => (isReplay(json) ? [] : [json])),
  }),
  stateless({
    name: 'does-not-mark-replays',
    breaks: ['SIB-3'],
    also: [],
    what: 'Sends replayed events without replay: true.',
    alter: onLifecycle((json) => [isReplay(json) ? withParams(json, { replay: undefined }) : json]),
  }),
  stateless({
    name: 'replays-everything',
    breaks: ['SIB-3'],
    also: ['SIB-4', 'SIB-5'],
    what: 'Ignores lastSeq.',
    alter: onCall('sibling.bind', (json) => [withParams(json, { lastSeq: undefined })]),
  }),
  {
    name: 'replays-before-the-reply',
    breaks: ['SIB-3'],
    also: [],
    what: 'Sends the reply to a bind behind the first replayed event.',
    alter: () => {
      const swap = swapper<JsonObject>((json, link) => {
        const head = numberAt(objectAt(json, 'result'), 'headSeq') ?? 0;
        return link.callFor(json)?.method === 'sibling.bind' && head > 1;
      });
      return { onSiblingToClient: (json, link) => swap(json, link) };
    },
  },
  stateless({
    name: 'hides-the-gap',
    breaks: ['SIB-4'],
    also: ['SIB-2', 'SIB-5'],
    what: 'Always answers a bind with gap: null.',
    alter: bind(() => ({ gap: null })),
  }),
  stateless({
    name: 'misstates-the-oldest',
    breaks: ['SIB-4'],
    also: ['SIB-2'],
    what: 'Answers a bind with oldestSeq: 1.',
    alter: bind(() => ({ oldestSeq: 1 })),
  }),
  stateless({
    name: 'misstates-the-head',
    breaks: ['SIB-3'],
    also: ['SIB-1', 'SIB-2', 'SIB-4', 'SIB-5', 'SIB-6', 'SIB-7', 'SIB-10', 'SIB-11'],
    what: 'Answers a bind after two events with a headSeq that is one too high.',
    alter: bind((result) => ({ headSeq: bumped(numberAt(result, 'headSeq') ?? 0, 2) })),
  }),
  stateless({
    name: 'ignores-the-event-epoch',
    breaks: ['SIB-5'],
    also: [],
    what: 'Takes lastSeq of another eventEpoch for its own.',
    alter: onCall('sibling.bind', (json) => [withParams(json, { eventEpoch: undefined })]),
  }),
  stateless({
    name: 'forgets-the-pipe-in-the-state',
    breaks: ['SIB-6'],
    also: ['PIPE-7'],
    what: 'The state always says that there never was a pipe.',
    alter: {
      onSiblingToClient: (json, link) => {
        const method = link.callFor(json)?.method;
        const none = { epoch: 0, status: 'none', c2s: { n: 0, bytes: 0 }, s2c: { n: 0, bytes: 0, dropped: 0 } };
        if (json['result'] === undefined || (method !== 'pipe.state' && method !== 'sibling.bind')) return [json];
        return [withAt(json, ['result', 'state'], { pipe: none })];
      },
    },
  }),
];

const life: readonly WireMutant[] = [
  {
    name: 'forgets-the-oldest-event',
    breaks: ['SIB-2'],
    also: ['SIB-3', 'SIB-4', 'SIB-7'],
    what: 'Retains one event less than it should, and says so in no gap.',
    alter: () => {
      const due = perLink(() => ({ oldest: 0 }));
      return onBind(
        (json, link) => {
          const result = objectAt(json, 'result');
          const [oldest, head] = [numberAt(result, 'oldestSeq') ?? 0, numberAt(result, 'headSeq') ?? 0];
          if (head < 2 || oldest > head) return [json];
          due(link).oldest = oldest;
          return [withResult(json, { oldestSeq: oldest + 1 })];
        },
        (json, link) => (isReplay(json) && seqOf(json) === due(link).oldest ? [] : [json]),
      );
    },
  },
  {
    name: 'acknowledges-later',
    breaks: ['SIB-11'],
    also: ['SIB-4', 'SIB-7', 'RPC-6'],
    what: 'Answers sibling.ack at once and lets events go only when the next call comes.',
    alter: () => {
      const held = perLink<JsonObject[]>(() => []);
      const seen = perLink(() => ({ head: 0 }));
      return {
        onSiblingToServer: (json, link) => {
          const before = held(link).splice(0);
          const seq = seqOf(json) ?? Number.MAX_SAFE_INTEGER;
          if (!isCall(json, 'sibling.ack') || json['id'] === undefined || seq > seen(link).head)
            return [...before, json];
          held(link).push({ ...json, id: undefined });
          link.toClient(reply(json, { oldestSeq: seq + 1 }));
          return before;
        },
        ...onLifecycle((json, link) => {
          seen(link).head = Math.max(seen(link).head, seqOf(json) ?? 0);
          return [json];
        }),
      };
    },
  },
  stateless({
    name: 'acknowledges-in-name-only',
    breaks: ['SIB-7'],
    also: [],
    what: 'Answers sibling.ack and keeps the events.',
    alter: {
      onSiblingToServer: (json, link) => {
        if (!isCall(json, 'sibling.ack')) return [json];
        link.toClient(reply(json, { oldestSeq: (seqOf(json) ?? 0) + 1 }));
        return [];
      },
    },
  }),
  stateless({
    name: 'acknowledges-what-it-never-sent',
    breaks: ['SIB-12'],
    also: [],
    what: 'Answers sibling.ack of events to come with success.',
    alter: {
      onSiblingToClient: (json, link) =>
        json['error'] !== undefined && link.callFor(json)?.method === 'sibling.ack'
          ? [reply(json, { oldestSeq: 1 })]
          : [json],
    },
  }),
  stateless({
    name: 'does-not-report-lost-events',
    breaks: ['SIB-8'],
    also: [],
    what: 'Does not send sibling.gap.',
    alter: onEvent('sibling.gap', () => []),
  }),
  {
    name: 'tells-others-about-refusals',
    breaks: ['SIB-9'],
    also: [],
    what: 'Sends pipe.refused to every member of the room.',
    alter: (world) =>
      onEvent('pipe.refused', (json, link) => {
        const others = world.sessions().filter(({ room, command }) => room === link.session?.room && command !== link);
        for (const { command } of others) if (command?.open === true) command.toClient(json);
        return [json];
      }),
  },
  stateless({
    name: 'ends-the-pipe-with-its-sibling',
    breaks: ['SIB-10'],
    also: ['BIND-11', 'BIND-12'],
    what: 'Closes the pipe when its command channel goes to sleep.',
    alter: {
      onLinkClosed: (link) => {
        if (link.channel === 'command' && link.session?.command === link) link.session.pipe?.cut();
      },
    },
  }),
  {
    name: 'stays-longer-than-allowed',
    breaks: ['SESS-4'],
    also: [],
    what: 'sibling.stay answers with what was asked for.',
    alter: () => {
      const asked = perLink(() => ({ ms: 0 }));
      return {
        onSiblingToServer: (json, link) => {
          if (isCall(json, 'sibling.stay')) asked(link).ms = numberAt(json['params'], 'ms') ?? 0;
          return [json];
        },
        ...onResult('sibling.stay', (json, link) => [withResult(json, { ms: asked(link).ms })]),
      };
    },
  },
];

/** Faults in the log of a sibling. */
export const siblingMutants: readonly WireMutant[] = [...numbers, ...replays, ...life];
