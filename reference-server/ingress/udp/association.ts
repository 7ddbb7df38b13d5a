import type { Address, DatagramSocket } from '../../ports/sockets.js';
import type { Cookies } from './cookies.js';
import { type Datagram, type Keys, TYPE, opened, sealed } from './datagram.js';

const NOTHING = Buffer.alloc(0);

interface AssociationParts {
  /** The 8 bytes by which its datagrams are known. */
  readonly assoc: Buffer;
  readonly keys: Keys;
  readonly cookies: Cookies;
  readonly socket: DatagramSocket;
}

/** What two sides that share keys say to each other before and beside the messages. Keeps nothing by itself. */
export class SecureAssociation {
  readonly assoc: Buffer;
  readonly #parts: AssociationParts;

  constructor(parts: AssociationParts) {
    this.assoc = parts.assoc;
    this.#parts = parts;
  }

  /** What a datagram of the client's says; undefined where the client has not made it. */
  open(bytes: Buffer): Datagram | undefined {
    return opened(bytes, this.#parts.keys.c2s);
  }

  send(to: Address, { type, seq, payload = NOTHING }: { type: number; seq: number; payload?: Buffer }): void {
    const { assoc, keys, socket } = this.#parts;
    socket.send(sealed({ type, seq, payload }, { assoc, key: keys.s2c }), to);
  }

  /** Asks whoever sent datagram `seq` to prove that it receives at that address. */
  challenge(from: Address, { seq, now }: { seq: number; now: number }): void {
    this.send(from, { type: TYPE.challenge, seq, payload: this.#parts.cookies.make({ assoc: this.assoc, from, now }) });
  }

  /** Whether a RESPONSE proves that its sender receives at that address. */
  proves(from: Address, { payload, now }: { payload: Buffer; now: number }): boolean {
    return this.#parts.cookies.good(payload, { assoc: this.assoc, from, now });
  }

  /** The last word, with the code that a WebSocket would close with. */
  close(to: Address, { seq, code }: { seq: number; code: number }): void {
    const payload = Buffer.allocUnsafe(2);
    payload.writeUInt16BE(code);
    this.send(to, { type: TYPE.close, seq, payload });
  }
}
