import {
  isCall,
  numberAt,
  objectAt,
  perLink,
  reply,
  stateless,
  stringAt,
  withAt,
  withParams,
  withResult,
} from './helpers.js';
import { OPCODE } from '../drivers/websocket/frame.js';
import type { JsonObject } from './json.js';
import { onError, onEvent, onResult, swapper } from './makers.js';
import type { Message, WireMutant } from './mutant.js';

const params = (json: JsonObject): JsonObject => objectAt(json, 'params');

const shifted = (json: JsonObject, key: string, by: number): JsonObject =>
  withParams(json, { [key]: (numberAt(params(json), key) ?? 0) + by });

const opening: readonly WireMutant[] = [
  stateless({
    name: 'says-nothing-of-a-reopened-pipe',
    breaks: ['PIPE-1'],
    also: ['PIPE-3', 'PIPE-5', 'PIPE-8', 'SIB-1'],
    what: 'Sends pipe.opened only for the first epoch.',
    alter: onEvent('pipe.opened', (json) => ((numberAt(params(json), 'epoch') ?? 1) > 1 ? [] : [json])),
  }),
  {
    name: 'announces-reopened-pipes-late',
    breaks: ['PIPE-1'],
    also: ['SIB-1', 'PIPE-3', 'FENCE-2'],
    what: 'Sends pipe.opened of a second pipe behind what comes after it.',
    alter: () =>
      onEvent(
        undefined,
        swapper((json) => isCall(json, 'pipe.opened') && (numberAt(params(json), 'epoch') ?? 1) > 1),
      ),
  },
  {
    name: 'keeps-messages-for-the-absent',
    breaks: ['PIPE-8'],
    also: ['PIPE-5', 'DELIV-2', 'FENCE-1', 'FENCE-5', 'POS-2'],
    what: 'Delivers to a new pipe what was sent to the room while there was none.',
    alter: (world) => {
      const missed = perLink<Message[]>(() => []);
      return {
        onPipeToServer: (message, link) => {
          const absent = world
            .sessions()
            .filter(({ room, pipe }) => room === link.session?.room && pipe?.open !== true);
          for (const session of absent) missed(session).push(message);
          return [message];
        },
        onPipeToClient: (message, link) => [...(link.session ? missed(link.session).splice(0) : []), message],
      };
    },
  },
  stateless({
    name: 'opens-every-pipe-as-epoch-one',
    breaks: ['PIPE-1'],
    also: ['PIPE-3', 'PIPE-5', 'PIPE-8'],
    what: 'pipe.opened always says epoch 1.',
    alter: onEvent('pipe.opened', (json) => [withParams(json, { epoch: 1 })]),
  }),
  {
    name: 'issues-tickets-while-a-pipe-is-open',
    breaks: ['PIPE-4'],
    also: [],
    what: 'Answers pipe.ticket with a ticket though the pipe is open and replace was not asked for.',
    alter: () =>
      onError('pipe_exists', (json) => [
        reply(json, {
          pipeTicket: 'A'.repeat(43),
          endpoints: { pipe: '/porthouse/v1/pipe' },
          epoch: 2,
          expiresInMs: 60_000,
        }),
      ]),
  },
  {
    name: 'tells-of-a-replaced-pipe-too-late',
    breaks: ['PIPE-5'],
    also: ['SIB-1', 'PIPE-2'],
    what: 'Sends the end of a replaced pipe behind the ticket that replaces it.',
    alter: () => {
      const held = perLink<JsonObject[]>(() => []);
      return {
        onSiblingToClient: (json, link) => {
          const late = isCall(json, 'pipe.ended') && stringAt(params(json), 'cause') === 'replaced';
          if (late) held(link).push(json);
          return late ? [] : [json, ...held(link).splice(0)];
        },
      };
    },
  },
];

const ending: readonly WireMutant[] = [
  {
    name: 'ends-the-directions-in-the-wrong-order',
    breaks: ['PIPE-2'],
    also: ['SIB-1', 'PIPE-5', 'PIPE-6'],
    what: 'Ends s2c before c2s.',
    alter: () =>
      onEvent(
        'pipe.ended',
        swapper((json) => stringAt(params(json), 'dir') === 'c2s'),
      ),
  },
  stateless({
    name: 'ends-one-direction-only',
    breaks: ['PIPE-2'],
    also: [
      'SIB-1',
      'PIPE-1',
      'PIPE-5',
      'PIPE-6',
      'POS-2',
      'RPC-6',
      'RPC-9',
      'WS-13',
      'ADMIN-20',
      'MOVE-25',
      'PAUSE-3',
      'DELIV-11',
    ],
    what: 'Sends pipe.ended for c2s only.',
    alter: onEvent('pipe.ended', (json) => (stringAt(params(json), 'dir') === 's2c' ? [] : [json])),
  }),
  stateless({
    name: 'counts-one-too-many-at-the-end',
    breaks: ['PIPE-2'],
    also: ['POS-1', 'POS-2', 'WS-13', 'SWITCH-11'],
    what: 'pipe.ended counts one message too many.',
    alter: onEvent('pipe.ended', (json) => [shifted(json, 'finalN', 1)]),
  }),
  stateless({
    name: 'miscounts-bytes-at-the-end',
    breaks: ['PIPE-2'],
    also: ['POS-1', 'POS-2', 'WS-12', 'WS-13'],
    what: 'pipe.ended counts one byte too many.',
    alter: onEvent('pipe.ended', (json) => [shifted(json, 'finalBytes', 1)]),
  }),
  stateless({
    name: 'calls-every-end-lost',
    breaks: ['PIPE-2'],
    also: ['WS-12', 'WS-13', 'WS-14', 'WS-15', 'PIPE-5', 'PIPE-6', 'DELIV-11', 'ADMIN-20', 'TCP-17'],
    what: 'pipe.ended always says that the pipe was lost.',
    alter: onEvent('pipe.ended', (json) => [withParams(json, { cause: 'lost' })]),
  }),
  stateless({
    name: 'closes-pipes-with-1001',
    breaks: ['PIPE-6'],
    also: ['WS-15'],
    what: 'Closes with 1001 where 1000 is due.',
    alter: {
      onFrameToClient: (frame) => {
        const normal =
          frame.opcode === OPCODE.close && frame.payload.length >= 2 && frame.payload.readUInt16BE(0) === 1000;
        return [normal ? { ...frame, payload: Buffer.from([0x03, 0xe9]) } : frame];
      },
    },
  }),
  stateless({
    name: 'closes-without-saying-where',
    breaks: ['PIPE-6'],
    also: ['FRAME-1', 'RPC-8', 'RPC-9', 'RPC-11'],
    what: 'The answer to pipe.close has no position.',
    alter: onResult('pipe.close', (json) => [withResult(json, { at: undefined })]),
  }),
  stateless({
    name: 'says-the-pipe-is-open',
    breaks: ['PIPE-7'],
    also: ['PIPE-3'],
    what: 'pipe.state always says that the pipe is open.',
    alter: onResult('pipe.state', (json) => [withAt(json, ['result', 'state', 'pipe'], { status: 'open' })]),
  }),
];

const refusing: readonly WireMutant[] = [
  stateless({
    name: 'refuses-in-silence',
    breaks: ['ROOM-LIMIT-2'],
    also: ['DELIV-8', 'POS-3', 'FMT-1', 'FMT-3', 'FMT-4', 'ANON-4', 'SIB-1', 'FENCE-2', 'WS-11'],
    what: 'Does not send pipe.refused.',
    alter: onEvent('pipe.refused', () => []),
  }),
  stateless({
    name: 'refuses-without-the-limit',
    breaks: ['ROOM-LIMIT-2'],
    also: ['DISC-3'],
    what: 'pipe.refused does not say which limit is in force.',
    alter: onEvent('pipe.refused', (json) => [withAt(json, ['params', 'error'], { limit: undefined })]),
  }),
  stateless({
    name: 'misplaces-refusals',
    breaks: ['POS-3'],
    also: ['ROOM-LIMIT-2', 'DELIV-8', 'FMT-1', 'FMT-3', 'FMT-4', 'ANON-4', 'POS-1', 'SIB-2', 'DBG-3'],
    what: 'pipe.refused names the message after the one refused.',
    alter: onEvent('pipe.refused', (json) => {
      const at = objectAt(params(json), 'at');
      const moved = { ...at, n: (numberAt(at, 'n') ?? 0) + 1 };
      return [withParams(shifted(shifted(json, 'from', 1), 'to', 1), { at: moved })];
    }),
  }),
  stateless({
    name: 'calls-a-mismatch-forbidden',
    breaks: ['FMT-1', 'FMT-4'],
    also: ['FMT-3', 'SWITCH-2'],
    what: 'Refuses a message of the wrong kind as forbidden.',
    alter: onEvent('pipe.refused', (json) => {
      const mismatch = stringAt(objectAt(params(json), 'error'), 'name') === 'format_mismatch';
      return [mismatch ? withAt(json, ['params', 'error'], { name: 'forbidden' }) : json];
    }),
  }),
  stateless({
    name: 'calls-a-forbidden-message-mismatched',
    breaks: ['DELIV-8'],
    also: ['ANON-4', 'POS-3'],
    what: 'Refuses a message without the scope as of the wrong kind.',
    alter: onEvent('pipe.refused', (json) => {
      const forbidden = stringAt(objectAt(params(json), 'error'), 'name') === 'forbidden';
      return [forbidden ? withAt(json, ['params', 'error'], { name: 'format_mismatch' }) : json];
    }),
  }),
  stateless({
    name: 'drops-the-undeliverable-in-silence',
    breaks: ['FMT-9'],
    also: ['SIB-1'],
    what: 'Does not send pipe.undeliverable.',
    alter: onEvent('pipe.undeliverable', () => []),
  }),
  stateless({
    name: 'tells-only-receivers-of-the-undeliverable',
    breaks: ['FMT-9'],
    also: ['SIB-1', 'SWITCH-30'],
    what: 'Does not tell the sender that a message could not be delivered.',
    alter: onEvent('pipe.undeliverable', (json) => ('members' in params(json) ? [] : [json])),
  }),
];

/** Faults in what a sibling says of its pipe. */
export const pipeMutants: readonly WireMutant[] = [...opening, ...ending, ...refusing];
