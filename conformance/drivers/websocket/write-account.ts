import type { Socket } from 'node:net';
import { onAbort } from '../connect.js';

/** Keeps account of what the system has not yet taken, for those who wait for it. */
export class WriteAccount {
  readonly #waiters = new Set<(taken: boolean) => void>();
  #pending = 0;
  #lost = false;

  /** Writes `bytes`; false says that the socket's own buffer is over its mark. */
  write(socket: Socket, bytes: Buffer): boolean {
    this.#pending += 1;
    return socket.write(bytes, (error) => {
      this.#pending -= 1;
      if (error) this.lose();
      else if (this.#pending === 0) this.#answer(true);
    });
  }

  /** Says that bytes were given that the peer will never see. */
  lose(): void {
    this.#lost = true;
    this.#answer(false);
  }

  /** Says that the connection is gone: what is still pending is lost. */
  end(): void {
    if (this.#pending > 0) this.lose();
  }

  /** True once all bytes written so far are taken, false if any was lost; rejects with the reason of an abort. */
  settled(signal?: AbortSignal): Promise<boolean> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.#lost || this.#pending === 0) {
        resolve(!this.#lost);
        return;
      }
      const waiter = (taken: boolean): void => {
        stopListening();
        resolve(taken);
      };
      this.#waiters.add(waiter);
      const stopListening = onAbort(signal, (reason) => {
        this.#waiters.delete(waiter);
        reject(reason);
      });
    });
  }

  #answer(taken: boolean): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter(taken);
  }
}
