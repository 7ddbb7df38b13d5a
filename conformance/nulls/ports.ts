import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { encodeUdp, decodeUdp, kindOfType, TYPES } from '../drivers/udp/codec.js';
import type { UdpDatagram, UdpKeys } from '../drivers/udp/codec.js';
import { serveFtp } from './ftp.js';
import { listen } from './null-server.js';

/**
 * What ports do with those who come: end every connection, take everything in silence, say one thing to all, say back
 * what is said, refuse, accept and swallow, accept and send each message back to its sender.
 */
export type Manner = 'dead' | 'silent' | 'constant' | 'echo' | 'refuse' | 'accept' | 'repeat';

/** Lines of a connection that is no pipe, where somebody serves siblings. */
export interface LinePeer {
  readonly send: (line: string) => void;
  readonly onLine: (listener: (line: string) => void) => void;
}

/** How ports behave, and what they need to know for it. */
export interface PortsOptions {
  readonly manner: Manner;
  /** The keys of an association, by its base64url; a server that accepts must have them. */
  readonly keysOf?: ((assoc: string) => UdpKeys | undefined) | undefined;
  readonly onSibling?: ((peer: LinePeer) => void) | undefined;
}

/** Ports for TCP, UDP and FTP on loopback; `stop` cuts everything. */
export interface Ports {
  /** `host:port` by transport. */
  readonly hosts: { readonly tcp: string; readonly udp: string; readonly ftp: string };
  readonly stop: () => Promise<void>;
}

/** Opens a port for each transport that has one of its own. */
export async function openPorts(options: PortsOptions): Promise<Ports> {
  const tcp = await listen(createServer({ allowHalfOpen: true }, (socket) => serveTcp(socket, options)));
  const ftp = await listen(createServer((socket) => serveFtp(socket, options.manner)));
  const udp = await openUdp(options);
  return {
    hosts: { tcp: tcp.url.host, ftp: ftp.url.host, udp: udp.host },
    stop: async () => {
      await Promise.all([tcp.stop(), ftp.stop(), udp.stop()]);
    },
  };
}

function serveTcp(socket: Socket, options: PortsOptions): void {
  const { manner } = options;
  if (manner === 'dead') socket.destroy();
  else if (manner === 'silent') socket.resume();
  else if (manner === 'echo') socket.pipe(socket);
  else if (manner === 'constant') socket.on('data', () => socket.write('constant\n'));
  else if (manner === 'refuse') socket.once('data', () => socket.end()).resume();
  else acceptTcp(socket, options);
}

/** Reads the preamble (tcp.md), then swallows what comes, or repeats it. */
function acceptTcp(socket: Socket, { manner, onSibling }: PortsOptions): void {
  let known: string | undefined;
  let rest = '';
  let onLine: (line: string) => void = () => undefined;
  const take = (chunk: string): void => {
    rest += chunk;
    for (let end = rest.indexOf('\n'); end >= 0 && known !== 'pipe'; end = rest.indexOf('\n')) {
      const line = rest.slice(0, end);
      rest = rest.slice(end + 1);
      if (known === 'sibling') onLine(line);
      else known = line.startsWith('PH1-SIBLING') ? 'sibling' : 'pipe';
      if (line.startsWith('PH1-SIBLING')) {
        onSibling?.({ send: (text) => socket.write(`${text}\n`, 'latin1'), onLine: (listener) => (onLine = listener) });
      }
    }
    if (known === 'pipe' && manner === 'repeat') socket.write(Buffer.from(rest, 'latin1'));
    if (known === 'pipe') rest = '';
  };
  socket.on('data', (chunk) => take(chunk.toString('latin1'))).on('end', () => socket.end());
}

async function openUdp(options: PortsOptions): Promise<{ readonly host: string; readonly stop: () => Promise<void> }> {
  const socket = createSocket('udp4');
  socket.on('message', (bytes, { port, address }) => {
    for (const answer of udpAnswers(bytes, options)) socket.send(answer, port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port }: AddressInfo = socket.address();
  return {
    host: `127.0.0.1:${String(port)}`,
    stop: () => new Promise<void>((resolve) => void socket.close(() => resolve())),
  };
}

const ASSOC = { start: 4, end: 12 } as const;

function udpAnswers(bytes: Buffer, { manner, keysOf }: PortsOptions): readonly Buffer[] {
  if (manner === 'echo') return [bytes];
  if (manner === 'constant') return [Buffer.from('constant')];
  const assoc = bytes.subarray(ASSOC.start, ASSOC.end);
  if (manner === 'refuse') {
    const refusal = { type: TYPES.CLOSE, assoc, seq: 1, payload: Buffer.from([0x0f, 0xa1]) };
    return [encodeUdp(refusal, Buffer.alloc(32))];
  }
  const keys = manner === 'accept' || manner === 'repeat' ? keysOf?.(assoc.toString('base64url')) : undefined;
  const datagram = keys === undefined ? undefined : decodeUdp(bytes, keys.c2s);
  if (keys === undefined || datagram === undefined || typeof datagram === 'string') return [];
  return obliging(datagram, manner).map((answer) => encodeUdp(answer, keys.s2c));
}

/** An opening by the book, pongs, and messages back to whoever sent them (udp.md). */
function obliging({ type, assoc, seq, payload }: UdpDatagram, manner: Manner): readonly UdpDatagram[] {
  if (type === TYPES.OPEN) return [{ type: TYPES.CHALLENGE, assoc, seq, payload: Buffer.alloc(16, 7) }];
  if (type === TYPES.RESPONSE) return [{ type: TYPES.PONG, assoc, seq, payload: Buffer.alloc(0) }];
  if (type === TYPES.PING) return [{ type: TYPES.PONG, assoc, seq, payload }];
  return manner === 'repeat' && kindOfType(type) !== undefined ? [{ type, assoc, seq, payload }] : [];
}
