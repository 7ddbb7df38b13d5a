import { numberAt, objectAt, stateless, stringAt } from './helpers.js';
import type { JsonObject } from './json.js';
import { onEvent } from './makers.js';
import type { Alterations, WireMutant } from './mutant.js';
import { roommates } from './rooms.js';

const errorOf = (json: JsonObject): string | undefined => stringAt(objectAt(objectAt(json, 'params'), 'error'), 'name');

/** Faults in what a sender is told of its messages: refusals, their limits, their positions. */
export const accountMutants: readonly WireMutant[] = [
  stateless({
    name: 'ends-pipes-that-may-not-send',
    breaks: ['DELIV-8'],
    also: ['POS-3', 'ANON-4', 'OPEN-14', 'FENCE-5'],
    what: 'Closes the pipe of a member that sends without the scope.',
    alter: onEvent('pipe.refused', (json, link) => {
      if (errorOf(json) === 'forbidden') link.session?.pipe?.closeClient(4003);
      return [json];
    }),
  }),
  stateless({
    name: 'closes-on-oversize',
    breaks: ['ROOM-LIMIT-3'],
    also: [
      'DBG-1',
      'DBG-3',
      'DELIV-6',
      'DELIV-7',
      'DISC-3',
      'FENCE-2',
      'FENCE-5',
      'FMT-1',
      'PIPE-1',
      'PIPE-3',
      'PIPE-7',
      'POS-1',
      'POS-2',
      'POS-4',
      'RCPT-7',
      'ROOM-LIMIT-1',
      'SIB-1',
      'SIB-2',
      'SIB-3',
      'SIB-7',
      'SIB-12',
      'WS-11',
      'WS-12',
    ],
    what: 'Closes the pipe of a member that sends a message over the limit of the room.',
    alter: onEvent('pipe.refused', (json, link) => {
      if (errorOf(json) === 'message_too_large') link.session?.pipe?.closeClient(1009);
      return [json];
    }),
  }),
  {
    name: 'delivers-the-beginning-of-what-is-too-long',
    breaks: ['ROOM-LIMIT-1'],
    also: [
      'DBG-3',
      'DELIV-6',
      'DELIV-7',
      'DELIV-8',
      'DISC-3',
      'FENCE-5',
      'PIPE-3',
      'POS-2',
      'POS-4',
      'ROOM-LIMIT-3',
      'WS-11',
      'WS-12',
      'WS-19',
    ],
    what: 'Delivers as much of a message over the limit of the room as fits, beside refusing it.',
    alter: (world) => ({
      onPipeToServer: (message, link) => {
        const limit = numberAt(objectAt(link.session?.grant, 'limits'), 'maxMessageBytes') ?? Infinity;
        const cut = { ...message, payload: message.payload.subarray(0, limit) };
        const others = message.payload.length > limit ? roommates(world, link) : [];
        for (const each of others) if (each.pipe?.open) each.pipe.toClient({ ...cut, kind: 'binary' });
        return [message];
      },
    }),
  },
  stateless({
    name: 'names-no-limit',
    breaks: ['ROOM-LIMIT-2'],
    also: ['DISC-3'],
    what: 'Leaves the limit out when a message was too large.',
    alter: refusedAs(({ error }) => ({ error: { name: stringAt(error, 'name') ?? '' } })),
  }),
  stateless({
    name: 'names-the-limit-of-the-server',
    breaks: ['ROOM-LIMIT-2'],
    also: ['DISC-3'],
    what: 'Names the hard limit when a message exceeds the limit of the room.',
    alter: refusedAs(({ error }) => ({ error: { name: stringAt(error, 'name') ?? '', limit: 1_048_576 } })),
  }),
  stateless({
    name: 'numbers-messages-from-zero',
    breaks: ['POS-1', 'POS-3'],
    also: [
      'ANON-4',
      'DBG-3',
      'DELIV-6',
      'DELIV-8',
      'DISC-3',
      'FENCE-2',
      'FENCE-5',
      'FMT-1',
      'FMT-3',
      'FMT-4',
      'FRAME-1',
      'PIPE-1',
      'PIPE-3',
      'POS-4',
      'RCPT-7',
      'ROOM-LIMIT-2',
      'SIB-1',
      'SIB-2',
      'SIB-3',
      'WS-11',
      'WS-12',
    ],
    what: 'Numbers the messages of a client from 0 in what it says of refused ones.',
    alter: refusedAs(({ from, to, n }) => ({ from: from - 1, to: to - 1, n: n - 1 })),
  }),
  stateless({
    name: 'reports-the-position-before',
    breaks: ['POS-3'],
    also: [
      'DBG-3',
      'DELIV-8',
      'FENCE-2',
      'FMT-1',
      'FMT-3',
      'FMT-4',
      'PIPE-1',
      'PIPE-3',
      'POS-1',
      'SIB-1',
      'SIB-2',
      'SIB-3',
    ],
    what: 'Gives the place before a refused message as its position.',
    alter: refusedAs(({ n }) => ({ n: n - 1 })),
  }),
  stateless({
    name: 'reports-the-first-epoch',
    breaks: ['POS-3'],
    also: ['PIPE-1', 'PIPE-3', 'POS-1', 'SIB-1'],
    what: 'Gives positions of refused messages in epoch 1, whichever pipe they came by.',
    alter: refusedAs(() => ({ epoch: 1 })),
  }),
];

interface Refused {
  readonly from: number;
  readonly to: number;
  readonly n: number;
  readonly error: JsonObject;
}

/** Changes of `pipe.refused`: `n` and `epoch` go into its `at`, the rest beside it. */
function refusedAs(
  change: (
    it: Refused,
  ) => Partial<Omit<Refused, 'error'>> & { epoch?: number; error?: Readonly<Record<string, string | number>> },
): Alterations {
  return onEvent('pipe.refused', (json) => {
    const params = objectAt(json, 'params');
    const at = objectAt(params, 'at');
    const number = (key: string): number => numberAt(params, key) ?? 0;
    const it = { from: number('from'), to: number('to'), n: numberAt(at, 'n') ?? 0, error: objectAt(params, 'error') };
    const { n = it.n, epoch = numberAt(at, 'epoch') ?? 1, ...rest } = change(it);
    return [{ ...json, params: { ...params, at: { ...at, n, epoch }, ...rest } }];
  });
}
