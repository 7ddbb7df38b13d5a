import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';

/** Opens a WebSocket and returns its bare TCP socket, so that the load generator costs as little as can be. */
export async function openRaw(url: URL, protocols: readonly string[]): Promise<Socket> {
  const socket = connect(Number(url.port), url.hostname).setNoDelay(true);
  const offer = protocols.length === 0 ? '' : `Sec-WebSocket-Protocol: ${protocols.join(', ')}\r\n`;
  const key = randomBytes(16).toString('base64');
  socket.write(
    `GET ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n${offer}\r\n`,
  );
  const [head] = (await once(socket, 'data')) as [Buffer];
  if (!head.toString('latin1').startsWith('HTTP/1.1 101')) throw new Error(`not opened: ${head.toString('latin1')}`);
  return socket;
}

/** One masked binary frame (RFC 6455, section 5.2); the mask is not zero, because a zero one is a short cut for some. */
export function maskedFrame(payload: Buffer): Buffer {
  const mask = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
  const long = payload.length > 125;
  const header = Buffer.from(
    long ? [0x82, 0xfe, payload.length >> 8, payload.length & 0xff] : [0x82, 0x80 | payload.length],
  );
  const masked = Buffer.from(payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0)));
  return Buffer.concat([header, mask, masked]);
}

/** Bytes of the same message as a server sends it. */
export function deliveredBytes(payloadBytes: number): number {
  return payloadBytes + (payloadBytes > 125 ? 4 : 2);
}
