import { perLink, stateless, text } from './helpers.js';
import { booleanAt, parseObject, stringAt } from './json.js';
import { counter, onEvent, swapper } from './makers.js';
import type { Alterations, Message, WireMutant } from './mutant.js';
import { hasScope, neighbours, roomSpecs, roommates } from './rooms.js';

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
    also: ['DELIV-2', 'DELIV-4', 'DELIV-5', 'DELIV-9', 'DELIV-11', 'DISC-3', 'POS-2', 'POS-4', 'ROOM-LIMIT-1'].concat([
      'ROOM-LIMIT-3',
      'WS-8',
      'WS-9',
      'FMT-8',
      'FENCE-5',
      'PIPE-8',
    ]),
    what: 'Flips the lowest bit of the last byte of every message longer than 1,000 bytes that a member receives.',
    alter: { onPipeToClient: (message) => [message.payload.length > 1000 ? withLastByteFlipped(message) : message] },
  }),
  stateless({
    name: 'truncates-long-messages',
    breaks: ['DELIV-1'],
    also: ['DELIV-2', 'DELIV-11', 'DISC-3', 'ROOM-LIMIT-3', 'WS-8'],
    what: 'Delivers only the first 32,768 bytes of a message.',
    alter: { onPipeToClient: (message) => [{ ...message, payload: message.payload.subarray(0, 32_768) }] },
  }),
  stateless({
    name: 'ends-text-with-a-newline',
    breaks: ['DELIV-1'],
    also: ['DELIV-2', 'DELIV-4', 'DELIV-5', 'WS-8', 'WS-9', 'WS-14', 'ROOM-LIMIT-1', 'ROOM-LIMIT-3', 'FMT-2'].concat([
      'FMT-3',
      'FMT-5',
      'FMT-6',
      'FMT-8',
    ]),
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
    also: [],
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
    also: [],
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

/** The members that heard it all, and one that should not have. */
function toOthers(whom: 'neighbours' | 'namesakes'): WireMutant['alter'] {
  return (world) => ({
    onPipeToServer: (message, link) => {
      const room = link.session?.room ?? '';
      const others = neighbours(world, link).filter(
        (each) => whom === 'neighbours' || each.room.startsWith(room) || room.startsWith(each.room),
      );
      const meant = message.kind === 'binary' && message.payload.length >= 100 && message.payload.length < 1000;
      if (meant) for (const other of others) other.pipe?.toClient(message);
      return [message];
    },
  });
}

/** Faults in who receives. */
const receiverMutants: readonly WireMutant[] = [
  {
    name: 'sends-senders-their-own-messages',
    breaks: ['DELIV-3'],
    also: ['DELIV-5', 'DELIV-7', 'ROOM-LIMIT-1', 'ROOM-LIMIT-3', 'POS-2', 'WS-15', 'PIPE-8', 'FENCE-5'],
    what: 'Delivers a binary message to its sender too, in rooms without echo.',
    alter: () => {
      const specs = roomSpecs();
      return {
        ...specs.hook,
        onPipeToServer: (message, link) => {
          if (message.kind === 'binary' && booleanAt(specs.of(link), 'echo') !== true) link.toClient(message);
          return [message];
        },
      };
    },
  },
  {
    name: 'ignores-echo',
    breaks: ['DELIV-4'],
    also: ['POS-2', 'ROOM-SPEC-2'],
    what: 'Does not deliver to the sender in a room with echo.',
    alter: () => ({ ...withoutOwn(() => true) }),
  },
  {
    name: 'echoes-text-only',
    breaks: ['DELIV-4'],
    also: ['POS-2'],
    what: 'Does not deliver binary messages to their sender in a room with echo.',
    alter: () => ({ ...withoutOwn((message) => message.kind === 'binary') }),
  },
  {
    name: 'delivers-to-other-rooms',
    breaks: ['DELIV-5'],
    also: ['DELIV-3', 'DELIV-4', 'DELIV-7'],
    what: 'Delivers binary messages of 100 to 1,000 bytes in other rooms too.',
    alter: toOthers('neighbours'),
  },
  {
    name: 'takes-one-room-for-another',
    breaks: ['DELIV-5'],
    also: ['DELIV-7'],
    what: 'Delivers such messages in rooms whose name begins like that of their own.',
    alter: toOthers('namesakes'),
  },
  {
    name: 'delivers-without-the-scope-receive',
    breaks: ['DELIV-9'],
    also: ['DELIV-7', 'ANON-1', 'OPEN-14'],
    what: 'Delivers to members without the scope receive as to any other.',
    alter: (world) => ({
      onPipeToServer: (message, link) => {
        const deaf = roommates(world, link).filter((each) => !hasScope(each, 'receive'));
        for (const each of deaf) each.pipe?.toClient(message);
        return [message];
      },
    }),
  },
  {
    name: 'echoes-without-the-scope-receive',
    breaks: ['DELIV-9'],
    also: ['DELIV-7'],
    what: 'Echoes to members without the scope receive.',
    alter: () => {
      const specs = roomSpecs();
      return {
        ...specs.hook,
        onPipeToServer: (message, link) => {
          const echoes = booleanAt(specs.of(link), 'echo') === true;
          if (echoes && !hasScope(link.session, 'receive')) link.toClient(message);
          return [message];
        },
      };
    },
  },
];

function withoutOwn(drops: (message: Message) => boolean): Alterations {
  const sent = perLink<string[]>(() => []);
  return {
    onPipeToServer: (message, link) => {
      sent(link).push(message.payload.toString('base64'));
      return [message];
    },
    onPipeToClient: (message, link) => {
      const at = sent(link).indexOf(message.payload.toString('base64'));
      if (at >= 0) sent(link).splice(at, 1);
      return at >= 0 && drops(message) ? [] : [message];
    },
  };
}

const notice = (what: string): Message => text(JSON.stringify({ notice: what, from: 'the server' }));

/** Faults of a server that cannot keep to itself. */
const intruderMutants: readonly WireMutant[] = [
  {
    name: 'writes-into-the-pipe',
    breaks: ['DELIV-7'],
    also: [
      'DELIV-1',
      'DELIV-2',
      'DELIV-4',
      'DELIV-11',
      'POS-2',
      'POS-4',
      'FMT-6',
      'WS-8',
      'WS-9',
      'PIPE-8',
      'DISC-3',
      'FENCE-5',
    ],
    what: 'Puts a notice of its own into a pipe, behind the second message.',
    alter: () => {
      const nth = counter();
      return { onPipeToClient: (message, link) => (nth(link) === 2 ? [message, notice('hello')] : [message]) };
    },
  },
  stateless({
    name: 'reports-refusals-in-the-pipe',
    breaks: ['DELIV-7'],
    also: ['DELIV-8', 'ROOM-LIMIT-1', 'ROOM-LIMIT-3', 'POS-2', 'FENCE-5', 'SIB-10'],
    what: 'Writes a refusal into the pipe of the sender, beside the event.',
    alter: onEvent('pipe.refused', (json, link) => {
      link.session?.pipe?.toClient(text(JSON.stringify(json['params'])));
      return [json];
    }),
  }),
  {
    name: 'announces-in-the-pipe-who-leaves',
    breaks: ['DELIV-7'],
    also: ['WS-14', 'WS-15', 'WS-19', 'PIPE-8', 'POS-2', 'SIB-10'],
    what: 'Tells the other members in their pipes that a pipe has ended.',
    alter: (world) => ({
      onLinkClosed: (link) => {
        if (link.endpoint !== 'pipe') return;
        for (const each of roommates(world, link)) if (each.pipe?.open) each.pipe.toClient(notice('somebody left'));
      },
    }),
  },
];

/** Faults in what members receive, and which members. */
export const deliveryMutants: readonly WireMutant[] = [
  ...contentMutants,
  ...orderMutants,
  ...receiverMutants,
  ...intruderMutants,
];
