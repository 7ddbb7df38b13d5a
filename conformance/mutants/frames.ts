import { isUtf8 } from 'node:buffer';
import { OPCODE, isControl } from '../drivers/websocket/frame.js';
import { isSendableCloseCode } from '../drivers/websocket/message.js';
import { perLink, stateless } from './helpers.js';
import { parseObject } from './json.js';
import type { Alterations, Link, Session, WireFrame, WireMutant, World } from './mutant.js';
import { neighbours, roommates } from './rooms.js';

const isData = ({ opcode }: WireFrame): boolean => opcode === OPCODE.text || opcode === OPCODE.binary;

const closeCodeOf = ({ opcode, payload }: WireFrame): number | undefined =>
  opcode === OPCODE.close && payload.length >= 2 ? payload.readUInt16BE(0) : undefined;

const withCode = (frame: WireFrame, code: number): WireFrame => ({
  ...frame,
  payload: Buffer.concat([Buffer.from([code >> 8, code & 0xff]), frame.payload.subarray(2)]),
});

type Reading = (frame: WireFrame, open: boolean, link: Link) => readonly WireFrame[];

/** Frames of pipes on their way to the server, and whether a fragmented message of the client's is open. */
function reading(read: Reading): WireMutant['alter'] {
  return () => {
    const state = perLink(() => ({ open: false }));
    return {
      onFrameToServer: (frame, link) => {
        if (link.endpoint !== 'pipe') return [frame];
        const { open } = state(link);
        if (!isControl(frame.opcode)) state(link).open = !frame.fin;
        return read(frame, open, link);
      },
    };
  };
}

const ending = (masked: boolean): WireFrame => ({
  fin: true,
  rsv: 0,
  opcode: OPCODE.continuation,
  masked,
  payload: Buffer.alloc(0),
});

/** Faults in how frames become messages. */
const fragmentMutants: readonly WireMutant[] = [
  {
    name: 'takes-the-first-fragment-for-all',
    breaks: ['WS-8'],
    also: [
      'DELIV-1',
      'DELIV-2',
      'DELIV-6',
      'DELIV-7',
      'POS-1',
      'POS-3',
      'POS-4',
      'ROOM-LIMIT-2',
      'WS-9',
      'WS-11',
      'WS-12',
      'WS-13',
      'WS-14',
    ],
    what: 'Takes the first fragment of a message for the whole of it.',
    alter: reading((frame) => {
      if (isControl(frame.opcode)) return [frame];
      return isData(frame) ? [{ ...frame, fin: true }] : [];
    }),
  },
  {
    name: 'ends-messages-at-pings',
    breaks: ['WS-8'],
    also: ['POS-4', 'WS-11', 'WS-13'],
    what: 'Takes a control frame between fragments for the end of their message.',
    alter: reading((frame, open) => {
      const between = open && isControl(frame.opcode) && frame.opcode !== OPCODE.close;
      return between ? [ending(frame.masked), frame] : [frame];
    }),
  },
  {
    name: 'delivers-unfinished-messages',
    breaks: ['WS-8'],
    also: ['POS-1', 'PIPE-2'],
    what: 'Delivers what it has of a message when the pipe is closed in the middle of it.',
    alter: reading((frame, open) => (open && frame.opcode === OPCODE.close ? [ending(frame.masked), frame] : [frame])),
  },
  {
    name: 'takes-continuations-for-messages',
    breaks: ['WS-13'],
    also: ['WS-19'],
    what: 'Takes a continuation of nothing for a binary message.',
    alter: reading((frame, open) =>
      !open && frame.opcode === OPCODE.continuation ? [{ ...frame, opcode: OPCODE.binary }] : [frame],
    ),
  },
  {
    name: 'joins-a-message-inside-a-message',
    breaks: ['WS-13'],
    also: ['WS-19'],
    what: 'Takes a new message inside a fragmented one for its next fragment.',
    alter: reading((frame, open) => (open && isData(frame) ? [{ ...frame, opcode: OPCODE.continuation }] : [frame])),
  },
  {
    name: 'checks-each-fragment-for-utf8',
    breaks: ['WS-14'],
    also: ['WS-8', 'DELIV-1', 'DELIV-2', 'PIPE-2'],
    what: 'Closes with 1007 where a fragment ends inside a character.',
    alter: reading((frame, open, link) => {
      if (isData(frame) && !open && !frame.fin && frame.opcode === OPCODE.text && !isUtf8(frame.payload)) {
        link.closeClient(1007);
      }
      return [frame];
    }),
  },
];

const toClient = (change: (frame: WireFrame, link: Link) => WireFrame): Alterations => ({
  onFrameToClient: (frame, link) => [change(frame, link)],
});

/** Faults in kinds, pings and close frames. */
const wordMutants: readonly WireMutant[] = [
  stateless({
    name: 'delivers-legible-binary-as-text',
    breaks: ['WS-9'],
    also: ['DELIV-1', 'FMT-1', 'FMT-2', 'FMT-5', 'FMT-6', 'FMT-8'],
    what: 'Delivers a binary message as text where its bytes are a JSON object.',
    alter: {
      onPipeToClient: (message) =>
        message.kind === 'binary' && parseObject(message.payload) ? [{ ...message, kind: 'text' }] : [message],
    },
  }),
  {
    name: 'delivers-pings',
    breaks: ['WS-11'],
    also: ['DELIV-7', 'POS-4', 'ROOM-LIMIT-1', 'ROOM-LIMIT-3', 'WS-8', 'WS-12', 'WS-18', 'WS-19'],
    what: 'Delivers the payload of a ping to the other members.',
    alter: (world) => ({
      onFrameToServer: (frame, link) => {
        const others = link.endpoint === 'pipe' && frame.opcode === OPCODE.ping ? roommates(world, link) : [];
        for (const each of others) {
          if (each.pipe?.open) each.pipe.toClient({ kind: 'binary', payload: frame.payload });
        }
        return [frame];
      },
    }),
  },
  stateless({
    name: 'takes-any-close-code',
    breaks: ['WS-13'],
    also: ['WS-15'],
    what: 'Takes close codes that must not be on the wire for 1000.',
    alter: {
      onFrameToServer: (frame) => {
        const code = closeCodeOf(frame);
        return [code === undefined || isSendableCloseCode(code) ? frame : withCode(frame, 1000)];
      },
    },
  }),
  {
    name: 'answers-every-close-with-1000',
    breaks: ['WS-20'],
    also: ['WS-13', 'WS-14'],
    what: 'Answers a close frame with 1000, whatever its code is.',
    alter: () => {
      const closing = perLink(() => ({ asked: false }));
      return {
        onFrameToServer: (frame, link) => {
          closing(link).asked ||= frame.opcode === OPCODE.close;
          return [frame];
        },
        ...toClient((frame, link) => {
          const answers = closing(link).asked && frame.opcode === OPCODE.close;
          return answers ? withCode(frame, 1000) : frame;
        }),
      };
    },
  },
  stateless({
    name: 'delivers-invalid-utf8-as-binary',
    breaks: ['WS-14'],
    also: ['WS-19', 'WS-16'],
    what: 'Delivers text that is not UTF-8 as binary.',
    alter: {
      onPipeToServer: (message) => [
        message.kind === 'text' && !isUtf8(message.payload) ? { ...message, kind: 'binary' } : message,
      ],
    },
  }),
  stateless({
    name: 'masks-its-frames',
    breaks: ['WS-18'],
    also: [],
    what: 'Masks its pongs, and data frames of more than 1,000 bytes.',
    alter: toClient((frame) =>
      frame.opcode === OPCODE.pong || frame.payload.length > 1000 ? { ...frame, masked: true } : frame,
    ),
  }),
];

const violates = (frame: WireFrame): boolean =>
  closeCodeOf(frame) === 1002 || closeCodeOf(frame) === 1007 || closeCodeOf(frame) === 1009;

/** Closes the pipes of others when a client is closed for a violation. */
function punishing(whom: (world: World, link: Link) => readonly Session[]): WireMutant['alter'] {
  return (world) => ({
    onFrameToClient: (frame, link) => {
      const others = link.endpoint === 'pipe' && violates(frame) ? whom(world, link) : [];
      for (const each of others) if (each.pipe?.open) each.pipe.closeClient(1011);
      return [frame];
    },
  });
}

/** Faults by which one client's mistake costs others something. */
const contagiousMutants: readonly WireMutant[] = [
  {
    name: 'ends-the-room-on-a-violation',
    breaks: ['WS-19'],
    also: ['WS-12', 'WS-13', 'WS-14', 'FENCE-5'],
    what: 'Closes the pipes of a whole room when one of its members violates the rules.',
    alter: punishing(roommates),
  },
  {
    name: 'ends-other-rooms-on-a-violation',
    breaks: ['ISOL-1'],
    also: ['WS-19'],
    what: 'Closes the pipes of other rooms when somebody violates the rules.',
    alter: punishing(neighbours),
  },
];

/** Faults in frames and what they mean. */
export const frameMutants: readonly WireMutant[] = [...fragmentMutants, ...wordMutants, ...contagiousMutants];
