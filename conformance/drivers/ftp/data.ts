import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { resetTcp } from '../connect.js';

/** One data connection, for one transfer. */
export class DataConnection {
  readonly #socket: Socket;
  readonly #chunks: Buffer[] = [];
  /** Everything that came, once the other side has ended in order; undefined where it broke off. */
  readonly whole: Promise<Buffer | undefined>;

  constructor(host: string, port: number) {
    this.#socket = connect({ host, port, noDelay: true, allowHalfOpen: true });
    this.#socket.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    this.#socket.on('error', () => undefined); // its close says the same
    this.whole = new Promise((resolve) => {
      this.#socket.once('end', () => {
        resolve(Buffer.concat(this.#chunks));
        this.#socket.end();
      });
      this.#socket.once('close', () => resolve(undefined));
    });
  }

  /** Sends all of an upload, whose end is that of the kit's direction. */
  upload(payload: Buffer): void {
    this.#socket.end(payload);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  cut(): void {
    resetTcp(this.#socket, this.#socket.writableEnded);
  }
}
