import type { EndCause, Framing } from '../../../generated/types.js';
import { BatchWriter } from '../../../support/batch-writer.js';
import type { Cancel, Clock } from '../../ports/clock.js';
import type { Batch, Message } from '../../ports/message.js';
import type { Backlog, PipeSink, PipeSource, Unit } from '../../ports/pipe.js';
import type { ByteSocket } from '../../ports/sockets.js';
import { type Decoder, type Fault, decoderFor } from './decoder.js';
import { carries, encode } from './encode.js';

/** How long a client may take to end its direction when the server has ended the other. */
const PATIENCE_MS = 2000;

/** Causes for which a connection ends in order (TCP-20); for the others it is broken off. */
const IN_ORDER: ReadonlySet<EndCause> = new Set([
  'closed_by_peer',
  'closed_by_session',
  'stream_ended',
  'replaced',
  'draining',
  'room_closed',
]);

interface PipeParts {
  readonly socket: ByteSocket;
  readonly framing: Framing;
  readonly clock: Clock;
  readonly hardMessageBytes: number;
  readonly keepaliveMs: number;
  /** What finds messages, where it is not just that of the framing. */
  readonly decoder?: Decoder;
}

/** A TCP connection as a pipe, from behind its preamble on. */
export class TcpPipe implements PipeSink {
  readonly transport = 'tcp';
  readonly framing: Framing;
  readonly unit: Unit;
  /** Only framings that cannot carry everything look at each message. */
  readonly carries?: (message: Pick<Message, 'payload'>) => boolean;
  readonly #socket: ByteSocket;
  readonly #parts: PipeParts;
  readonly #decoder: Decoder;
  readonly #writer: BatchWriter;
  #source: PipeSource | null = null;
  #reading = true;
  #held = false;
  #closing = false;
  #cause: EndCause = 'lost';
  #cancel: Cancel = () => undefined;

  constructor(parts: PipeParts) {
    const { socket, framing, hardMessageBytes } = parts;
    this.#parts = parts;
    this.#socket = socket;
    this.#writer = new BatchWriter(socket.stream, () => this.#source?.drained());
    this.framing = framing;
    this.unit = framing === 'raw' ? 'byte' : 'msg';
    this.#decoder = parts.decoder ?? decoderFor(framing, hardMessageBytes);
    if (framing !== 'raw') this.carries = (message) => carries(framing, message);
  }

  get writable(): boolean {
    return !this.#closing && !this.#socket.stream.destroyed;
  }

  get ready(): boolean {
    return this.#writer.ready;
  }

  /** Starts to report to the router, beginning with what has come behind the preamble. */
  attach(source: PipeSource, rest: Buffer): void {
    this.#source = source;
    const { stream } = this.#socket;
    stream.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ETIMEDOUT' && !this.#closing) this.#cause = 'timeout';
    });
    stream.once('close', () => {
      this.#cancel();
      this.#closing = true;
      source.ended(this.#cause);
    });
    if (stream.destroyed) return; // which it will say
    if (rest.length > 0) this.#take(source, rest);
    stream.on('data', (chunk: Buffer) => this.#take(source, chunk));
    stream.once('end', () => this.#endOfSending(source));
    this.#flow();
  }

  deliver(batch: Batch): void {
    const buffers = batch.encoding(`tcp:${this.framing}`, (messages) => encode(this.framing, messages));
    if (buffers.length === 0) return; // messages without a byte
    this.#writer.write(buffers, { messages: batch.messages.length, bytes: batch.bytes });
  }

  backlog(): Backlog {
    return this.#writer.backlog;
  }

  reading(on: boolean): void {
    this.#reading = on;
    this.#flow();
  }

  /** Leaves off reading for a reason of the transport's own, or goes on as far as the router wants it. */
  hold(on: boolean): void {
    this.#held = on;
    this.#flow();
  }

  #flow(): void {
    const { stream } = this.#socket;
    if (this.#closing || (this.#reading && !this.#held)) stream.resume();
    else stream.pause();
  }

  breaksOff(cause: EndCause): boolean {
    return !IN_ORDER.has(cause);
  }

  /** Ends in order, or breaks off, as the cause says; what still comes is read and forgotten. */
  close(cause: EndCause): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#cause = cause;
    const { stream } = this.#socket;
    if (this.breaksOff(cause)) {
      this.#socket.reset();
      return;
    }
    stream.end();
    stream.resume(); // a connection that is closed over unread bytes is broken off by the system
    this.#cancel();
    this.#cancel = this.#parts.clock.after(PATIENCE_MS, () => void stream.destroy());
  }

  #take(source: PipeSource, chunk: Buffer): void {
    if (this.#closing) return;
    this.#settle(
      source,
      this.#decoder.push(chunk, (kind, payload) => source.receive(kind, payload)),
    );
  }

  #settle(source: PipeSource, fault: Fault | null | undefined): void {
    if (!fault) return;
    source.ended(fault);
    this.close(fault);
  }

  /**
   * Node tells a connection that was broken off behind some data as if it had ended in order. Writing nothing brings the
   * truth to light: on a connection that is gone it fails.
   */
  #endOfSending(source: PipeSource): void {
    this.#probe(() => {
      if (this.#closing) return;
      this.#keepAlive();
      const fault = this.#decoder.end?.((kind, payload) => source.receive(kind, payload));
      this.#settle(source, fault);
      if (!fault) source.sendingEnded(this.#decoder.unfinished);
    });
  }

  /** Calls `there` where the connection is not known to be gone; what waits to be written will find that out as well. */
  #probe(there: () => void): void {
    if (this.ready) this.#socket.stream.write('', (error) => !error && there());
    else there();
  }

  /** Of a connection that is not read from any more Node says nothing; the system's own keepalive would be in vain. */
  #keepAlive(): void {
    this.#cancel = this.#parts.clock.after(this.#parts.keepaliveMs, () => this.#probe(() => this.#keepAlive()));
  }
}
