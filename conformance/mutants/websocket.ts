import { isUtf8 } from 'node:buffer';
import { OPCODE, isControl } from '../drivers/websocket/frame.js';
import { offeredProtocols, stateless, switchingProtocols, withHeader, withResponseHeader } from './helpers.js';
import { onRefusal } from './makers.js';
import type { Alterations, HttpResponse, WireFrame, WireMutant } from './mutant.js';

const PIPE = 'porthouse.pipe.v1';

function selecting(response: HttpResponse, protocol: string | undefined): HttpResponse {
  return response.status === 101 ? withResponseHeader(response, 'Sec-WebSocket-Protocol', protocol) : response;
}

function mendFrame(mends: (frame: WireFrame) => boolean, mended: Partial<WireFrame>): Alterations {
  return { onFrameToServer: (frame) => [mends(frame) ? { ...frame, ...mended } : frame] };
}

function closeCode(from: number, to: number): Alterations {
  return {
    onFrameToClient: (frame) => {
      const matches =
        frame.opcode === OPCODE.close && frame.payload.length >= 2 && frame.payload.readUInt16BE(0) === from;
      const payload = Buffer.concat([Buffer.from([to >> 8, to & 0xff]), frame.payload.subarray(2)]);
      return [matches ? { ...frame, payload } : frame];
    },
  };
}

/** Faults in the upgrade. */
const upgradeMutants: readonly WireMutant[] = [
  stateless({
    name: 'selects-the-first-subprotocol',
    breaks: ['TICKET-4'],
    also: ['WS-1'],
    what: 'Selects whatever subprotocol is offered first, even the one that holds the ticket.',
    alter: {
      onHttpResponse: (response, request) =>
        request.endpoint === 'pipe' ? selecting(response, offeredProtocols(request)[0]) : response,
    },
  }),
  stateless({
    name: 'opens-a-pipe-without-subprotocol',
    breaks: ['WS-2'],
    also: ['HTTP-1'],
    what: 'Opens a pipe for somebody who does not offer the subprotocols.',
    alter: onRefusal('subprotocol_required', (response, request) =>
      request.endpoint === 'pipe'
        ? withResponseHeader(switchingProtocols(request, ''), 'Sec-WebSocket-Protocol', undefined)
        : response,
    ),
  }),
  stateless({
    name: 'refuses-bad-tickets-after-the-upgrade',
    breaks: ['WS-3'],
    also: ['HTTP-1', 'TICKET-1', 'TICKET-2', 'TICKET-5', 'SESS-1', 'SIB-11'],
    what: 'Answers a bad ticket with 101.',
    alter: onRefusal('ticket_invalid', (_, request) => switchingProtocols(request, PIPE)),
  }),
  stateless({
    name: 'answers-a-plain-get-with-400',
    breaks: ['WS-4'],
    also: ['HTTP-1'],
    what: 'Answers a request that is no upgrade with 400.',
    alter: onRefusal('upgrade_required', (response) => ({ ...response, status: 400, reason: 'Bad Request' })),
  }),
  stateless({
    name: 'opens-a-sibling-without-subprotocol',
    breaks: ['WS-5'],
    also: ['HTTP-1'],
    what: 'Takes a sibling socket that does not offer the subprotocol.',
    alter: onRefusal('subprotocol_required', (response, request) =>
      request.endpoint === 'sibling'
        ? withResponseHeader(switchingProtocols(request, ''), 'Sec-WebSocket-Protocol', undefined)
        : response,
    ),
  }),
  stateless({
    name: 'ignores-origin',
    breaks: ['WS-6'],
    also: ['HTTP-1'],
    what: 'Does not look at Origin.',
    alter: { onHttpRequest: (request) => ({ ...request, headers: withHeader(request.headers, 'Origin', undefined) }) },
  }),
  {
    name: 'ignores-host',
    breaks: ['WS-7'],
    also: ['HTTP-1'],
    what: 'Does not look at Host.',
    alter: (world) => ({
      onHttpRequest: (request) => ({ ...request, headers: withHeader(request.headers, 'Host', world.target.host) }),
    }),
  },
  stateless({
    name: 'agrees-to-compression',
    breaks: ['WS-10'],
    also: [],
    what: 'Agrees to permessage-deflate when it is offered.',
    alter: {
      onHttpResponse: (response, request) => {
        const offered = request.headers.some(([name, value]) => /extensions$/i.test(name) && value.includes('deflate'));
        if (response.status !== 101 || !offered) return response;
        return withResponseHeader(response, 'Sec-WebSocket-Extensions', 'permessage-deflate');
      },
    },
  }),
];

/** Faults after the upgrade. */
const frameMutants: readonly WireMutant[] = [
  stateless({
    name: 'takes-fragments-for-messages',
    breaks: ['WS-8'],
    also: [
      'DELIV-1',
      'DELIV-2',
      'DELIV-6',
      'DELIV-7',
      'FENCE-5',
      'POS-1',
      'POS-3',
      'POS-4',
      'ROOM-LIMIT-2',
      'WS-9',
      'WS-11',
      'WS-13',
      'WS-14',
    ],
    what: 'Delivers each fragment of a message as a message.',
    alter: {
      onFrameToServer: (frame, link) => {
        if (link.endpoint === 'sibling' || isControl(frame.opcode)) return [frame];
        const opcode = frame.opcode === OPCODE.continuation ? OPCODE.text : frame.opcode;
        return [frame.fin && opcode === frame.opcode ? frame : { ...frame, fin: true, opcode }];
      },
    },
  }),
  stateless({
    name: 'answers-pings-with-nothing-inside',
    breaks: ['WS-11'],
    also: ['BIND-6', 'DELIV-11', 'ROOM-LIMIT-3', 'RPC-9', 'WS-12', 'WS-17', 'WS-18'],
    what: 'Answers a ping with an empty pong.',
    alter: {
      onFrameToClient: (frame) => [frame.opcode === OPCODE.pong ? { ...frame, payload: Buffer.alloc(0) } : frame],
    },
  }),
  stateless({
    name: 'does-not-answer-pings',
    breaks: ['WS-11'],
    also: ['BIND-6', 'DELIV-11', 'ROOM-LIMIT-3', 'RPC-9', 'WS-12', 'WS-17', 'WS-18', 'SLOW-1', 'SLOW-2'],
    what: 'Does not answer pings.',
    alter: { onFrameToClient: (frame) => (frame.opcode === OPCODE.pong ? [] : [frame]) },
  }),
  stateless({
    name: 'closes-long-messages-with-1008',
    breaks: ['WS-12'],
    also: ['OPEN-13', 'WS-17'],
    what: 'Closes with 1008 where 1009 is due.',
    alter: closeCode(1009, 1008),
  }),
  stateless({
    name: 'takes-unmasked-frames',
    breaks: ['WS-13'],
    also: [],
    what: 'Takes frames that a client did not mask.',
    alter: mendFrame((frame) => !frame.masked, { masked: true }),
  }),
  stateless({
    name: 'ignores-reserved-bits',
    breaks: ['WS-13'],
    also: [],
    what: 'Takes frames with reserved bits set.',
    alter: mendFrame((frame) => frame.rsv !== 0, { rsv: 0 }),
  }),
  stateless({
    name: 'takes-reserved-opcodes-for-pings',
    breaks: ['WS-13'],
    also: ['PIPE-2'],
    what: 'Takes frames with reserved opcodes for pings.',
    alter: mendFrame((frame) => (frame.opcode & 7) > 2, { opcode: OPCODE.ping, fin: true }),
  }),
  stateless({
    name: 'takes-fragmented-control-frames',
    breaks: ['WS-13'],
    also: [],
    what: 'Takes control frames in fragments.',
    alter: mendFrame((frame) => isControl(frame.opcode) && !frame.fin, { fin: true }),
  }),
  stateless({
    name: 'closes-violations-with-1008',
    breaks: ['WS-13'],
    also: [],
    what: 'Closes with 1008 where 1002 is due.',
    alter: closeCode(1002, 1008),
  }),
  stateless({
    name: 'repairs-invalid-utf8',
    breaks: ['WS-14'],
    also: ['DELIV-7'],
    what: 'Replaces what is not UTF-8 in text by replacement characters and goes on.',
    alter: {
      onPipeToServer: (message) => [
        message.kind === 'text' && !isUtf8(message.payload)
          ? { ...message, payload: Buffer.from(message.payload.toString('utf8'), 'utf8') }
          : message,
      ],
    },
  }),
  stateless({
    name: 'closes-invalid-utf8-with-1002',
    breaks: ['WS-14'],
    also: [],
    what: 'Closes with 1002 where 1007 is due.',
    alter: closeCode(1007, 1002),
  }),
  stateless({
    name: 'ends-without-a-close-frame',
    breaks: ['WS-15'],
    also: [
      'BIND-4',
      'BIND-5',
      'BIND-7',
      'BIND-10',
      'BIND-11',
      'DELIV-11',
      'OPEN-13',
      'PIPE-5',
      'PIPE-6',
      'TICKET-3',
      'WS-12',
      'WS-13',
      'WS-14',
      'WS-16',
      'WS-17',
      'WS-18',
    ],
    what: 'Never sends a close frame.',
    alter: { onFrameToClient: (frame) => (frame.opcode === OPCODE.close ? [] : [frame]) },
  }),
  stateless({
    name: 'reads-binary-on-siblings',
    breaks: ['WS-16'],
    also: [],
    what: 'Takes binary messages on a sibling for text.',
    alter: {
      onFrameToServer: (frame, link) => [
        link.endpoint === 'sibling' && frame.opcode === OPCODE.binary ? { ...frame, opcode: OPCODE.text } : frame,
      ],
    },
  }),
  {
    name: 'ignores-long-sibling-messages',
    breaks: ['WS-17'],
    also: [],
    what: 'Drops sibling messages over siblingMessageBytes and goes on.',
    alter: () => ({
      onFrameToServer: (frame, link) => (link.endpoint === 'sibling' && frame.payload.length > 60_000 ? [] : [frame]),
    }),
  },
];

/** Faults in the words of WebSocket. */
export const websocketMutants: readonly WireMutant[] = [...upgradeMutants, ...frameMutants];
