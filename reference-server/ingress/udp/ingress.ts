import { errors } from '../../../generated/errors.js';
import type { Entropy } from '../../ports/clock.js';
import type { Association, PipeDoor } from '../../ports/pipe.js';
import type { Address, DatagramSocket, DatagramSockets } from '../../ports/sockets.js';
import { SecureAssociation } from './association.js';
import { Cookies } from './cookies.js';
import { type Datagram, TYPE, associationOf, keysOf } from './datagram.js';
import { UdpPipe } from './pipe.js';

interface UdpIngressOptions {
  readonly sockets: DatagramSockets;
  readonly at: Address;
  readonly door: PipeDoor;
  readonly entropy: Entropy;
}

/** The UDP input method: one datagram is one message (udp.md). What cannot be shown to be a client's gets no answer. */
export class UdpIngress {
  readonly #door: PipeDoor;
  readonly #cookies: Cookies;
  readonly #pipes = new Map<string, UdpPipe>();
  #socket: DatagramSocket | null = null;

  private constructor({ door, entropy }: UdpIngressOptions) {
    this.#door = door;
    this.#cookies = new Cookies(entropy);
  }

  /** Starts to listen. Rejects with what the system says, such as EADDRINUSE. */
  static async listen(options: UdpIngressOptions): Promise<UdpIngress> {
    const ingress = new UdpIngress(options);
    const receive = (datagram: Buffer, from: Address): void => ingress.#receive(datagram, from);
    ingress.#socket = await options.sockets.bind(options.at, receive);
    return ingress;
  }

  get address(): Address {
    return this.#socket?.address ?? { host: '', port: 0 };
  }

  /** Pipes that are open. */
  get size(): number {
    return this.#pipes.size;
  }

  close(): void {
    this.#socket?.close();
    this.#socket = null;
  }

  #receive(bytes: Buffer, from: Address): void {
    const number = associationOf(bytes);
    if (number === null) return;
    const pipe = this.#pipes.get(number);
    if (pipe) {
      pipe.receive(bytes, from);
      return;
    }
    const association = this.#door.associate(number, 'udp');
    if (association && this.#socket) this.#greet({ number, bytes, from }, association, this.#socket);
  }

  /** What comes for an outstanding ticket. Nothing is kept of it before the address is proved. */
  #greet(
    { number, bytes, from }: { number: string; bytes: Buffer; from: Address },
    association: Association,
    socket: DatagramSocket,
  ): void {
    const { secret, ticketDigest, clock } = association;
    const keys = keysOf(secret, ticketDigest);
    const assoc = Buffer.from(number, 'base64url');
    const secure = new SecureAssociation({ assoc, keys, cookies: this.#cookies, socket });
    const datagram = secure.open(bytes);
    if (datagram?.type === TYPE.open) secure.challenge(from, { seq: datagram.seq, now: clock.now() });
    else if (datagram?.type === TYPE.response) {
      const { payload } = datagram;
      if (secure.proves(from, { payload, now: clock.now() }))
        this.#open({ number, from, datagram, secure }, association);
    }
  }

  #open(
    {
      number,
      from,
      datagram,
      secure,
    }: { number: string; from: Address; datagram: Datagram; secure: SecureAssociation },
    association: Association,
  ): void {
    const offer = association.redeem();
    if ('refused' in offer) {
      const code = errors[offer.refused].wsClose;
      if (code !== null) secure.close(from, { seq: 1, code });
      return;
    }
    const { keepaliveMs, hardMessageBytes } = offer.limits;
    const over = (): void => void this.#pipes.delete(number);
    const { clock } = offer;
    const address = from;
    const { seq } = datagram;
    const pipe = new UdpPipe({ association: secure, address, seq, clock, keepaliveMs, hardMessageBytes, over });
    this.#pipes.set(number, pipe);
    pipe.attach(offer.open(pipe));
  }
}
