import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** Which connections have requests whose answers are still to come: a client may send several at once. */
export class Unanswered {
  readonly #responses = new WeakMap<Duplex, Set<ServerResponse>>();

  add(socket: Duplex, response: ServerResponse): void {
    const responses = this.#responses.get(socket) ?? new Set();
    this.#responses.set(socket, responses.add(response));
    response.once('close', () => responses.delete(response));
  }

  has(socket: Duplex): boolean {
    for (const response of this.#responses.get(socket) ?? []) if (!response.writableEnded) return true;
    return false;
  }
}
