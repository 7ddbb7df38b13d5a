import type { Cancel, Clock } from '../../ports/clock.js';
import type { Address, ByteListener, ByteListeners, ByteSocket } from '../../ports/sockets.js';

interface DoorParts {
  readonly listeners: ByteListeners;
  /** Where the control connection came in, and whence. */
  readonly local: Address;
  readonly remote: Address;
  readonly clock: Clock;
  /** How long the door stays open. */
  readonly ms: number;
}

/** An IPv4 address is the same however a socket for IPv6 writes it. */
export const plainHost = (host: string): string => host.replace(/^::ffff:(?=\d+\.)/i, '');

/**
 * Where one data connection comes in: the first from the address of the control connection. Any other is cut off, and
 * the door stays open for the right one (FTP-27).
 */
export class DataDoor {
  readonly address: Address;
  readonly #listener: ByteListener;
  readonly #stopTimer: Cancel;
  #come: ByteSocket | null = null;
  #closed = false;
  #taker: ((socket: ByteSocket | null) => void) | null = null;

  private constructor(parts: DoorParts, listener: ByteListener) {
    this.#listener = listener;
    this.address = listener.address;
    this.#stopTimer = parts.clock.after(parts.ms, () => {
      if (!this.#come) this.close();
    });
  }

  static async open(parts: DoorParts): Promise<DataDoor> {
    const early: ByteSocket[] = [];
    let take = (socket: ByteSocket): unknown => early.push(socket);
    const listener = await parts.listeners.listen({ host: parts.local.host, port: 0 }, (socket) => void take(socket));
    const door = new DataDoor(parts, listener);
    take = (socket) => door.#arrived(socket, parts.remote);
    for (const socket of early) take(socket);
    return door;
  }

  /** The connection, once; null where none comes in time. */
  take(): Promise<ByteSocket | null> {
    const come = this.#come;
    this.#come = null;
    if (come || this.#closed) return Promise.resolve(come);
    return new Promise((resolve) => (this.#taker = resolve));
  }

  /** Nobody wants it any more; a connection that came and was not taken is cut off. */
  close(): void {
    this.#shut();
    this.#come?.reset();
    this.#come = null;
    this.#taker?.(null);
    this.#taker = null;
  }

  #arrived(socket: ByteSocket, peer: Address): void {
    socket.stream.on('error', () => undefined); // whoever takes it hears that it is gone by its close
    if (this.#closed || plainHost(socket.remote.host) !== plainHost(peer.host)) {
      socket.reset();
      return;
    }
    this.#shut();
    if (this.#taker) this.#taker(socket);
    else this.#come = socket;
    this.#taker = null;
  }

  #shut(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopTimer();
    this.#listener.close();
  }
}
