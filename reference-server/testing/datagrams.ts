import type { Grant } from '../../generated/types.js';
import { type Datagram, type Keys, TYPE, keysOf, opened, sealed } from '../ingress/udp/datagram.js';
import type { Kind } from '../ports/message.js';
import type { Address, DatagramSocket, DatagramSockets } from '../ports/sockets.js';
import { createHash } from 'node:crypto';
import { until } from './until.js';

/** A datagram as the network saw it. */
export interface Sent {
  readonly from: Address;
  readonly to: Address;
  readonly bytes: Buffer;
}

/** A network in memory, which loses nothing and delivers in turns of the event loop; a test may have it lose. */
export class MemoryNetwork implements DatagramSockets {
  readonly sent: Sent[] = [];
  /** Whether a datagram is lost. */
  loses: (datagram: Sent) => boolean = () => false;
  readonly #bound = new Map<string, (bytes: Buffer, from: Address) => void>();
  #ports = 40_000;

  bind({ host, port }: Address, receive: (bytes: Buffer, from: Address) => void): Promise<DatagramSocket> {
    const address = { host, port: port === 0 ? ++this.#ports : port };
    const name = nameOf(address);
    this.#bound.set(name, receive);
    return Promise.resolve({
      address,
      send: (bytes, to) => this.carry({ from: address, to, bytes: Buffer.from(bytes) }),
      close: () => void this.#bound.delete(name),
    });
  }

  /** Carries a datagram from any address, be it somebody else's. */
  carry(datagram: Sent): void {
    this.sent.push(datagram);
    if (this.loses(datagram)) return;
    setImmediate(() => this.#bound.get(nameOf(datagram.to))?.(datagram.bytes, datagram.from));
  }
}

const nameOf = ({ host, port }: Address): string => `${host} ${String(port)}`;
const NOTHING = Buffer.alloc(0);

/** A client's side of an association, over any datagrams. It does what a test says, and nothing by itself. */
export class UdpClient {
  readonly keys: Keys;
  readonly assoc: Buffer;
  /** What has come from the server with a good MAC, and was not taken. */
  readonly came: Datagram[] = [];
  /** Of datagrams with messages, and of all others. */
  data = 0;
  control = 0;
  /** While it is not reading nothing comes in. */
  #server: Address;
  #socket: DatagramSocket | null = null;

  constructor(grant: Grant, server: Address) {
    const ticketDigest = createHash('sha256').update(grant.pipeTicket).digest();
    this.keys = keysOf(Buffer.from(grant.siblingSecret, 'base64url'), ticketDigest);
    this.assoc = Buffer.from(grant.udpAssoc ?? '', 'base64url');
    this.#server = server;
  }

  /** The address at which it is now. */
  get address(): Address {
    return this.#socket?.address ?? { host: '', port: 0 };
  }

  /** Takes a socket of its own, in place of one that it had. */
  async bind(sockets: DatagramSockets): Promise<this> {
    this.#socket?.close();
    this.#socket = await sockets.bind({ host: '127.0.0.1', port: 0 }, (bytes) => {
      const datagram = opened(bytes, this.keys.s2c);
      if (datagram) this.came.push(datagram);
    });
    return this;
  }

  close(): void {
    this.#socket?.close();
  }

  /** The bytes of a datagram, with the next number of its kind. */
  make(type: number, payload: Buffer = NOTHING, seq?: number): Buffer {
    const number = seq ?? (type >= TYPE.text ? ++this.data : ++this.control);
    return sealed({ type, seq: number, payload }, { assoc: this.assoc, key: this.keys.c2s });
  }

  /** Sends bytes as they are. */
  raw(bytes: Buffer): void {
    this.#socket?.send(bytes, this.#server);
  }

  say(type: number, payload?: Buffer, seq?: number): void {
    this.raw(this.make(type, payload, seq));
  }

  send(kind: Kind, payload: Buffer | string, seq?: number): void {
    this.say(TYPE[kind], Buffer.from(payload), seq);
  }

  /** The next datagram of a type that comes; what comes before it stays. */
  async next(type: number): Promise<Datagram> {
    const found = (): number => this.came.findIndex((datagram) => datagram.type === type);
    await until(() => found() >= 0);
    const [datagram] = this.came.splice(found(), 1);
    if (!datagram) throw new Error('none');
    return datagram;
  }

  /** The next messages, in the order of their coming. */
  async messages(count: number): Promise<readonly Datagram[]> {
    const data = (): Datagram[] => this.came.filter(({ type }) => type >= TYPE.text);
    await until(() => data().length >= count);
    const taken = data().slice(0, count);
    for (const datagram of taken) this.came.splice(this.came.indexOf(datagram), 1);
    return taken;
  }

  /** Opens the pipe: proves the address, and waits to be told. */
  async open(): Promise<this> {
    this.say(TYPE.open);
    await this.prove();
    return this;
  }

  /** Answers a challenge, and waits for the answer to that. */
  async prove(): Promise<void> {
    const { payload } = await this.next(TYPE.challenge);
    this.say(TYPE.response, payload);
    const { control } = this;
    await this.next(TYPE.pong).then(({ seq }) => {
      if (seq !== control) throw new Error(`answers ${String(seq)}, not ${String(control)}`);
    });
  }
}
