import type { Duplex } from 'node:stream';

/** The connections that the server holds, over whatever they came; there may be `maxConnections` of them. */
export class Connections {
  readonly #most: number;
  readonly #open = new Set<Duplex>();
  /** One listener for all of them: it is there for as long as a connection, and a wrapper of its own is what weighs. */
  readonly #gone: (this: Duplex) => void;

  constructor(most: number) {
    this.#most = most;
    const open = this.#open;
    this.#gone = function gone(this: Duplex): void {
      open.delete(this);
    };
  }

  get size(): number {
    return this.#open.size;
  }

  /** Takes a connection in; false, and it is closed unanswered, where there are too many. */
  admit(socket: Duplex): boolean {
    if (this.#open.has(socket)) return true;
    if (this.#open.size >= this.#most) {
      socket.destroy();
      return false;
    }
    this.#open.add(socket);
    socket.once('close', this.#gone);
    return true;
  }
}
