import { isCall, isResultOf, numberAt, perLink, reply, stateless, withAt, withParams, withResult } from './helpers.js';
import { objectAt } from './json.js';
import type { JsonObject } from './json.js';
import { onCall, onError, onEvent, onResult, swapper } from './makers.js';
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

/** Answers acks of events that were sent itself; `onward` says what goes to the server then. */
function forgingAcks(onward: (json: JsonObject, link: Link, forged: boolean) => readonly JsonObject[]): Alterations {
  const known = perLink(() => ({ head: 0, acked: 0 }));
  return {
    ...onLifecycle((json, link) => {
      known(link).head = Math.max(known(link).head, seqOf(json) ?? 0);
      return [json];
    }),
    onSiblingToServer: (json, link) => {
      const state = known(link);
      const seq = seqOf(json) ?? 0;
      const forged =
        isCall(json, 'sibling.ack') &&
        json['id'] !== undefined &&
        Number.isInteger(seq) &&
        seq > 0 &&
        seq <= state.head;
      if (forged) {
        state.acked = Math.max(state.acked, seq);
        link.toClient(reply(json, { oldestSeq: state.acked + 1 }));
      }
      return onward(json, link, forged);
    },
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
    name: 'loses-an-event',
    breaks: ['SIB-1'],
    also: ['SIB-8'],
    what: 'Does not send lifecycle event 12.',
    alter: onLifecycle((json) => (seqOf(json) === 12 ? [] : [json])),
  }),
  stateless({
    name: 'sends-an-event-twice',
    breaks: ['SIB-1'],
    also: ['SIB-8'],
    what: 'Sends lifecycle event 12 twice.',
    alter: onLifecycle((json) => (seqOf(json) === 12 ? [json, json] : [json])),
  }),
  {
    name: 'swaps-two-events',
    breaks: ['SIB-1'],
    also: ['SIB-8'],
    what: 'Sends lifecycle event 12 after event 13.',
    alter: () => onLifecycle(swapper((json) => seqOf(json) === 12)),
  },
  stateless({
    name: 'skips-a-number',
    breaks: ['SIB-1'],
    also: ['SIB-8'],
    what: 'Numbers lifecycle events from 12 on one too high.',
    alter: onLifecycle((json) => [withParams(json, { seq: bumped(seqOf(json) ?? 0, 12) })]),
  }),
];

const bumped = (seq: number, from: number): number => (seq >= from ? seq + 1 : seq);

const replays: readonly WireMutant[] = [
  stateless({
    name: 'replays-nothing',
    breaks: ['SIB-3'],
    also: ['SIB-2', 'SIB-5', 'SIB-7', 'ADMIN-16'],
    what: 'Does not replay events after a bind.',
    alter: onLifecycle((json) => (isReplay(json) ? [] : [json])),
  }),
  stateless({
    name: 'does-not-mark-replays',
    breaks: ['SIB-3'],
    also: ['SIB-1', 'SIB-2', 'SIB-7', 'SIB-8', 'ADMIN-16'],
    what: 'Sends replayed events without replay: true.',
    alter: onLifecycle((json) => [isReplay(json) ? withParams(json, { replay: undefined }) : json]),
  }),
  stateless({
    name: 'replays-everything',
    breaks: ['SIB-3'],
    also: ['SIB-4', 'SIB-5', 'SIB-1', 'SIB-10', 'RCPT-5'],
    what: 'Ignores lastSeq.',
    alter: onCall('sibling.bind', (json) => [
      (numberAt(json['params'], 'lastSeq') ?? -1) >= 0 ? withParams(json, { lastSeq: undefined }) : json,
    ]),
  }),
  {
    name: 'replays-before-the-reply',
    breaks: ['SIB-3'],
    also: ['SIB-1', 'SIB-2', 'SIB-4', 'SIB-5', 'SIB-7', 'SIB-6'],
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
    also: ['SIB-2', 'SIB-5', 'SIB-3'],
    what: 'Always answers a bind with gap: null.',
    alter: bind(() => ({ gap: null })),
  }),
  stateless({
    name: 'misstates-the-oldest',
    breaks: ['SIB-4'],
    also: ['SIB-2', 'SIB-1', 'SIB-7', 'SIB-11'],
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
    name: 'forgets-ended-pipes-in-the-state',
    breaks: ['SIB-6'],
    also: ['BIND-12', 'SIB-11'],
    what: 'The state of a bind says of a pipe that has ended that there never was one.',
    alter: onResult('sibling.bind', (json) => {
      const pipe = objectAt(objectAt(objectAt(json, 'result'), 'state'), 'pipe');
      const none = { epoch: 0, status: 'none', c2s: { n: 0, bytes: 0 }, s2c: { n: 0, bytes: 0, dropped: 0 } };
      return [pipe['status'] === 'ended' ? withAt(json, ['result', 'state'], { pipe: none }) : json];
    }),
  }),
];

const life: readonly WireMutant[] = [
  {
    name: 'forgets-the-oldest-event',
    breaks: ['SIB-2'],
    also: ['SIB-3', 'SIB-4', 'SIB-7', 'SIB-1', 'SIB-11'],
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
    also: ['SIB-4', 'SIB-7', 'RPC-6', 'BIND-12', 'WS-21'],
    what: 'Answers sibling.ack at once and lets events go only when the next call comes.',
    alter: () => {
      const held = perLink<JsonObject[]>(() => []);
      return forgingAcks((json, link, forged) => {
        const before = held(link).splice(0);
        if (forged) held(link).push({ ...json, id: undefined });
        return forged ? before : [...before, json];
      });
    },
  },
  {
    name: 'acknowledges-in-name-only',
    breaks: ['SIB-7'],
    also: ['SIB-4', 'SIB-11', 'RPC-6', 'BIND-12', 'WS-21'],
    what: 'Answers sibling.ack and keeps the events.',
    alter: () => forgingAcks((json, _, forged) => (forged ? [] : [json])),
  },
  stateless({
    name: 'acknowledges-what-it-never-sent',
    breaks: ['SIB-12'],
    also: ['BIND-6', 'DBG-6', 'RPC-4', 'RPC-5', 'RPC-7'],
    what: 'Answers sibling.ack of events to come with success.',
    alter: onError(
      'invalid_params',
      (json, link) => [(numberAt(link.callFor(json)?.params, 'seq') ?? 0) > 0 ? reply(json, { oldestSeq: 1 }) : json],
      'sibling.ack',
    ),
  }),
  stateless({
    name: 'does-not-report-lost-events',
    breaks: ['SIB-8'],
    also: ['SIB-1'],
    what: 'Does not send sibling.gap.',
    alter: onEvent('sibling.gap', () => []),
  }),
  {
    name: 'tells-others-about-refusals',
    breaks: ['SIB-9'],
    also: ['SIB-1', 'DBG-3', 'PIPE-2'],
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
    also: ['BIND-11', 'BIND-12', 'RCPT-1', 'SIB-3'],
    what: 'Closes the pipe when its command channel goes to sleep.',
    alter: {
      onLinkClosed: (link) => {
        if (link.channel === 'command' && link.session?.command === link) link.session.pipe?.cut();
      },
    },
  }),
];

/** Faults in the log of a sibling. */
export const siblingMutants: readonly WireMutant[] = [...numbers, ...replays, ...life];
