import { stateless } from './helpers.js';
import { parseObject, stringAt } from './json.js';
import { swapper } from './makers.js';
import type { Message, WireMutant } from './mutant.js';

function withLastByteFlipped(message: Message): Message {
  const payload = Buffer.from(message.payload);
  const last = payload.length - 1;
  // The lowest bit only: an ASCII character stays one, so that a text message stays valid UTF-8.
  if (last >= 0) payload.writeUInt8(payload.readUInt8(last) ^ 1, last);
  return { ...message, payload };
}

/** Faults in the bytes that members receive. */
const contentMutants: readonly WireMutant[] = [
  stateless({
    name: 'alters-a-byte',
    breaks: ['DELIV-1'],
    also: [
      'DELIV-2',
      'DELIV-4',
      'DELIV-5',
      'DELIV-7',
      'DELIV-9',
      'DELIV-11',
      'DISC-3',
      'FENCE-5',
      'FMT-8',
      'PIPE-8',
      'POS-2',
      'POS-4',
      'ROOM-LIMIT-1',
      'ROOM-LIMIT-3',
      'WS-8',
      'WS-9',
    ],
    what: 'Flips the lowest bit of the last byte of every message longer than 1,000 bytes that a member receives.',
    alter: { onPipeToClient: (message) => [message.payload.length > 1000 ? withLastByteFlipped(message) : message] },
  }),
  stateless({
    name: 'truncates-long-messages',
    breaks: ['DELIV-1'],
    also: ['DELIV-2', 'DELIV-7', 'DELIV-11', 'DISC-3', 'ROOM-LIMIT-3', 'WS-8'],
    what: 'Delivers only the first 32,768 bytes of a message.',
    alter: { onPipeToClient: (message) => [{ ...message, payload: message.payload.subarray(0, 32_768) }] },
  }),
  stateless({
    name: 'ends-text-with-a-newline',
    breaks: ['DELIV-1'],
    also: [
      'DELIV-2',
      'DELIV-4',
      'DELIV-5',
      'DELIV-7',
      'FMT-2',
      'FMT-3',
      'FMT-5',
      'FMT-6',
      'FMT-8',
      'ROOM-LIMIT-1',
      'ROOM-LIMIT-3',
      'WS-8',
      'WS-9',
      'WS-10',
      'WS-14',
    ],
    what: 'Appends a line feed to every text message that is longer than 48 bytes.',
    alter: {
      onPipeToClient: (message) => {
        if (message.kind === 'binary' || message.payload.length <= 48) return [message];
        return [{ ...message, payload: Buffer.concat([message.payload, Buffer.from('\n')]) }];
      },
    },
  }),
  stateless({
    name: 'takes-messages-for-calls',
    breaks: ['DELIV-1'],
    also: ['FENCE-5'],
    what: 'Keeps a message that looks like JSON-RPC to itself.',
    alter: {
      onPipeToClient: (message) => (stringAt(parseObject(message.payload), 'jsonrpc') === undefined ? [message] : []),
    },
  }),
  stateless({
    name: 'drops-empty-messages',
    breaks: ['DELIV-6'],
    also: ['DELIV-1', 'DELIV-2', 'WS-8', 'WS-9', 'POS-2', 'FMT-1', 'FMT-2', 'FENCE-5'],
    what: 'Does not deliver empty messages.',
    alter: { onPipeToClient: (message) => (message.payload.length === 0 ? [] : [message]) },
  }),
];

/** Faults in what is delivered how often, and in which order. */
const orderMutants: readonly WireMutant[] = [
  {
    name: 'loses-the-thirtieth-message',
    breaks: ['DELIV-2'],
    also: [
      'DELIV-1',
      'DELIV-4',
      'DELIV-7',
      'DELIV-11',
      'FMT-6',
      'WS-8',
      'WS-9',
      'POS-2',
      'POS-4',
      'FENCE-5',
      'FENCE-2',
      'PIPE-8',
    ],
    what: 'Does not deliver the thirtieth message of a pipe, and counts it as delivered.',
    alter: () => ({ onPipeToClient: (message, link) => (link.received.toClient === 30 ? [] : [message]) }),
  },
  {
    name: 'delivers-the-thirtieth-message-twice',
    breaks: ['DELIV-2'],
    also: ['DELIV-1', 'DELIV-4', 'DELIV-7', 'DELIV-11', 'FMT-6', 'WS-8', 'WS-9', 'POS-2', 'POS-4', 'FENCE-5', 'PIPE-8'],
    what: 'Delivers the thirtieth message of a pipe twice.',
    alter: () => ({
      onPipeToClient: (message, link) => (link.received.toClient === 30 ? [message, message] : [message]),
    }),
  },
  {
    name: 'swaps-two-messages',
    breaks: ['DELIV-2'],
    also: [
      'DELIV-1',
      'DELIV-4',
      'DELIV-6',
      'DELIV-7',
      'DELIV-11',
      'FMT-6',
      'WS-8',
      'WS-9',
      'POS-4',
      'PIPE-8',
      'DISC-3',
      'ROOM-LIMIT-3',
    ],
    what: 'Delivers the fortieth message of a pipe behind the next.',
    alter: () => ({ onPipeToClient: swapper<Message>((_, link) => link.received.toClient === 40) }),
  },
  stateless({
    name: 'loses-messages-in-a-crowd',
    breaks: ['DELIV-2'],
    also: ['FENCE-5'],
    what: 'Does not deliver the 129th message of a pipe.',
    alter: { onPipeToClient: (message, link) => (link.received.toClient === 129 ? [] : [message]) },
  }),
  {
    name: 'lets-small-messages-overtake',
    breaks: ['DELIV-2'],
    also: ['DELIV-1', 'DELIV-11'],
    what: 'Delivers a big message, if it is the fifth of a pipe, behind the one that follows it.',
    alter: () => ({
      onPipeToClient: swapper<Message>(
        (message, link) => link.received.toClient === 5 && message.payload.length > 10_000,
      ),
    }),
  },
];

/** Faults in what members receive, how often and in which order. */
export const deliveryMutants: readonly WireMutant[] = [...contentMutants, ...orderMutants];
