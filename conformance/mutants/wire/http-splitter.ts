import { ByteQueue } from '../../drivers/byte-queue.js';
import type { Framing, Head } from './http-head.js';
import { parseHead } from './http-head.js';

/** What a splitter hands on. `body` gets the bytes as they stood, chunk framing included; `blind` what is no HTTP. */
export interface HttpSink {
  readonly head: (head: Head) => Framing;
  readonly body: (raw: Buffer) => void;
  readonly end: () => void;
  readonly blind: (raw: Buffer) => void;
}

const MAX_HEAD_BYTES = 256 * 1024;
const LF = 0x0a;

type State = 'head' | 'length' | 'chunk-size' | 'chunk-data' | 'trailer' | 'close' | 'suspended' | 'blind';

/** Cuts one direction of an HTTP/1.1 connection into heads and bodies without changing a byte. */
export class HttpSplitter {
  readonly #bytes = new ByteQueue();
  readonly #sink: HttpSink;
  #state: State = 'head';
  #left = 0;

  constructor(sink: HttpSink) {
    this.#sink = sink;
  }

  /** Takes bytes from the connection. */
  push(chunk: Buffer): void {
    this.#bytes.push(chunk);
    this.#run();
  }

  /** Goes on after a `suspend`. */
  resume(): void {
    if (this.#state !== 'suspended') return;
    this.#state = 'head';
    this.#run();
  }

  /** The end of the connection: ends a body that lasts until then, and hands on what is left of a broken head. */
  finish(): void {
    const rest = this.#bytes.takeAll();
    if (rest.length > 0) this.#sink.blind(rest);
    if (this.#state === 'close') this.#sink.end();
    this.#state = 'blind';
  }

  /** Removes and returns what was not read yet, for another protocol to read. */
  takeRest(): Buffer {
    return this.#bytes.takeAll();
  }

  #run(): void {
    while (this.#bytes.length > 0 && this.#step());
  }

  /** One step; false when more bytes are needed. */
  #step(): boolean {
    switch (this.#state) {
      case 'head':
        return this.#readHead();
      case 'length':
      case 'chunk-data':
        return this.#readCounted();
      case 'chunk-size':
        return this.#readChunkSize();
      case 'trailer':
        return this.#readTrailer();
      case 'close':
        this.#sink.body(this.#bytes.takeAll());
        return false;
      case 'blind':
        this.#sink.blind(this.#bytes.takeAll());
        return false;
      case 'suspended':
        return false;
    }
  }

  #readHead(): boolean {
    const all = this.#bytes.peek(this.#bytes.length) ?? Buffer.alloc(0);
    const end = all.indexOf('\r\n\r\n');
    if (end < 0 && all.length <= MAX_HEAD_BYTES) return false;
    const raw = end < 0 ? undefined : this.#bytes.take(end + 4);
    const head = raw === undefined ? undefined : parseHead(raw);
    if (head !== undefined) this.#begin(this.#sink.head(head));
    else this.#goBlind(raw);
    return true;
  }

  #goBlind(raw: Buffer | undefined): void {
    this.#state = 'blind';
    if (raw !== undefined) this.#sink.blind(raw);
  }

  #begin(framing: Framing): void {
    if (framing.kind === 'none') return this.#sink.end();
    if (framing.kind === 'length' && framing.bytes === 0) return this.#sink.end();
    this.#left = framing.kind === 'length' ? framing.bytes : 0;
    const states = { length: 'length', chunked: 'chunk-size', close: 'close', suspend: 'suspended' } as const;
    this.#state = states[framing.kind];
  }

  #readCounted(): boolean {
    const part = this.#bytes.take(Math.min(this.#left, this.#bytes.length)) ?? Buffer.alloc(0);
    this.#left -= part.length;
    this.#sink.body(part);
    if (this.#left > 0) return false;
    if (this.#state === 'chunk-data') this.#state = 'chunk-size';
    else this.#endBody();
    return true;
  }

  #readChunkSize(): boolean {
    const line = this.#readLine();
    if (line === undefined) return false;
    this.#sink.body(line);
    const size = /^([0-9a-f]{1,8})[;\s]/i.exec(line.toString('latin1'))?.[1];
    if (size === undefined) this.#goBlind(undefined);
    else this.#state = parseInt(size, 16) === 0 ? 'trailer' : 'chunk-data';
    this.#left = size === undefined ? 0 : parseInt(size, 16) + 2;
    return true;
  }

  #readTrailer(): boolean {
    const line = this.#readLine();
    if (line === undefined) return false;
    this.#sink.body(line);
    if (line.toString('latin1').trim() === '') this.#endBody();
    return true;
  }

  #readLine(): Buffer | undefined {
    const end = this.#bytes.indexOf(LF);
    return end < 0 ? undefined : this.#bytes.take(end + 1);
  }

  #endBody(): void {
    this.#state = 'head';
    this.#sink.end();
  }
}

/** The content of a body in chunked coding (RFC 9112 §7.1), trailers dropped. */
export function decodeChunked(raw: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = raw.indexOf('\r\n', at);
    const size = lineEnd < 0 ? 0 : parseInt(raw.toString('latin1', at, lineEnd), 16);
    if (!(size > 0)) return Buffer.concat(parts);
    parts.push(raw.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}
