import { Duplex } from 'node:stream';
import { type SecureContext, TLSSocket } from 'node:tls';
import type { Clock } from '../ports/clock.js';
import type { ByteListeners, ByteSocket } from '../ports/sockets.js';
import type { SecureSockets } from '../ports/tls.js';

/**
 * A connection as a plain stream: TLS then goes over any stream, a virtual one too, and hears of the end in an order
 * that can be told.
 */
class Wire extends Duplex {
  readonly #stream: Duplex;

  constructor(stream: Duplex) {
    super({ allowHalfOpen: true });
    this.#stream = stream;
    stream.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) stream.pause();
    });
    stream.once('end', () => this.push(null));
    stream.once('error', (error) => this.destroy(error));
    stream.once('close', () => this.destroy());
    stream.pause();
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#stream.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#stream.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#stream.destroy();
    done(error);
  }
}

/** The end of what is said inside has to have been said inside (RFC 8446, section 6.1). */
class TruncationError extends Error {
  constructor() {
    super('the connection ended without a close_notify');
  }
}

/** Makes an end that nobody announced a fault; `over` tells whether the connection under it has ended by itself. */
function refuseTruncation(secure: TLSSocket, over: () => boolean): void {
  const push = secure.push.bind(secure);
  secure.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    if (chunk !== null || !over()) return push(chunk, encoding);
    secure.destroy(new TruncationError());
    return false;
  };
}

/**
 * One side of TLS over any stream. An end that the other side did not announce inside is a fault of the stream.
 *
 * @param begin - makes it, over the stream that it is given.
 */
export function inside(stream: Duplex, begin: (wire: Duplex) => TLSSocket): TLSSocket {
  const wire = new Wire(stream);
  let over = false;
  wire.once('end', () => (over = true)); // before TLS hears of it
  const secure = begin(wire);
  refuseTruncation(secure, () => over);
  return secure;
}

/** TLS with the certificate and key of a context. */
export function secureSockets(context: SecureContext): SecureSockets {
  return {
    secure(socket: ByteSocket): ByteSocket {
      const begin = (wire: Duplex): TLSSocket => new TLSSocket(wire, { isServer: true, secureContext: context });
      const { local, remote } = socket;
      return { stream: inside(socket.stream, begin), local, remote, reset: () => socket.reset() };
    },
  };
}

/** How long a handshake may take. */
interface HandshakeTime {
  readonly clock: Clock;
  readonly ms: number;
}

/**
 * Listeners whose connections begin with TLS.
 *
 * @param handshake - a connection is accepted when it has come to the end of its handshake; without, it is at once, and
 * whoever accepts it sees to its time.
 */
export function secureListeners(
  listeners: ByteListeners,
  tls: SecureSockets,
  handshake?: HandshakeTime,
): ByteListeners {
  return {
    listen: (at, accept) =>
      listeners.listen(at, (socket) => {
        const inside = tls.secure(socket);
        if (handshake) shaken(inside, handshake, accept);
        else accept(inside);
      }),
  };
}

/** Waits for the end of a handshake, and closes what does not come to it. */
function shaken(socket: ByteSocket, { clock, ms }: HandshakeTime, accept: (socket: ByteSocket) => void): void {
  const { stream } = socket;
  const ignore = (): void => undefined; // its `close` follows
  const stop = clock.after(ms, () => void stream.destroy());
  stream.on('error', ignore).once('close', stop);
  stream.once('secure', () => {
    stop();
    accept(socket);
  });
}
