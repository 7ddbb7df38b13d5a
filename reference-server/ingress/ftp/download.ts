import type { Duplex } from 'node:stream';
import type { Cancel, Clock } from '../../ports/clock.js';
import type { Batch } from '../../ports/message.js';
import type { Backlog } from '../../ports/pipe.js';
import type { ByteSocket } from '../../ports/sockets.js';

/** A transfer is looked at this often whether it moves. */
const SLICE_BYTES = 64 * 1024;

interface DownloadParts {
  readonly socket: ByteSocket;
  readonly clock: Clock;
  /** How long it may stand still. */
  readonly ms: number;
  /**
   * Where the client's end is seen, if it has to say by it that it has taken all: the connection itself, as few clients
   * end with a close_notify when there is nothing more to lose. Without, what the system has taken has been sent.
   */
  readonly wire?: Duplex;
}

/** Sends bytes and ends the connection; resolves with whether they were all taken (FTP-44). */
export class Download {
  readonly done: Promise<boolean>;
  readonly #parts: DownloadParts;
  #settle: (whole: boolean) => void = () => undefined;
  #settled = false;
  #stopTimer: Cancel = () => undefined;

  constructor(parts: DownloadParts, bytes: Buffer) {
    this.#parts = parts;
    this.done = new Promise((resolve) => (this.#settle = resolve));
    const { stream } = parts.socket;
    stream.resume(); // what comes the other way is nobody's
    const { wire } = parts;
    if (wire) {
      for (const side of new Set([stream, wire])) side.once('end', () => this.#answered());
      stream.once('finish', () => this.#watch());
    } else stream.once('finish', () => this.#over(true));
    stream.once('close', () => this.#over(false));
    this.#watch();
    if (stream.destroyed) this.#over(false);
    for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
      stream.write(bytes.subarray(at, at + SLICE_BYTES), () => this.#watch());
    }
    stream.end();
  }

  abort(): void {
    this.#over(false);
    this.#parts.socket.reset();
  }

  /** The client has ended its direction: in answer to the server's end, or before there was one. */
  #answered(): void {
    if (this.#parts.socket.stream.writableLength === 0) this.#over(true);
    else this.abort();
  }

  #watch(): void {
    if (this.#settled) return;
    this.#stopTimer();
    this.#stopTimer = this.#parts.clock.after(this.#parts.ms, () => this.abort());
  }

  #over(whole: boolean): void {
    this.#settled = true;
    this.#settle(whole);
    this.#stopTimer();
  }
}

/** A stream that goes on until one of the two sides ends it. */
export class LiveDownload {
  /** Resolves with whether everything that was written was taken. */
  readonly done: Promise<boolean>;
  readonly #parts: DownloadParts;
  readonly #drained: () => void;
  #settle: (whole: boolean) => void = () => undefined;
  #messages = 0;
  #bytes = 0;

  constructor(parts: DownloadParts, drained: () => void) {
    this.#parts = parts;
    this.#drained = drained;
    this.done = new Promise((resolve) => (this.#settle = resolve));
    const { stream } = parts.socket;
    stream.once('end', () => this.end()).once('finish', () => this.#settle(true));
    stream.once('close', () => this.#settle(false)).resume();
    if (stream.destroyed) this.#settle(false);
  }

  get ready(): boolean {
    const { stream } = this.#parts.socket;
    return stream.writable && stream.writableLength === 0;
  }

  deliver({ messages, bytes }: Batch): void {
    const { stream } = this.#parts.socket;
    this.#messages += messages.length;
    this.#bytes += bytes;
    if (!stream.writable) return; // it is lost, and stays in the backlog
    const taken = (error?: Error | null): void => {
      if (error) return;
      this.#messages -= messages.length;
      this.#bytes -= bytes;
      if (this.ready) this.#drained();
    };
    stream.cork();
    messages.forEach(({ payload }, index) => {
      if (index < messages.length - 1) stream.write(payload);
      else stream.write(payload, taken);
    });
    stream.uncork();
  }

  get backlog(): Backlog {
    const { stream } = this.#parts.socket;
    if (stream.writable && stream.writableLength === 0) return { messages: 0, bytes: 0 };
    return { messages: this.#messages, bytes: this.#bytes };
  }

  /** Ends it in order: what is written goes out, if its reader takes it in time. */
  end(): void {
    const { socket, clock, ms } = this.#parts;
    if (socket.stream.writableEnded) return;
    const stop = clock.after(ms, () => socket.reset());
    void this.done.then(stop);
    socket.stream.end();
  }
}
