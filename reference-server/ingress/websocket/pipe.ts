import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import { BatchWriter } from '../../../support/batch-writer.js';
import { errors } from '../../../generated/errors.js';
import type { EndCause } from '../../../generated/types.js';
import type { Cancel, Clock } from '../../ports/clock.js';
import type { Batch } from '../../ports/message.js';
import type { Backlog, PipeSink, PipeSource } from '../../ports/pipe.js';
import { CLOSE_CODES, causeOfError } from './causes.js';
import { encodeFrames } from './frames.js';
import { Unfinished } from './unfinished.js';

interface PipeParts {
  readonly webSocket: WebSocket;
  readonly socket: Duplex;
  readonly clock: Clock;
  readonly keepaliveMs: number;
  readonly hardMessageBytes: number;
}

/**
 * An open WebSocket as a pipe. The library parses and keeps the handshake and control frames; data frames are written
 * to the socket here, because a batch is framed once for all members and leaves in one write.
 */
export class WebSocketPipe implements PipeSink {
  readonly transport = 'websocket';
  readonly #webSocket: WebSocket;
  readonly #socket: Duplex;
  readonly #parts: PipeParts;
  readonly #writer: BatchWriter;
  #source: PipeSource | null = null;
  #reading = true;
  #heard: number;
  #pinged = false;
  #closing = false;
  #cause: EndCause = 'lost';
  #stopPings: Cancel = () => undefined;

  constructor(parts: PipeParts) {
    this.#parts = parts;
    this.#webSocket = parts.webSocket;
    this.#socket = parts.socket;
    this.#writer = new BatchWriter(parts.socket, () => this.#source?.drained());
    this.#heard = parts.clock.now();
  }

  get writable(): boolean {
    return this.#webSocket.readyState === WebSocket.OPEN;
  }

  get ready(): boolean {
    return this.#writer.ready;
  }

  /** Starts to report to the router. */
  attach(source: PipeSource): void {
    this.#source = source;
    const ws = this.#webSocket;
    const unfinished = new Unfinished(this.#parts.hardMessageBytes);
    this.#socket.on('data', (chunk: Buffer) => {
      this.#heard = this.#parts.clock.now();
      this.#pinged = false;
      if (this.#socket.destroyed) return; // the library has cut it off, and will say so
      // The library has parsed the bytes by now, and says nothing of a close frame before the connection is gone.
      if (!this.writable && !this.#closing) source.ended('closed_by_peer');
      else if (unfinished.over(chunk)) this.#end(source, 'message_too_long');
    });
    ws.on('ping', (data) => unfinished.control(data)).on('pong', (data) => unfinished.control(data));
    ws.on('message', (data, isBinary) => {
      unfinished.message();
      source.receive(isBinary ? 'binary' : 'text', data as Buffer);
    });
    ws.on('error', (error) => {
      this.#closing = true;
      this.#cause = causeOfError(error);
      source.ended(this.#cause);
    });
    ws.on('close', (code) => {
      this.#stopPings();
      const asked = this.#cause === 'lost' && code !== 1006;
      source.ended(asked ? 'closed_by_peer' : this.#cause);
    });
    this.#keepAlive(source, this.#parts.keepaliveMs);
  }

  deliver(batch: Batch): void {
    const buffers = batch.encoding('websocket', encodeFrames);
    this.#writer.write(buffers, { messages: batch.messages.length, bytes: batch.bytes });
  }

  backlog(): Backlog {
    return this.#writer.backlog;
  }

  reading(on: boolean): void {
    this.#reading = on;
    this.#heard = this.#parts.clock.now(); // who is not listened to is not silent
    if (on) this.#webSocket.resume();
    else this.#webSocket.pause();
  }

  close(cause: EndCause): void {
    this.#cause = cause;
    this.#closing = true;
    if (!this.#reading) this.#webSocket.resume(); // for the answer to the close frame
    const code = CLOSE_CODES[cause];
    if (code === null) this.#webSocket.terminate();
    else this.#webSocket.close(code, cause in errors ? cause : '');
  }

  /** Ends the connection for a reason of the transport's own. */
  #end(source: PipeSource, cause: EndCause): void {
    if (this.#closing) return;
    source.ended(cause);
    this.close(cause);
  }

  /** Pings keep middleboxes from forgetting the connection and find peers that are gone; pipe data is never used. */
  #keepAlive(source: PipeSource, ms: number): void {
    const { clock, keepaliveMs } = this.#parts;
    this.#stopPings = clock.after(ms, () => {
      const left = this.#heard + keepaliveMs - clock.now();
      if (!this.#reading) this.#keepAlive(source, keepaliveMs);
      else if (left > 0) this.#keepAlive(source, left);
      else if (this.#pinged) this.#end(source, 'timeout');
      else {
        this.#pinged = true;
        this.#webSocket.ping();
        this.#keepAlive(source, keepaliveMs);
      }
    });
  }
}
