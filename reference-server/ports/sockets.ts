import type { Duplex } from 'node:stream';

/** One end of a connection, or the source of a datagram. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A connection that carries bytes in order, of the machine's own or a virtual one. */
export interface ByteSocket {
  /** Half-open: the end of what comes ends nothing that goes. */
  readonly stream: Duplex;
  readonly local: Address;
  readonly remote: Address;
  /** Ends the connection at once, as a fault and not in order (RFC 9293: RST); harmless where it is over. */
  reset(): void;
}

/** Ports, from the first to the last. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Where connections come in. */
export interface ByteListener {
  readonly address: Address;
  /** Takes no more connections; those that are there go on. */
  close(): void;
}

/** Opens places where connections come in. */
export interface ByteListeners {
  /** Port 0 picks a free one. Rejects with what the system says, such as EADDRINUSE. */
  listen(at: Address, accept: (socket: ByteSocket) => void): Promise<ByteListener>;
}

/** Where datagrams come in and go out. */
export interface DatagramSocket {
  readonly address: Address;
  /** Sends one datagram; whether it arrives nobody knows. */
  send(datagram: Buffer, to: Address): void;
  close(): void;
}

/** Opens places where datagrams come in. */
export interface DatagramSockets {
  /** Port 0 picks a free one. Rejects with what the system says, such as EADDRINUSE. */
  bind(at: Address, receive: (datagram: Buffer, from: Address) => void): Promise<DatagramSocket>;
}
