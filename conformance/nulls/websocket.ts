import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { OPCODE, FrameParser, encodeFrame } from '../drivers/websocket/frame.js';
import { acceptFor } from '../drivers/websocket/handshake.js';
import { MessageAssembler } from '../drivers/websocket/message.js';

/** A message as a null server sees and sends it. */
export interface PlainMessage {
  readonly kind: 'text' | 'binary';
  readonly payload: Buffer;
}

/** The server's side of an upgraded connection. */
export interface Peer {
  readonly protocol: string | undefined;
  readonly send: (message: PlainMessage) => void;
  readonly onMessage: (listener: (message: PlainMessage) => void) => void;
}

/** What Node hands to a listener of `upgrade`. */
export interface UpgradeArguments {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Accepts any upgrade, with the first subprotocol of `known` that was offered, or with none. */
export function acceptUpgrade({ request, socket, head }: UpgradeArguments, known: readonly string[]): Peer {
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  const protocol = known.find((name) => offered.includes(name));
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptFor(request.headers['sec-websocket-key'] ?? '')}`,
    ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  return startPeer(socket, head, protocol);
}

function startPeer(socket: Duplex, head: Buffer, protocol: string | undefined): Peer {
  let listener: (message: PlainMessage) => void = () => undefined;
  const parser = new FrameParser({ sender: 'client' });
  const send = (opcode: number, payload: Buffer): void => {
    if (socket.writable) socket.write(encodeFrame({ opcode, payload }));
  };
  const assembler = new MessageAssembler((record) => {
    if (record.type === 'message') listener(record);
    if (record.type === 'ping') send(OPCODE.pong, record.payload);
    if (record.type === 'close') socket.end(encodeFrame({ opcode: OPCODE.close, payload: Buffer.from([0x03, 0xe8]) }));
  });
  const take = (chunk: Buffer): void => {
    parser.push(chunk);
    for (let frame = parser.next(); frame !== undefined; frame = parser.next()) assembler.accept(frame);
  };
  take(head);
  socket.on('data', take);
  return {
    protocol,
    send: ({ kind, payload }) => send(kind === 'text' ? OPCODE.text : OPCODE.binary, payload),
    onMessage: (each) => (listener = each),
  };
}
