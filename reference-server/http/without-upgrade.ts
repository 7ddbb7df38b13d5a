import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

const HOP_BY_HOP = ['upgrade', 'connection', 'http2-settings'];

/**
 * Puts a request back into its connection without its offer to change the protocol, which a server may ignore (RFC
 * 9110, section 7.8): several HTTP clients offer HTTP/2 with every request. Node leaves such requests unread.
 */
export function withoutUpgrade(asked: { request: IncomingMessage; socket: Duplex; head: Buffer }): Duplex {
  const { request, socket, head } = asked;
  const lines = [`${request.method ?? ''} ${request.url ?? ''} HTTP/${request.httpVersion}`];
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    const [name = '', value = ''] = request.rawHeaders.slice(at, at + 2);
    if (!HOP_BY_HOP.includes(name.toLowerCase())) lines.push(`${name}: ${value}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  return socket;
}
