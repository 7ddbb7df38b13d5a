import type { Cancel, Clock } from '../../ports/clock.js';
import type { ByteSocket } from '../../ports/sockets.js';

/** All of it, or why there is no more. */
export type UploadEnd = { readonly payload: Buffer } | 'broken' | 'too_long';

const NOTHING = Buffer.alloc(0);

interface UploadParts {
  readonly socket: ByteSocket;
  /** Most bytes that are kept. */
  readonly most: number;
  readonly clock: Clock;
  /** How long it may stand still. */
  readonly ms: number;
  /** Where bytes go as they come, instead of being kept. */
  readonly flow?: (chunk: Buffer) => void;
}

/** What a client sends on a data connection: whole when it has ended in order, and otherwise nothing (FTP-16). */
export class Upload {
  readonly end: Promise<UploadEnd>;
  readonly #parts: UploadParts;
  readonly #chunks: Buffer[] = [];
  /** How much has come. */
  bytes = 0;
  #reading = true;
  #stopTimer: Cancel = () => undefined;
  #settle: (end: UploadEnd) => void = () => undefined;

  constructor(parts: UploadParts, reading: boolean) {
    this.#parts = parts;
    this.end = new Promise((resolve) => (this.#settle = resolve));
    const { stream } = parts.socket;
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.once('end', () => {
      // A reset right behind data can look like an end in order. To write nothing shows whether there is a connection.
      stream.write(NOTHING, (error) => {
        if (error) return; // its close says the rest
        stream.end();
        this.#over({ payload: Buffer.concat(this.#chunks) });
      });
    });
    stream.once('close', () => this.#over('broken'));
    if (stream.destroyed) this.#over('broken');
    this.reading(reading);
  }

  /** Whoever is not read from does not stand still. */
  reading(on: boolean): void {
    this.#reading = on;
    if (on) this.#parts.socket.stream.resume();
    else this.#parts.socket.stream.pause();
    this.#watch();
  }

  /** Breaks it off. */
  abort(): void {
    this.#over('broken');
    this.#parts.socket.reset();
  }

  #take(chunk: Buffer): void {
    const { most, flow, socket } = this.#parts;
    this.#watch();
    this.bytes += chunk.length;
    if (flow) flow(chunk);
    else if (this.bytes <= most) this.#chunks.push(chunk);
    else {
      this.#over('too_long');
      socket.reset();
    }
  }

  #watch(): void {
    this.#stopTimer();
    const { clock, ms } = this.#parts;
    this.#stopTimer = this.#reading ? clock.after(ms, () => this.abort()) : () => undefined;
  }

  #over(end: UploadEnd): void {
    this.#stopTimer();
    this.#reading = false;
    this.#settle(end);
  }
}
