import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { errorName, onAbort, resetTcp } from '../connect.js';
import type { TlsSettings } from '../connect.js';
import type { Driver, DriverRecord, Outgoing } from '../driver.js';
import { secureOver } from '../secure.js';
import type { OpenResult } from '../websocket/opening.js';
import { WriteAccount } from '../websocket/write-account.js';
import type { Codec } from './framing.js';

/** Where to connect, what to say first, and how to read what comes. */
export interface TcpParts {
  /** `tls:` is inside TLS. */
  readonly url: URL;
  readonly tls: TlsSettings | undefined;
  readonly preamble: string;
  readonly codec: Codec;
  readonly onRecord: (record: DriverRecord) => void;
}

/** One TCP connection of the kit, whose first line says what it is. */
export class TcpDriver implements Driver {
  readonly #parts: TcpParts;
  readonly #raw: Socket;
  /** What is said and heard: inside TLS where there is TLS. */
  readonly #socket: Socket;
  readonly #ready: 'connect' | 'secureConnect';
  readonly #writes = new WriteAccount();
  #silent = false;
  #over = false;
  #held = false;
  #kept: Buffer[] = [];
  #last: DriverRecord | undefined;

  constructor(parts: TcpParts) {
    this.#parts = parts;
    const { protocol, hostname, port } = parts.url;
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    this.#raw = connect({ host, port: Number(port), noDelay: true, allowHalfOpen: true });
    this.#socket = protocol === 'tls:' ? secureOver(this.#raw, host, parts.tls) : this.#raw;
    this.#ready = protocol === 'tls:' ? 'secureConnect' : 'connect';
    for (const each of new Set([this.#raw, this.#socket])) each.on('error', () => undefined);
  }

  /** Connected, with the preamble on its way. Rejects with the reason of an aborted signal only. */
  open(signal: AbortSignal): Promise<OpenResult> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const stopListening = onAbort(signal, (reason) => {
        this.cut();
        reject(reason);
      });
      const failed = (error: Error): void => {
        stopListening();
        resolve({ type: 'failed', why: 'connect', error: errorName(error), status: undefined, violations: [] });
      };
      this.#socket.once('error', failed).once(this.#ready, () => {
        stopListening();
        this.#socket.off('error', failed);
        this.#begin();
        this.sendRaw(Buffer.from(this.#parts.preamble, 'latin1'));
        resolve({ type: 'opened', subprotocol: undefined, headers: [], violations: [] });
      });
    });
  }

  send(message: Outgoing): boolean {
    return this.sendRaw(this.#parts.codec.encode(message));
  }

  sendText(text: string): boolean {
    return this.send({ kind: 'text', payload: Buffer.from(text, 'utf8') });
  }

  sendRaw(bytes: Buffer): boolean {
    if (this.#socket.writable && !this.#over) return this.#writes.write(this.#socket, bytes);
    this.#writes.lose();
    return false;
  }

  /** Ends the sending direction (FIN); the other one goes on. */
  close(): void {
    this.#socket.end();
  }

  /** Ends the sending direction without a close_notify. */
  truncate(): void {
    this.#raw.end();
  }

  cut(): void {
    this.#silent = true;
    this.#over = true;
    resetTcp(this.#raw, this.#socket.writableEnded);
    this.#socket.destroy();
    this.#writes.end();
  }

  pause(): void {
    this.#held = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#held = false;
    for (const bytes of this.#kept.splice(0)) this.#read(bytes);
    if (this.#last !== undefined) this.#finish(this.#last);
    this.#socket.resume();
  }

  written(signal?: AbortSignal): Promise<boolean> {
    return this.#writes.settled(signal);
  }

  #begin(): void {
    this.#socket.on('data', (bytes: Buffer) => {
      if (this.#held) this.#kept.push(bytes);
      else this.#read(bytes);
    });
    this.#socket.once('end', () => {
      this.#probe();
    });
    this.#socket.on('error', (error) => {
      this.#finish({ type: 'reset', error: errorName(error) });
    });
    this.#socket.once('close', () => {
      this.#writes.end();
    });
    if (this.#held) this.#socket.pause();
  }

  // Node tells a connection that was broken off behind some data as if it had ended in order; a write to it fails.
  #probe(): void {
    const eof = (): void => {
      this.#finish({ type: 'eof', unfinishedBytes: this.#parts.codec.pendingBytes });
    };
    if (this.#socket.writable) this.#socket.write('', (error) => error ?? eof());
    else eof();
  }

  #read(bytes: Buffer): void {
    if (this.#silent) return;
    const { codec, onRecord } = this.#parts;
    const known = codec.broken;
    for (const message of codec.push(bytes)) onRecord({ type: 'message', ...message });
    if (codec.broken !== known) onRecord({ type: 'violation', what: codec.broken ?? '' });
  }

  #finish(last: DriverRecord): void {
    if (this.#over) return;
    this.#last = last;
    if (this.#held) return;
    this.#over = true;
    const { pendingBytes } = this.#parts.codec;
    if (last.type === 'eof' && pendingBytes > 0)
      this.#parts.onRecord({ type: 'violation', what: 'unfinished_message' });
    this.#parts.onRecord(last);
    this.#socket.end();
  }
}
