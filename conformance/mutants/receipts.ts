import { isCall, numberAt, objectAt, perLink, stateless, withParams } from './helpers.js';
import { isObject } from './json.js';
import type { JsonObject } from './json.js';
import { onCall, onEvent, onResult } from './makers.js';
import type { WireMutant } from './mutant.js';

function withItems(json: JsonObject, change: (item: JsonObject) => JsonObject): JsonObject {
  const items = objectAt(json, 'params')['items'];
  return Array.isArray(items) ? withParams(json, { items: items.filter(isObject).map(change) }) : json;
}

const vseq = (json: JsonObject): number => numberAt(objectAt(json, 'params'), 'vseq') ?? 0;

/** Faults in receipts and manifests. */
export const receiptMutants: readonly WireMutant[] = [
  stateless({
    name: 'subscribes-to-anything',
    breaks: ['RCPT-1'],
    also: [],
    what: 'The answer to subscribe names an event that does not exist.',
    alter: onResult('subscribe', (json) => {
      const events = objectAt(json, 'result')['events'];
      const all = Array.isArray(events) ? (events as readonly string[]) : [];
      return [{ ...json, result: { events: [...all, 'no.such.event'] } }];
    }),
  }),
  stateless({
    name: 'sends-no-receipts',
    breaks: ['RCPT-2'],
    also: ['RCPT-1', 'RCPT-4', 'RCPT-5', 'SIB-11', 'FENCE-2', 'RCPT-6'],
    what: 'Does not send receipts.',
    alter: onEvent('pipe.receipt', () => []),
  }),
  stateless({
    name: 'miscounts-receivers',
    breaks: ['RCPT-2'],
    also: [],
    what: 'A receipt counts the sender among the members.',
    alter: onEvent('pipe.receipt', (json) => [
      withItems(json, (item) => ({ ...item, members: (numberAt(item, 'members') ?? 0) + 1 })),
    ]),
  }),
  stateless({
    name: 'sends-no-manifests',
    breaks: ['RCPT-3'],
    also: ['RCPT-4', 'RCPT-5', 'FENCE-2'],
    what: 'Does not send manifests.',
    alter: onEvent('pipe.manifest', () => []),
  }),
  stateless({
    name: 'names-the-receiver-as-sender',
    breaks: ['RCPT-3'],
    also: [],
    what: 'A manifest names the receiver as the sender.',
    alter: onEvent('pipe.manifest', (json, link) => [
      withItems(json, (item) => ({ ...item, from: link.session?.sid ?? item['from'] })),
    ]),
  }),
  stateless({
    name: 'gives-messages-two-ids',
    breaks: ['RCPT-4'],
    also: [],
    what: 'A receipt has other ids than the manifests.',
    alter: onEvent('pipe.receipt', (json) => [
      withItems(json, (item) => ({ ...item, id: `r-${String(numberAt(item, 'n'))}` })),
    ]),
  }),
  stateless({
    name: 'skips-a-report-number',
    breaks: ['RCPT-5'],
    also: ['MEMBER-4', 'MEMBER-7', 'MEMBER-8'],
    what: 'Numbers receipts from the second on one too high.',
    alter: {
      onSiblingToClient: (json) => [vseq(json) >= 2 ? withParams(json, { vseq: vseq(json) + 1 }) : json],
    },
  }),
  {
    name: 'goes-on-sending-receipts',
    breaks: ['RCPT-6'],
    also: ['RCPT-5'],
    what: 'Sends receipts to a member that has subscribed to something else, or to nothing any more.',
    alter: () => {
      const of = perLink(() => ({ without: false, sent: 0 }));
      return {
        ...onCall('subscribe', (json, link) => {
          const events = objectAt(json, 'params')['events'];
          const wanted = Array.isArray(events) && events.includes('pipe.receipt');
          if (link.session !== undefined) of(link.session).without = !wanted;
          return [json];
        }),
        onPipeToServer: (message, link) => {
          if (link.session === undefined) return [message];
          const state = of(link.session);
          state.sent += 1;
          const items = [{ n: state.sent, id: `m-${String(state.sent)}`, members: 1 }];
          const event = { vseq: 1, sid: link.session.sid, epoch: 1, items };
          if (state.without) link.session.command?.toClient({ jsonrpc: '2.0', method: 'pipe.receipt', params: event });
          return [message];
        },
      };
    },
  },
  {
    name: 'acknowledges-refused-messages',
    breaks: ['RCPT-7'],
    also: ['RCPT-5'],
    what: 'Sends a receipt for a message that was refused.',
    alter: () => {
      const of = perLink(() => ({ last: 0 }));
      return {
        onSiblingToClient: (json, link) => {
          const state = of(link);
          if (vseq(json) > 0) state.last = vseq(json);
          if (!isCall(json, 'pipe.refused') || state.last === 0) return [json];
          const items = [{ n: numberAt(objectAt(json, 'params'), 'from') ?? 1, id: 'refused', members: 0 }];
          const event = { vseq: state.last + 1, sid: link.session?.sid ?? '', epoch: 1, items };
          return [json, { jsonrpc: '2.0', method: 'pipe.receipt', params: event }];
        },
      };
    },
  },
];
