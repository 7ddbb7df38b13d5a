import { perLink, stateless, text } from './helpers.js';
import { booleanAt } from './json.js';
import { counter, onEvent } from './makers.js';
import type { Alterations, Message, WireMutant } from './mutant.js';
import { hasScope, neighbours, roomSpecs, roommates } from './rooms.js';

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
    also: [
      'DBG-3',
      'DELIV-2',
      'DELIV-5',
      'DELIV-7',
      'DELIV-8',
      'FENCE-5',
      'OPEN-13',
      'PIPE-8',
      'POS-2',
      'ROOM-LIMIT-1',
      'ROOM-LIMIT-3',
      'WS-15',
    ],
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
    also: ['FENCE-5', 'FMT-6', 'OPEN-9', 'POS-2', 'ROOM-SPEC-2'],
    what: 'Does not deliver to the sender in a room with echo.',
    alter: () => ({ ...withoutOwn(() => true) }),
  },
  {
    name: 'echoes-text-only',
    breaks: ['DELIV-4'],
    also: ['FENCE-5', 'POS-2'],
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
      'DBG-3',
      'DELIV-1',
      'DELIV-2',
      'DELIV-4',
      'DELIV-5',
      'DELIV-6',
      'DELIV-8',
      'DELIV-9',
      'DELIV-11',
      'DISC-3',
      'FENCE-1',
      'FENCE-5',
      'FMT-2',
      'FMT-5',
      'FMT-6',
      'ISOL-1',
      'PIPE-3',
      'PIPE-6',
      'PIPE-8',
      'POS-2',
      'POS-4',
      'WS-8',
      'WS-9',
      'UDP-24',
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
    also: ['ANON-4', 'DBG-3', 'DELIV-8', 'FENCE-5', 'POS-2', 'ROOM-LIMIT-1', 'ROOM-LIMIT-3', 'SIB-10'],
    what: 'Writes a refusal into the pipe of the sender, beside the event.',
    alter: onEvent('pipe.refused', (json, link) => {
      link.session?.pipe?.toClient(text(JSON.stringify(json['params'])));
      return [json];
    }),
  }),
  {
    name: 'announces-in-the-pipe-who-leaves',
    breaks: ['DELIV-7'],
    also: [
      'FENCE-5',
      'PIPE-3',
      'PIPE-6',
      'PIPE-8',
      'POS-2',
      'SIB-10',
      'WS-8',
      'WS-12',
      'WS-13',
      'WS-14',
      'WS-15',
      'WS-19',
      'WS-21',
    ],
    what: 'Tells the other members in their pipes that a pipe has ended.',
    alter: (world) => ({
      onLinkClosed: (link) => {
        if (link.endpoint !== 'pipe') return;
        for (const each of roommates(world, link)) if (each.pipe?.open) each.pipe.toClient(notice('somebody left'));
      },
    }),
  },
];

/** Faults in who receives, and in what nobody sent. */
export const receiversMutants: readonly WireMutant[] = [...receiverMutants, ...intruderMutants];
