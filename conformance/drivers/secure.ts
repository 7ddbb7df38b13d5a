import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { connect } from 'node:tls';
import type { TlsSettings } from './connect.js';
import { identityOf } from './connect.js';

/** A connection whose end can be told from the end of the TLS in it. */
class Wire extends Duplex {
  readonly #raw: Socket;
  /** The other side has ended it, in whatever way. */
  over = false;

  constructor(raw: Socket) {
    super({ allowHalfOpen: true });
    this.#raw = raw;
    raw.on('data', (bytes: Buffer) => {
      if (!this.push(bytes)) raw.pause();
    });
    raw.once('end', () => {
      this.push(null);
    });
    raw.once('error', (error) => this.destroy(error));
    raw.once('close', () => this.destroy());
    this.once('end', () => {
      this.over = true;
    });
  }

  override _read(): void {
    this.#raw.resume();
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#raw.write(bytes, done);
  }

  override _final(done: () => void): void {
    this.#raw.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#raw.destroy();
    done(error);
  }
}

/**
 * The client's side of TLS over a connection. An end without a close_notify is an error of it, `TRUNCATED`, and no end:
 * node:tls tells both alike.
 */
export function secureOver(raw: Socket, host: string, settings: TlsSettings = {}): TLSSocket {
  const wire = new Wire(raw);
  const secure = connect({ host, ...identityOf(host, settings), socket: wire });
  const push = secure.push.bind(secure);
  secure.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    if (chunk !== null || !wire.over) return push(chunk, encoding);
    secure.destroy(Object.assign(new Error('no close_notify'), { code: 'TRUNCATED' }));
    return false;
  };
  return secure;
}
