import { isUtf8 } from 'node:buffer';
import type { ErrorName } from '../../generated/errors.js';
import type { Clock } from '../ports/clock.js';
import type { ByteSocket } from '../ports/sockets.js';
import { type ConnectionWire, SiblingConnection, type SiblingServices } from './connection.js';
import { eventText } from './rpc.js';

const LF = 0x0a;

/** How long a client may take to end its direction when the server has ended the other. */
const PATIENCE_MS = 2000;

interface Ends {
  readonly clock: Clock;
  /** A word has left. */
  readonly drained: () => void;
  /** The session, once there is one. */
  readonly sid: () => string | undefined;
}

function wireOver(socket: ByteSocket, { clock, drained, sid }: Ends): ConnectionWire {
  const { stream } = socket;
  const close = (name: ErrorName): void => {
    const bound = sid();
    const said = { ...(bound !== undefined && { sid: bound }), error: { name } };
    // A takeover has been told already (BIND-11).
    stream.end(name === 'replaced' ? '' : `${eventText('sibling.closing', said)}\n`); // TCP-24
    stream.resume(); // a connection that is closed over unread bytes may take the last word with it
    const stop = clock.after(PATIENCE_MS, () => void stream.destroy());
    stream.once('close', stop);
  };
  return {
    get queued() {
      return stream.writableLength;
    },
    send: (text) => stream.write(`${text}\n`, drained),
    reading: (on) => (on ? stream.resume() : stream.pause()),
    close,
    refuse: close,
    cut: () => socket.reset(),
  };
}

/** Sibling sockets over TCP: one line is one JSON text (TCP-22). */
export class SiblingLines {
  readonly #services: SiblingServices;
  readonly #connections = new Set<SiblingConnection>();

  constructor(services: SiblingServices) {
    this.#services = services;
  }

  /** A connection that has said that it is a sibling, and what has come behind that. */
  serve(socket: ByteSocket, rest: Buffer): void {
    const { stream } = socket;
    let connection: SiblingConnection | null = null;
    const wire = wireOver(socket, {
      clock: this.#services.clock,
      drained: () => connection?.drained(),
      sid: () => connection?.sid,
    });
    const served = new SiblingConnection(this.#services, wire);
    connection = served;
    this.#connections.add(served);
    const lines = new Lines(served);
    stream.on('data', (chunk: Buffer) => lines.take(chunk));
    stream.once('end', () => served.finish(() => stream.end())); // TCP-26
    stream.once('close', () => {
      served.ended();
      this.#connections.delete(served);
    });
    lines.take(rest);
    if (served.listening) stream.resume();
  }

  /** Closes those that belong to no session; the others are told by theirs. */
  drain(): void {
    for (const connection of this.#connections) connection.drain();
  }
}

/** Cuts what comes into lines. */
class Lines {
  readonly #connection: SiblingConnection;
  #begun: Buffer[] = [];
  #bytes = 0;

  constructor(connection: SiblingConnection) {
    this.#connection = connection;
  }

  take(chunk: Buffer): void {
    let at = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, at)) {
      if (!this.#add(chunk.subarray(at, end))) return;
      this.#line();
      at = end + 1;
    }
    this.#add(chunk.subarray(at));
  }

  /** False where the line is too long; nothing that the client says counts any more. */
  #add(bytes: Buffer): boolean {
    this.#bytes += bytes.length;
    if (this.#bytes > this.#connection.limits.siblingMessageBytes) {
      this.#begun = [];
      this.#connection.refuse('message_too_long'); // TCP-23
      return false;
    }
    if (bytes.length > 0) this.#begun.push(bytes);
    if (this.#begun.length > 64) this.#begun = [Buffer.concat(this.#begun)]; // each keeps what it came in
    return true;
  }

  #line(): void {
    const line = Buffer.concat(this.#begun);
    this.#begun = [];
    this.#bytes = 0;
    if (isUtf8(line)) this.#connection.receive(line.toString('utf8'));
    else this.#connection.refuse('invalid_utf8'); // TCP-25
  }
}
