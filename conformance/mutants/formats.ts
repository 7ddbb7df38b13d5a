import { objectAt, stateless } from './helpers.js';
import { numberAt, parseObject, stringAt } from './json.js';
import { isContent, onEvent, onRefusal } from './makers.js';
import type { Message, WireMutant } from './mutant.js';
import { roomSpecs } from './rooms.js';

function rewritten(message: Message, rewrite: (text: string) => string): Message {
  const before = message.payload.toString('utf8');
  const after = rewrite(before);
  return after === before ? message : { ...message, payload: Buffer.from(after, 'utf8') };
}

const rewriting = (rewrite: (text: string) => string) => ({
  onPipeToClient: (message: Message) => [message.kind === 'text' ? rewritten(message, rewrite) : message],
});

/** Faults in kinds, and in bytes that look as if they did not matter. */
export const formatMutants: readonly WireMutant[] = [
  stateless({
    name: 'delivers-text-as-binary',
    breaks: ['WS-9'],
    also: [
      'DELIV-1',
      'DELIV-2',
      'DELIV-5',
      'FMT-2',
      'FMT-3',
      'FMT-8',
      'FMT-9',
      'ROOM-LIMIT-1',
      'ROOM-LIMIT-3',
      'WS-8',
      'WS-10',
      'WS-14',
      'WS-19',
      'UDP-9',
      'UDP-14',
    ],
    what: 'Delivers text longer than 48 bytes, or not ASCII, as binary.',
    alter: {
      onPipeToClient: (message) => [isContent(message) ? { ...message, kind: 'binary' } : message],
    },
  }),
  stateless({
    name: 'reserialises-json',
    breaks: ['FMT-8'],
    also: ['DELIV-1', 'DELIV-7'],
    what: 'Parses text that is a JSON object and writes it anew.',
    alter: {
      onPipeToClient: (message) => {
        const json = message.kind === 'text' ? parseObject(message.payload) : undefined;
        return [json === undefined ? message : { ...message, payload: Buffer.from(JSON.stringify(json), 'utf8') }];
      },
    },
  }),
  stateless({
    name: 'strips-byte-order-marks',
    breaks: ['FMT-8'],
    also: ['DELIV-1', 'DELIV-7'],
    what: 'Removes a byte order mark at the start of text.',
    alter: rewriting((text) => text.replace(/^\uFEFF/, '')),
  }),
  stateless({
    name: 'trims-text',
    breaks: ['FMT-8'],
    also: ['DELIV-1', 'DELIV-7'],
    what: 'Removes white space around text.',
    alter: rewriting((text) => text.trim()),
  }),
  {
    name: 'converts-to-base64',
    breaks: ['FMT-8'],
    also: ['DELIV-1', 'DELIV-7', 'FMT-2', 'FMT-5'],
    what: 'Delivers text in rooms of the format binary as the text of its base64.',
    alter: () => {
      const specs = roomSpecs();
      return {
        ...specs.hook,
        onPipeToServer: (message, link) => {
          const converts = message.kind === 'text' && stringAt(specs.of(link), 'format') === 'binary';
          return [
            converts ? { kind: 'text', payload: Buffer.from(message.payload.toString('base64'), 'ascii') } : message,
          ];
        },
      };
    },
  },
  stateless({
    name: 'tells-the-sender-once-for-each-member',
    breaks: ['FMT-9'],
    also: ['SIB-1'],
    what: 'Sends pipe.undeliverable once for each member that could not be reached.',
    alter: onEvent('pipe.undeliverable', (json) => {
      const members = numberAt(objectAt(json, 'params'), 'members') ?? 1;
      const each = { ...json, params: { ...objectAt(json, 'params'), members: 1 } };
      return members > 1 ? Array.from({ length: members }, () => each) : [json];
    }),
  }),
  stateless({
    name: 'answers-unfit-formats-with-400',
    breaks: ['FMT-7'],
    also: ['HTTP-1', 'OPEN-16'],
    what: 'Refuses formats that do not fit the room with 400.',
    alter: onRefusal('format_unsupported', (response) => ({ ...response, status: 400, reason: 'Bad Request' })),
  }),
];
