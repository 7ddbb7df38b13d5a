import type { Dialect } from '../dialect.js';
import type { Wire } from '../wire.js';
import { FrameParser, maskedFrame, nextText, openWebSocket } from './web-socket.js';

/** An event named m with one string, as Engine.IO 4 carries it in a text frame. */
const PREFIX = '42["m","';
const SUFFIX = '"]';
const CONNECT = '40';
const MESSAGE_OF_SOCKET_IO = 0x34; // the rest is Engine.IO's own, such as a ping

class PacketParser extends FrameParser {
  override next(bytes: Buffer, at: number): number {
    const end = super.next(bytes, at);
    if (end < 0 || this.start < 0) return end;
    if (bytes[this.start] === MESSAGE_OF_SOCKET_IO) {
      this.start += PREFIX.length;
      this.end -= SUFFIX.length;
    } else this.start = -1;
    return end;
  }
}

async function open(url: URL): Promise<Wire> {
  const wire = await openWebSocket(new URL('/socket.io/?EIO=4&transport=websocket', url));
  await nextText(wire);
  wire.write(maskedFrame(Buffer.from(CONNECT), 'text').bytes);
  const answer = await nextText(wire);
  if (!answer.startsWith(CONNECT)) throw new Error(`not connected: ${answer}`);
  return wire;
}

/** socket.io over WebSocket only, without the detour over long polling. */
export const socketIo: Dialect = {
  parser: new PacketParser(),
  frame(payload) {
    const frame = maskedFrame(Buffer.concat([Buffer.from(PREFIX), payload, Buffer.from(SUFFIX)]), 'text');
    // The payload begins at a multiple of four of the frame's, so that the mask begins anew with it.
    return { ...frame, payloadAt: frame.payloadAt + PREFIX.length };
  },
  start: (url) => Promise.resolve(() => open(url)),
};
