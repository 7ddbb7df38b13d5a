import type { Duplex } from 'node:stream';
import type { ByteSocket } from '../../ports/sockets.js';
import type { SecureSockets } from '../../ports/tls.js';
import { Lines } from './lines.js';

interface ControlParts {
  /** Lines have come, together. */
  readonly lines: (lines: readonly string[]) => void;
  /** Nothing more comes: the client has ended its direction, or the connection has broken. */
  readonly over: (how: 'ended' | 'broken') => void;
  /** What came is no line. */
  readonly violated: () => void;
}

/** A control connection: lines in, replies out, and TLS from the middle on where the client wants it. */
export class Control {
  readonly #parts: ControlParts;
  #socket: ByteSocket;
  #stream: Duplex;
  #lines = new Lines();
  #closing = false;
  /** Whether what is said can be heard: not in the middle of a handshake. */
  #audible = true;
  readonly #onData = (chunk: Buffer): void => this.#take(chunk);
  readonly #onEnd = (): void => this.#over('ended');
  readonly #onClose = (): void => this.#over('broken');

  constructor(socket: ByteSocket, parts: ControlParts) {
    this.#parts = parts;
    this.#socket = socket;
    this.#stream = socket.stream;
    this.#read();
  }

  get socket(): ByteSocket {
    return this.#socket;
  }

  /** Whether nothing can be said any more. */
  get closed(): boolean {
    return this.#closing || this.#stream.destroyed;
  }

  /** Whether a line has begun to come. */
  get unfinished(): boolean {
    return this.#lines.unfinished;
  }

  write(reply: string): void {
    if (!this.closed && reply !== '') this.#stream.write(reply);
  }

  /** Goes on inside TLS, behind a last reply in the clear. */
  secure(tls: SecureSockets, reply: string): void {
    this.#stream.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose).pause();
    this.#stream.write(reply);
    this.#socket = tls.secure(this.#socket);
    this.#stream = this.#socket.stream;
    this.#lines = new Lines();
    this.#audible = false;
    this.#stream.once('secure', () => (this.#audible = true));
    this.#read();
  }

  /** Says the last words and ends in order; what still comes is nobody's. */
  end(words: string): void {
    if (this.#closing) return;
    if (!this.#audible) {
      this.destroy();
      return;
    }
    this.write(words);
    this.#closing = true;
    this.#stream.end();
  }

  destroy(): void {
    this.#closing = true;
    this.#stream.destroy();
  }

  #read(): void {
    const stream = this.#stream;
    stream.on('error', () => undefined); // its close says the same
    stream.on('data', this.#onData).once('end', this.#onEnd).once('close', this.#onClose);
  }

  #take(chunk: Buffer): void {
    if (this.#closing) return;
    const lines = this.#lines.push(chunk);
    if (lines === null) this.#parts.violated();
    else if (lines.length > 0) this.#parts.lines(lines);
  }

  #over(how: 'ended' | 'broken'): void {
    if (how === 'ended' && this.#closing)
      this.#stream.destroy(); // both sides have said all
    else this.#parts.over(how);
  }
}
