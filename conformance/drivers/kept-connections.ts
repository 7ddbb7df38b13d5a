import type { Dialled, Target } from './connect.js';

type Forget = () => void;

/**
 * Connections that take one request after the other (RFC 9112 section 9.3). Only idle ones are in here: whoever takes
 * one has it alone. One that the server ends, or on which it speaks unasked, is forgotten.
 */
export class KeptConnections {
  readonly #idle = new Map<string, Map<Dialled, Forget>>();
  #isOver = false;

  /** An idle connection to where `target` points; undefined where there is none. */
  take(target: Target): Dialled | undefined {
    const idle = this.#idle.get(placeOf(target));
    for (const [dialled, forget] of idle ?? []) {
      idle?.delete(dialled);
      dialled.socket.off('data', forget).off('end', forget).off('close', forget);
      if (dialled.socket.writable) return dialled;
    }
    return undefined;
  }

  /** Keeps a connection whose last response was read to its end. */
  keep(target: Target, dialled: Dialled): void {
    const idle = this.#idle.get(placeOf(target)) ?? new Map<Dialled, Forget>();
    const forget = (): void => {
      if (idle.delete(dialled)) dialled.reset();
    };
    this.#idle.set(placeOf(target), idle.set(dialled, forget));
    dialled.socket.once('data', forget).once('end', forget).once('close', forget);
    if (this.#isOver) forget();
  }

  /** Ends them all, and those that come back later. */
  end(): void {
    this.#isOver = true;
    for (const idle of this.#idle.values()) for (const forget of idle.values()) forget();
  }
}

const placeOf = ({ secure, host, port }: Target): string => `${String(secure)} ${host} ${String(port)}`;
