import type { Socket } from 'node:dgram';
import { createSocket } from 'node:dgram';

/** One local port, with the account of an address that has not proved itself. */
export interface LocalPort {
  readonly name: string;
  readonly socket: Socket;
  sentBytes: number;
  receivedBytes: number;
  /** A number higher than all before it was sent from here. */
  newest: boolean;
  /** A RESPONSE has gone out, so that the server may know. */
  responded: boolean;
  /** Whether CHALLENGEs that come here are answered. */
  answers: boolean;
}

/** Where a client is: its local ports by name, so that it can move, and pretend to be elsewhere. */
export class LocalPorts {
  readonly #server: { readonly host: string; readonly port: number };
  readonly #receive: (bytes: Buffer, port: LocalPort) => void;
  readonly #ports = new Map<string, LocalPort>();
  #underWay = 0;
  #settled: (() => void)[] = [];

  constructor(url: URL, receive: (bytes: Buffer, port: LocalPort) => void) {
    this.#server = { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) };
    this.#receive = receive;
  }

  /** The port of that name, opened at its first mention. */
  at(name: string, answers: boolean): LocalPort {
    const found = this.#ports.get(name);
    if (found !== undefined) return found;
    const socket = createSocket(this.#server.host.includes(':') ? 'udp6' : 'udp4');
    const port = { name, socket, sentBytes: 0, receivedBytes: 0, responded: false, newest: name === 'home', answers };
    socket.on('message', (bytes) => this.#receive(bytes, port));
    socket.on('error', () => undefined);
    this.#ports.set(name, port);
    return port;
  }

  send(port: LocalPort, bytes: Buffer): void {
    port.sentBytes += bytes.length;
    this.#underWay += 1;
    port.socket.send(bytes, this.#server.port, this.#server.host, () => {
      this.#underWay -= 1;
      if (this.#underWay === 0) for (const settle of this.#settled.splice(0)) settle();
    });
  }

  /** Resolves once the system has taken everything. */
  written(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#underWay === 0) resolve();
      else this.#settled.push(resolve);
    });
  }

  /** Gives one port up, or all. */
  close(name?: string): void {
    for (const port of [...this.#ports.values()].filter((each) => name === undefined || each.name === name)) {
      this.#ports.delete(port.name);
      port.socket.close();
    }
  }
}
