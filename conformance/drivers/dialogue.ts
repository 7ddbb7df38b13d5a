import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Driver } from './driver.js';
import { errorName, resetTcp } from './connect.js';
import type { TlsSettings } from './connect.js';
import { secureOver } from './secure.js';

/** What is heard on a connection. */
export type DialogueRecord =
  | { readonly type: 'open' }
  | { readonly type: 'line'; readonly text: string }
  | { readonly type: 'closed'; readonly how: 'end' | 'reset'; readonly what: string };

/** An alert of TLS that nobody can read (RFC 8446 section 6), to what was said in the clear: it says nothing. */
const isAlert = (text: string): boolean => text.startsWith('\x15\x03') && text.startsWith('\0\x02', 3);

export interface Place {
  readonly host: string;
  readonly port: number;
  /** Inside TLS from the start, with these settings. */
  readonly tls?: TlsSettings;
  /** Address of the kit's own end, where it matters. */
  readonly from: string | undefined;
}

/**
 * A plain TCP connection on which lines are heard: a dialogue of FTP, or one of its data connections. CR LF ends a line
 * and so does LF; what is unfinished at the end is a line too. Bytes are told one character each.
 */
export class DialogueDriver implements Driver {
  readonly #raw: Socket;
  readonly #host: string;
  #socket: Socket;
  #rest = '';
  #over = false;
  readonly #heard: (record: DialogueRecord) => void;

  constructor({ host, port, from, tls }: Place, heard: (record: DialogueRecord) => void) {
    this.#heard = heard;
    this.#host = host;
    const own = from === undefined ? {} : { localAddress: from };
    this.#raw = connect({ host, port, noDelay: true, allowHalfOpen: true, ...own });
    this.#raw.on('error', () => undefined);
    this.#socket = tls === undefined ? this.#raw : secureOver(this.#raw, host, tls);
    this.#socket.on(tls === undefined ? 'connect' : 'secureConnect', () => this.#tell({ type: 'open' }));
    this.#listen();
  }

  secure(tls: TlsSettings): void {
    this.#raw.removeAllListeners().pause();
    this.#raw.on('error', () => undefined);
    this.#socket = secureOver(this.#raw, this.#host, tls);
    this.#listen();
  }

  /** Ends the kit's own direction without a close_notify. */
  truncate(): void {
    this.#raw.end();
  }

  send(): boolean {
    return false;
  }

  sendText(text: string): boolean {
    return this.sendRaw(Buffer.from(text));
  }

  sendRaw(bytes: Buffer): boolean {
    return this.#socket.writable && this.#socket.write(bytes);
  }

  /** Ends the kit's own direction. */
  close(): void {
    this.#socket.end();
  }

  cut(): void {
    this.#over = true;
    resetTcp(this.#raw, this.#socket.writableEnded);
    this.#socket.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  written(): Promise<boolean> {
    return Promise.resolve(!this.#socket.destroyed);
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk.toString('latin1')));
    socket.on('end', () => this.#end('end', 'eof'));
    socket.on('error', (error) => this.#end('reset', errorName(error)));
    socket.on('close', () => this.#end('reset', 'closed'));
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#tell({ type: 'line', text: line.replace(/\r$/, '') });
  }

  #end(how: 'end' | 'reset', what: string): void {
    if (this.#rest !== '') this.#tell({ type: 'line', text: this.#rest });
    this.#rest = '';
    this.#tell({ type: 'closed', how, what });
    this.#over = true;
  }

  #tell(record: DialogueRecord): void {
    if (!this.#over && !(record.type === 'line' && isAlert(record.text))) this.#heard(record);
  }
}
