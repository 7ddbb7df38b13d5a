import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type TLSSocket, connect as connectTls } from 'node:tls';
import { Incoming } from './bytes.js';

/** A client of FTP that does what it is told, and no more. */
export class FtpClient {
  #socket: Duplex;
  #incoming: Incoming;
  readonly #host: string;
  #tls: { readonly ca: string } | null = null;

  constructor(socket: Socket, host = '127.0.0.1') {
    this.#host = host;
    this.#socket = socket.on('error', () => undefined);
    this.#incoming = new Incoming(socket);
  }

  static dial(port: number): FtpClient {
    return new FtpClient(connect({ port, host: '127.0.0.1', allowHalfOpen: true }));
  }

  get socket(): Duplex {
    return this.#socket;
  }

  write(text: string): void {
    this.#socket.write(text);
  }

  /** The next reply, its lines joined; null where there is none. */
  async reply(): Promise<string | null> {
    let text = '';
    for (;;) {
      const line = await this.#incoming.until('\r\n');
      if (!line) return null;
      text += String(line);
      if (/^\d{3} /.test(String(line))) return text.trimEnd();
    }
  }

  say(line: string): Promise<string | null> {
    this.write(`${line}\r\n`);
    return this.reply();
  }

  /** Logs in behind the greeting. */
  async login(ticket: string): Promise<string | null> {
    await this.reply();
    await this.say('USER porthouse');
    return this.say(`PASS ${ticket}`);
  }

  /** Goes on inside TLS. */
  async secure(ca: string): Promise<string | null> {
    const answer = await this.say('AUTH TLS');
    this.#tls = { ca };
    this.#socket = this.#inTls(this.#socket);
    this.#incoming = new Incoming(this.#socket);
    return answer;
  }

  /** A data connection. */
  async data(): Promise<Socket> {
    const port = /\(\|\|\|(\d+)\|\)/.exec((await this.say('EPSV')) ?? '')?.[1];
    const data = connect({ port: Number(port), host: this.#host, allowHalfOpen: true });
    return data.on('error', () => undefined).once('end', () => data.end());
  }

  /** The same inside TLS. */
  inTls(data: Socket): TLSSocket {
    return this.#inTls(data);
  }

  #inTls(socket: Duplex): TLSSocket {
    const ca = this.#tls?.ca ?? '';
    return connectTls({ socket, ca, servername: 'localhost' }).on('error', () => undefined);
  }

  /** Stores bytes; the last reply. */
  async store(bytes: string | Buffer, command = 'STOR x'): Promise<string | null> {
    const data = await this.data();
    await this.say(command);
    data.end(bytes);
    return this.reply();
  }

  /** Retrieves; the bytes and the last reply. */
  async retrieve(command: string): Promise<{ bytes: Buffer; reply: string | null }> {
    const data = await this.data();
    const begun = await this.say(command);
    if (!begun?.startsWith('150')) return { bytes: Buffer.alloc(0), reply: begun };
    return { bytes: await buffer(data), reply: await this.reply() };
  }
}
