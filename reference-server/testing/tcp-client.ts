import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Framing } from '../../generated/types.js';
import { inside } from '../listeners/tls.js';
import type { Address } from '../ports/sockets.js';

const LF = 0x0a;

const inTls = (stream: Socket, ca: string): Socket =>
  inside(stream, (socket) => connectTls({ socket, ca, servername: 'localhost' }));

/** A TCP connection of a test, and what has come by it and was not taken yet. */
export class TcpClient {
  /** What is said and heard, inside TLS where there is TLS. */
  readonly socket: Socket;
  /** The connection itself. */
  readonly wire: Socket;
  /** How the server ended it: in order, or broken off. */
  end: 'end' | 'reset' | null = null;
  #chunks: Buffer[] = [];
  #size = 0;
  #look: () => void = () => undefined;

  /** @param ca - who vouches for the server; without, there is no TLS. */
  constructor(address: Address, ca?: string) {
    this.wire = connect({ ...address, allowHalfOpen: true, noDelay: true });
    this.socket = ca === undefined ? this.wire : inTls(this.wire, ca);
    this.wire.on('error', () => undefined);
    this.socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#size += chunk.length;
      this.#look();
    });
    this.socket.on('end', () => this.#probe());
    this.socket.on('error', () => this.#ended('reset'));
    this.socket.on('close', () => this.#ended('reset'));
  }

  /** Says that it is a pipe, with this ticket. */
  static pipe(
    address: Address,
    { ticket, framing, ca }: { readonly ticket: string; readonly framing: Framing; readonly ca?: string | undefined },
  ): TcpClient {
    const client = new TcpClient(address, ca);
    client.write(`PH1 ${ticket} ${framing}\n`);
    return client;
  }

  write(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  /** Breaks the connection off. */
  cut(): void {
    if (this.wire.writableEnded || this.socket.writableEnded) this.wire.destroy();
    else this.wire.resetAndDestroy();
    this.socket.destroy();
  }

  /** The next `count` bytes; fewer where the connection ends before. */
  async read(count: number): Promise<Buffer> {
    await this.#until(() => this.#size >= count);
    return this.#take(count);
  }

  /** The next line, without its LF. */
  async line(): Promise<string> {
    await this.#until(() => this.#chunks.some((chunk) => chunk.includes(LF)));
    const all = this.#take(this.#size);
    const end = all.includes(LF) ? all.indexOf(LF) : all.length;
    this.#chunks = [all.subarray(end + 1)];
    this.#size = this.#chunks[0]?.length ?? 0;
    return all.toString('utf8', 0, end);
  }

  /** The next line as JSON. */
  async json(): Promise<Record<string, unknown>> {
    return JSON.parse(await this.line()) as Record<string, unknown>;
  }

  /** How the connection ended, and what was left to read. */
  async ended(): Promise<{ how: 'end' | 'reset'; rest: string }> {
    await this.#until(() => this.end !== null);
    return { how: this.end ?? 'reset', rest: String(this.#take(this.#size)) };
  }

  /** Node tells a connection that was broken off behind some data as if it had ended in order; a write to it fails. */
  #probe(): void {
    if (this.socket.writableEnded) this.#ended('end');
    else this.socket.write('', (error) => this.#ended(error ? 'reset' : 'end'));
  }

  #ended(how: 'end' | 'reset'): void {
    this.end ??= how;
    this.#look();
  }

  #take(count: number): Buffer {
    const taken: Buffer[] = [];
    let left = Math.min(count, this.#size);
    this.#size -= left;
    while (left > 0) {
      const chunk = this.#chunks.shift() ?? Buffer.alloc(0);
      taken.push(chunk.subarray(0, left));
      if (chunk.length > left) this.#chunks.unshift(chunk.subarray(left));
      left -= Math.min(left, chunk.length);
    }
    return Buffer.concat(taken);
  }

  async #until(come: () => boolean): Promise<void> {
    while (!come() && this.end === null) await new Promise<void>((resolve) => (this.#look = resolve));
  }
}
