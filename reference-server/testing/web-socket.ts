import type { Duplex } from 'node:stream';
import { type Answer, type Ask, requestText, readAnswer } from './http.js';
import { Incoming } from './bytes.js';

export interface Frame {
  readonly fin?: boolean;
  /** Reserved bits, as three bits. */
  readonly reserved?: number;
  readonly opcode: number;
  readonly payload?: Buffer;
  readonly masked?: boolean;
  /** Another length than that of the payload. */
  readonly claims?: bigint;
}

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/** A frame as a client sends it (RFC 6455, section 5.2), right or wrong. */
export function frame({
  fin = true,
  reserved = 0,
  opcode,
  payload = Buffer.alloc(0),
  masked = true,
  claims,
}: Frame): Buffer {
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  const bit = masked ? 0x80 : 0;
  const length = claims ?? BigInt(payload.length);
  const head = Buffer.alloc(length < 126n ? 2 : length < 65536n ? 4 : 10);
  head[0] = first;
  if (length < 126n) head[1] = bit | Number(length);
  else if (length < 65536n) {
    head[1] = bit | 126;
    head.writeUInt16BE(Number(length), 2);
  } else {
    head[1] = bit | 127;
    head.writeBigUInt64BE(length, 2);
  }
  if (!masked) return Buffer.concat([head, payload]);
  return Buffer.concat([head, MASK, payload.map((byte, index) => byte ^ (MASK[index % 4] ?? 0))]);
}

export function closeFrame(code: number | null, reason = ''): Buffer {
  const payload = Buffer.from(code === null ? '' : `xx${reason}`);
  if (code !== null) payload.writeUInt16BE(code);
  return frame({ opcode: OPCODE.close, payload });
}

export interface Received {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** A WebSocket client of a few lines, which does what a test says and nothing else. */
export class WebSocketClient {
  readonly socket: Duplex;
  readonly #incoming: Incoming;

  private constructor(socket: Duplex, incoming: Incoming) {
    this.socket = socket;
    this.#incoming = incoming;
  }

  /** The handshake; the answer instead where it is refused. */
  static async open(socket: Duplex, ask: Ask & { behind?: Buffer }): Promise<WebSocketClient | Answer> {
    const incoming = new Incoming(socket);
    const { behind = Buffer.alloc(0), ...asked } = ask;
    const headers = {
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...asked.headers,
    };
    socket.write(Buffer.concat([Buffer.from(requestText({ ...asked, headers }), 'latin1'), behind]));
    const answer = await readAnswer(incoming);
    return answer.status === 101 ? new WebSocketClient(socket, incoming) : answer;
  }

  send(...frames: readonly (Frame | Buffer)[]): void {
    this.socket.write(Buffer.concat(frames.map((each) => (Buffer.isBuffer(each) ? each : frame(each)))));
  }

  text(text: string): void {
    this.send({ opcode: OPCODE.text, payload: Buffer.from(text) });
  }

  /** A JSON-RPC call. */
  call(id: string | number, method: string, params: object = {}): void {
    this.text(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
  }

  /** The next frame; null where the connection ends without one. Frames of a server are never masked or reserved. */
  async next(): Promise<Received | null> {
    const head = await this.#incoming.take(2);
    if (!head) return null;
    const [first = 0, second = 0] = head;
    if ((second & 0x80) !== 0 || (first & 0x70) !== 0 || (first & 0x80) === 0)
      throw new Error('not a frame of a server');
    let length = BigInt(second);
    if (second === 126) length = BigInt((await this.#incoming.take(2))?.readUInt16BE() ?? 0);
    if (second === 127) length = (await this.#incoming.take(8))?.readBigUInt64BE() ?? 0n;
    const payload = await this.#incoming.take(Number(length));
    return payload && { opcode: first & 0x0f, payload };
  }

  /** So many messages, with pings answered on the way. */
  async messages(count: number): Promise<Received[]> {
    const got: Received[] = [];
    while (got.length < count) {
      const next = await this.next();
      if (!next || next.opcode === OPCODE.close) throw new Error(`the connection ended after ${String(got.length)}`);
      if (next.opcode === OPCODE.ping) this.send({ opcode: OPCODE.pong, payload: next.payload });
      else if (next.opcode !== OPCODE.pong) got.push(next);
    }
    return got;
  }

  async json(): Promise<Record<string, unknown>> {
    const [message] = await this.messages(1);
    return JSON.parse(String(message?.payload)) as Record<string, unknown>;
  }

  /**
   * Reads to the end; says with which code the server closed, null where it closed with none, and undefined where the
   * connection just ended. A close frame is answered, as a client has to.
   */
  async closed({ answer = true } = {}): Promise<number | null | undefined> {
    let code: number | null | undefined;
    for (let next = await this.next(); next; next = await this.next()) {
      if (next.opcode !== OPCODE.close) continue;
      code = next.payload.length < 2 ? null : next.payload.readUInt16BE();
      if (answer) this.send(closeFrame(code));
    }
    this.socket.end();
    return code;
  }

  /** Breaks the connection off. */
  cut(): void {
    if ('resetAndDestroy' in this.socket) (this.socket as Duplex & { resetAndDestroy(): void }).resetAndDestroy();
    else this.socket.destroy();
  }
}
