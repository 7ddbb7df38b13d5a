import { createHash, createHmac } from 'node:crypto';
import { type Socket, createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Grant } from '../../../generated/types.js';
import type { Dialect, Line } from '../dialect.js';
import type { Parser } from '../parser.js';
import { Sessions } from './sessions.js';

const TYPE = { open: 1, challenge: 2, response: 3, pong: 5, binary: 17 } as const;
const HEADER_BYTES = 16;
const MAC_BYTES = 8;
/** In front of each message between here and the load generator: its length. No datagram has it. */
const LENGTH_BYTES = 2;

const hmac = (key: Buffer, ...parts: readonly Buffer[]): Buffer =>
  parts.reduce((mac, part) => mac.update(part), createHmac('sha256', key)).digest();

/** HKDF-SHA256 (RFC 5869) of one block, as the keys of both directions are made. */
export function keyOf({ siblingSecret, pipeTicket }: Pick<Grant, 'siblingSecret' | 'pipeTicket'>, way: string): Buffer {
  const salt = createHash('sha256').update(pipeTicket).digest();
  const secret = hmac(salt, Buffer.from(siblingSecret, 'base64url'));
  return hmac(secret, Buffer.from(`porthouse-udp-v1 ${way}`), Buffer.from([1]));
}

/** One datagram with its MAC. */
export function seal(key: Buffer, datagram: { type: number; assoc: Buffer; seq: number; payload: Buffer }): Buffer {
  const { type, assoc, seq, payload } = datagram;
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + payload.length + MAC_BYTES);
  bytes.write('PH\x01', 'latin1');
  bytes[3] = type;
  assoc.copy(bytes, 4);
  bytes.writeUInt32BE(seq, 12);
  payload.copy(bytes, HEADER_BYTES);
  const end = bytes.length - MAC_BYTES;
  hmac(key, bytes.subarray(0, end)).copy(bytes, end, 0, MAC_BYTES);
  return bytes;
}

/** A pipe over UDP. What is written is a length and a message, again and again; what comes is a message each time. */
class Association implements Line {
  readonly #socket: Socket;
  readonly #assoc: Buffer;
  readonly #mine: Buffer;
  readonly #theirs: Buffer;
  #controls = 0;
  #sent = 0;

  private constructor(grant: Grant, socket: Socket) {
    this.#socket = socket;
    this.#assoc = Buffer.from(grant.udpAssoc ?? '', 'base64url');
    this.#mine = keyOf(grant, 'c2s');
    this.#theirs = keyOf(grant, 's2c');
  }

  static async open(grant: Grant): Promise<Association> {
    const { hostname, port } = new URL(grant.endpoints.pipe);
    const socket = createSocket('udp4');
    socket.connect(Number(port), hostname);
    await once(socket, 'connect');
    const pipe = new Association(grant, socket);
    const cookie = await pipe.#ask(TYPE.open, TYPE.challenge);
    await pipe.#ask(TYPE.response, TYPE.pong, cookie);
    return pipe;
  }

  write(bytes: Buffer | string): void {
    if (typeof bytes === 'string') throw new Error('messages only');
    for (let at = 0; at < bytes.length;) {
      const start = at + LENGTH_BYTES;
      at = start + bytes.readUInt16BE(at);
      this.#send(TYPE.binary, ++this.#sent, bytes.subarray(start, at));
    }
  }

  follow(take: (bytes: Buffer) => void): void {
    this.#socket.on('message', (datagram) => {
      this.#check(datagram);
      if (datagram[3] === TYPE.binary) take(datagram.subarray(HEADER_BYTES, datagram.length - MAC_BYTES));
    });
  }

  /** Nothing is repeated: on loopback what is lost is lost for a reason that a benchmark should not hide. */
  async #ask(type: number, answer: number, payload: Buffer = Buffer.alloc(0)): Promise<Buffer> {
    this.#send(type, ++this.#controls, payload);
    const [datagram] = (await once(this.#socket, 'message')) as [Buffer];
    this.#check(datagram);
    if (datagram[3] !== answer) throw new Error(`${String(datagram[3])} for ${String(type)}`);
    return datagram.subarray(HEADER_BYTES, datagram.length - MAC_BYTES);
  }

  #send(type: number, seq: number, payload: Buffer): void {
    this.#socket.send(seal(this.#mine, { type, assoc: this.#assoc, seq, payload }));
  }

  #check(datagram: Buffer): void {
    const end = datagram.length - MAC_BYTES;
    const mac = hmac(this.#theirs, datagram.subarray(0, end));
    if (mac.compare(datagram, end, datagram.length, 0, MAC_BYTES) !== 0) throw new Error('a wrong MAC');
  }
}

/** A chunk is one message. */
export class WholeParser implements Parser {
  start = -1;
  end = -1;

  next(bytes: Buffer, at: number): number {
    this.start = at;
    this.end = bytes.length;
    return at < bytes.length ? bytes.length : -1;
  }
}

/** Porthouse over UDP. */
export const porthouseUdp: Dialect = {
  parser: new WholeParser(),
  frame(payload) {
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt16BE(payload.length);
    return { bytes: Buffer.concat([length, payload]), payloadAt: LENGTH_BYTES, mask: null };
  },
  async start(url) {
    const sessions = await Sessions.of(url);
    return async () => Association.open(await sessions.grant({ transport: 'udp' }));
  },
};
