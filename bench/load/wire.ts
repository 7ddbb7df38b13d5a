import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import type { Line } from './dialect.js';

/** All sockets read into this one buffer: what comes is looked at, or copied, before anything else is read. */
const CHUNK = Buffer.allocUnsafe(256 * 1024);

/** A bare TCP connection that costs the load generator as little as can be. */
export class Wire implements Line {
  readonly #socket: Socket;
  #take: (bytes: Buffer) => void;
  #kept: Buffer = Buffer.alloc(0);
  #over = false;
  #ended: Error | null = null;
  #failed: (error: Error) => void = () => undefined;

  private constructor(port: number) {
    this.#take = (bytes) => this.#keep(bytes);
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: CHUNK,
        callback: (length) => {
          this.#take(CHUNK.subarray(0, length));
          return true;
        },
      },
    });
  }

  /** Connects to a port of loopback. */
  static async open(port: number): Promise<Wire> {
    const wire = new Wire(port);
    await once(wire.#socket, 'connect');
    wire.#socket.on('error', (error) => wire.#end(error));
    wire.#socket.on('close', () => wire.#end(new Error('the server hung up')));
    return wire;
  }

  write(bytes: Buffer | string): void {
    this.#socket.write(bytes);
  }

  /**
   * Waits until `length` finds something whole at the beginning of what has come, and takes that away.
   *
   * @param length - Bytes of the first whole thing, or a negative number while there is none.
   */
  async next(length: (bytes: Buffer) => number): Promise<Buffer> {
    for (;;) {
      const end = length(this.#kept);
      if (end >= 0) {
        const whole = this.#kept.subarray(0, end);
        this.#kept = this.#kept.subarray(end);
        return whole;
      }
      if (this.#ended) throw this.#ended;
      await this.#more();
    }
  }

  /** From now on everything goes to `take`, which must not hold on to it. */
  follow(take: (bytes: Buffer) => void): void {
    this.#take = take;
    this.#failed = (error) => {
      throw error;
    };
    if (this.#kept.length > 0) take(this.#kept);
    this.#kept = Buffer.alloc(0);
  }

  /** Cuts the connection so that it leaves nothing behind, no TIME_WAIT either. */
  cut(): void {
    this.#over = true;
    this.#socket.resetAndDestroy();
  }

  #keep(bytes: Buffer): void {
    this.#kept = Buffer.concat([this.#kept, bytes]);
  }

  #more(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#failed = reject;
      this.#take = (bytes) => {
        this.#keep(bytes);
        this.#take = (more) => this.#keep(more);
        resolve();
      };
    });
  }

  #end(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#ended = error;
    this.#failed(error);
  }
}
