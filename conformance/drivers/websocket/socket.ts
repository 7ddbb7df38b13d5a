import type { Socket } from 'node:net';
import type { Dialled } from '../connect.js';
import { dial, errorName, onAbort, targetOf } from '../connect.js';
import type { FrameToEncode } from './frame.js';
import { FrameParser, OPCODE, encodeFrame, randomMask } from './frame.js';
import type { Driver, MessageKind } from '../driver.js';
import type { FrameRecord } from './message.js';
import { MessageAssembler, NO_STATUS_RECEIVED, isSendableCloseCode } from './message.js';
import type { OpenOptions, OpenResult } from './opening.js';
import { shakeHands, upgradeOf } from './opening.js';
import { WriteAccount } from './write-account.js';

/**
 * What an observer is told, in the order of the wire. `eof` is the server's FIN (`unfinishedBytes` of a frame that never
 * became whole); `reset` is a connection that broke, `error` being such as ECONNRESET. One of the two is the last
 * record, unless the kit itself cut the connection: nothing follows a `cut`.
 */
export type WebSocketRecord =
  | FrameRecord
  | { readonly type: 'eof'; readonly unfinishedBytes: number }
  | { readonly type: 'reset'; readonly error: string };

/** Settings of a driver. `autoPong` and `autoClose` (answering pings and close frames) are on unless set to false. */
export interface WebSocketDriverOptions {
  readonly onRecord: (record: WebSocketRecord) => void;
  readonly autoPong?: boolean | undefined;
  readonly autoClose?: boolean | undefined;
  readonly maxMessageBytes?: number | undefined;
  readonly mask?: (() => Buffer) | undefined;
}

/** What to send as one frame: any field may be illegal. Masked by the driver's mask source unless `masked` is false. */
export interface RawFrame extends Omit<FrameToEncode, 'mask'> {
  readonly masked?: boolean | undefined;
}

/** A message to send, cut into `fragments` (default 1) frames of near equal size. JSON is sent as text. */
export interface OutgoingMessage {
  readonly kind: MessageKind;
  readonly payload: Buffer | string;
  readonly fragments?: number | undefined;
}

/** Where a driver stands in its one life. */
export type DriverState = 'idle' | 'opening' | 'open' | 'ended';

/**
 * One WebSocket connection of the kit, on node:net and codecs of its own. The observer is called synchronously for
 * every record from the first byte behind the 101 on, thus possibly before `open` resolves; nothing is lost or merged.
 * Sending never throws once opened: after the end it does nothing and returns false. A `false` from any sending method
 * means: await `written` before sending much more.
 */
export class WebSocketDriver implements Driver {
  readonly #options: WebSocketDriverOptions;
  readonly #parser: FrameParser;
  readonly #assembler: MessageAssembler;
  readonly #writes = new WriteAccount();
  #state: DriverState = 'idle';
  #connection: Dialled | undefined;
  #bytesReceived = 0;
  #held = false;
  #closeSent = false;
  #pumping = false;
  #brokenReported = false;
  #last: (() => WebSocketRecord) | undefined;

  constructor(options: WebSocketDriverOptions) {
    this.#options = options;
    this.#parser = new FrameParser({ maxPayloadBytes: options.maxMessageBytes });
    this.#assembler = new MessageAssembler((record) => {
      this.#observe(record);
    }, options.maxMessageBytes);
  }

  /** Bytes of the WebSocket stream received, that is behind the head of the 101; those held back count. */
  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  /** `idle` before `open`, `ended` after the connection's end, from whichever side, or a failed opening. */
  get state(): DriverState {
    return this.#state;
  }

  /** Connects and shakes hands, once per driver. Rejects only with the reason of an aborted `signal`. */
  open(options: OpenOptions): Promise<OpenResult> {
    if (this.#state !== 'idle') throw new Error('a driver opens once');
    return new Promise((resolve, reject) => {
      options.signal?.throwIfAborted();
      const upgrade = upgradeOf(options);
      const dialled = dial(targetOf(options.url), options.tls);
      this.#state = 'opening';
      this.#connection = dialled;
      const stopListening = onAbort(options.signal, (reason) => {
        this.cut();
        reject(reason);
      });
      shakeHands(dialled, upgrade, (result, rest) => {
        stopListening();
        if (result.type === 'opened') this.#begin(dialled.socket, rest);
        else this.#abandon(dialled.socket);
        resolve(result);
      });
    });
  }

  /** Sends a text message; a Buffer may hold bytes that are not UTF-8. */
  sendText(payload: string | Buffer, fragments = 1): boolean {
    return this.send({ kind: 'text', payload, fragments });
  }

  /** Sends a binary message. */
  sendBinary(payload: Buffer, fragments = 1): boolean {
    return this.send({ kind: 'binary', payload, fragments });
  }

  /** Sends one message in one write, cut into frames anywhere, also inside a UTF-8 sequence (RFC 6455 §5.4). */
  send({ kind, payload, fragments = 1 }: OutgoingMessage): boolean {
    const bytes = typeof payload === 'string' ? Buffer.from(payload, 'utf8') : payload;
    const frames = Array.from({ length: fragments }, (_, i) =>
      encodeFrame({
        fin: i === fragments - 1,
        opcode: i > 0 ? OPCODE.continuation : OPCODE[kind === 'binary' ? kind : 'text'],
        mask: this.#mask(),
        payload: bytes.subarray(cutAt(bytes, i, fragments), cutAt(bytes, i + 1, fragments)),
      }),
    );
    const [only] = frames;
    return this.sendRaw(frames.length === 1 && only !== undefined ? only : Buffer.concat(frames));
  }

  /** Sends one frame as described, legal or not. */
  sendFrame({ masked, ...frame }: RawFrame): boolean {
    return this.sendRaw(encodeFrame({ ...frame, mask: masked === false ? undefined : this.#mask() }));
  }

  /** Sends bytes as they are. */
  sendRaw(bytes: Buffer): boolean {
    if (this.#state === 'idle') throw new Error('the driver has not been opened');
    const socket = this.#connection?.socket;
    if (this.#state === 'open' && socket?.writable === true) return this.#writes.write(socket, bytes);
    this.#writes.lose();
    return false;
  }

  /** Sends a ping. */
  ping(payload: Buffer = Buffer.alloc(0)): boolean {
    return this.sendFrame({ opcode: OPCODE.ping, payload });
  }

  /** Sends a pong, which needs no ping before it (RFC 6455 §5.5.3). */
  pong(payload: Buffer = Buffer.alloc(0)): boolean {
    return this.sendFrame({ opcode: OPCODE.pong, payload });
  }

  /** Sends a close frame, empty without `code`; the server ends the connection. Any code is sent as given. */
  close(code?: number, reason = ''): boolean {
    const head = Buffer.alloc(code === undefined ? 0 : 2);
    if (code !== undefined) head.writeUInt16BE(code);
    this.#closeSent = true;
    return this.sendFrame({ opcode: OPCODE.close, payload: Buffer.concat([head, Buffer.from(reason, 'utf8')]) });
  }

  /** Ends the sending direction with FIN, without a close frame. */
  end(): void {
    this.#connection?.socket.end();
  }

  /**
   * Breaks the connection at once, with RST unless our FIN has gone out, and drops what is not yet written. It makes the
   * driver silent: no record follows. An opening is abandoned too.
   */
  cut(): void {
    this.#state = 'ended';
    this.#connection?.reset();
    this.#writes.end();
  }

  /** Stops reading, so that the server feels it. From inside the observer it takes effect behind the current frame. */
  pause(): void {
    this.#held = true;
    // Before the 101 the handshake still has to be read: `#begin` pauses then.
    if (this.#state === 'open') this.#connection?.socket.pause();
  }

  /** Reads on: first what was held back, synchronously. */
  resume(): void {
    this.#held = false;
    this.#pump();
    if (this.#reading()) this.#connection?.socket.resume();
  }

  /**
   * Resolves with true once the system has taken all bytes sent so far, with false if the connection ended before.
   * Rejects with the reason of an aborted `signal`.
   */
  written(signal?: AbortSignal): Promise<boolean> {
    return this.#writes.settled(signal);
  }

  #mask(): Buffer {
    return (this.#options.mask ?? randomMask)();
  }

  #abandon(socket: Socket): void {
    this.#state = 'ended';
    socket.destroy();
  }

  #begin(socket: Socket, rest: Buffer): void {
    this.#state = 'open';
    socket.on('data', (chunk: Buffer) => {
      this.#take(chunk);
    });
    socket.once('end', () => {
      this.#finish(() => ({ type: 'eof', unfinishedBytes: this.#parser.pendingBytes }));
    });
    socket.on('error', (error) => {
      this.#finish(() => ({ type: 'reset', error: errorName(error) }));
    });
    socket.once('close', () => {
      this.#writes.end();
    });
    if (this.#held) socket.pause();
    this.#take(rest);
  }

  #take(chunk: Buffer): void {
    this.#bytesReceived += chunk.length;
    this.#parser.push(chunk);
    this.#pump();
  }

  #pump(): void {
    // A `resume` from inside the observer must not overtake the records of the frame being reported.
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#reading()) {
      const frame = this.#parser.next();
      if (frame === undefined) break;
      this.#assembler.accept(frame);
    }
    this.#pumping = false;
    if (this.#reading()) this.#reportEnd();
  }

  #reading(): boolean {
    return this.#state === 'open' && !this.#held;
  }

  #finish(last: () => WebSocketRecord): void {
    this.#last ??= last;
    this.#pump();
  }

  #reportEnd(): void {
    const { broken, pendingBytes } = this.#parser;
    if (broken !== undefined && !this.#brokenReported) {
      this.#brokenReported = true;
      this.#observe({ type: 'violation', what: broken });
    }
    if (this.#last === undefined) return;
    if (this.#assembler.closed && pendingBytes > 0) this.#observe({ type: 'violation', what: 'data_after_close' });
    this.#observe(this.#last());
    this.#state = 'ended';
  }

  #observe(record: WebSocketRecord): void {
    if (this.#state !== 'open') return;
    this.#options.onRecord(record);
    if (record.type === 'ping' && this.#options.autoPong !== false && !this.#closeSent) this.pong(record.payload);
    if (record.type === 'close' && this.#options.autoClose !== false && !this.#closeSent)
      this.#answerClose(record.code);
  }

  #answerClose(code: number): void {
    if (code === NO_STATUS_RECEIVED) this.close();
    else this.close(isSendableCloseCode(code) ? code : 1002);
  }
}

/** Where part `index` of `count` begins. */
function cutAt(bytes: Buffer, index: number, count: number): number {
  return Math.floor((bytes.length * index) / count);
}
