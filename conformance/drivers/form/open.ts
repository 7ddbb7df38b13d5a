import { dial, onAbort, targetOf } from '../connect.js';
import type { Driver, DriverRecord, Opening, Outgoing, Way } from '../driver.js';
import { ResponseParser } from '../http-response.js';
import type { OpenResult } from '../websocket/opening.js';
import { DELIMITER, type FormField, LAST_PART, MULTIPART_TYPE, encodePart } from './encode.js';

const OPENED: OpenResult = { type: 'opened', subprotocol: undefined, headers: [], violations: [] };

/** A POST that has begun: each message is a field of it, and its end in order is the end of the form (form.md). */
class FormDriver implements Driver {
  readonly #dialled;
  readonly #parser = new ResponseParser({ method: 'POST' });
  readonly #onRecord: (record: DriverRecord) => void;
  #over = false;

  constructor(way: Way) {
    this.#dialled = dial(targetOf(way.url), way.tls);
    this.#onRecord = way.onRecord;
  }

  /** Sends head and ticket. A server says nothing before the end where it has no objections. */
  open({ url, ticket, headers, signal }: Way): Promise<OpenResult> {
    const { socket, readyEvent } = this.#dialled;
    const { path, authority } = targetOf(url);
    const fields = headers.map(([name, value]) => `${name}: ${value}`);
    const head = [`POST ${path} HTTP/1.1`, `Host: ${authority}`, 'Connection: close', 'Transfer-Encoding: chunked'];
    const lines = [...head, `Content-Type: ${MULTIPART_TYPE}`, ...fields, '', ''];
    return new Promise((resolve, reject) => {
      const stop = onAbort(signal, (reason) => {
        this.cut();
        reject(reason);
      });
      socket.once('error', (error: NodeJS.ErrnoException) => {
        stop();
        resolve({ type: 'failed', why: 'connect', error: error.code ?? 'error', status: undefined, violations: [] });
        this.#end({ type: 'reset', error: error.code ?? 'error' });
      });
      socket.once(readyEvent, () => {
        socket.write(lines.join('\r\n'));
        this.#write(DELIMITER);
        this.#field({ name: 'ticket', content: Buffer.from(ticket) });
        stop();
        resolve(OPENED);
      });
      socket.on('data', (chunk: Buffer) => this.#hear(chunk));
      socket.once('end', () => this.#end({ type: 'eof', unfinishedBytes: 0 }));
    });
  }

  send({ kind, payload }: Outgoing): boolean {
    const filename = kind === 'binary' ? 'message' : undefined;
    return this.#field({ name: 'message', content: payload, filename });
  }

  /** With the delimiter behind it, without which nobody can know that it is whole. */
  #field(field: FormField): boolean {
    return this.#write(Buffer.concat([encodePart(field), DELIMITER]));
  }

  sendText(): boolean {
    return false;
  }

  sendRaw(bytes: Buffer): boolean {
    return this.#write(bytes);
  }

  /** The form is whole. */
  close(): void {
    this.#write(LAST_PART);
    if (!this.#over) this.#dialled.socket.write('0\r\n\r\n');
  }

  cut(): void {
    this.#over = true;
    this.#dialled.reset();
  }

  pause(): void {
    this.#dialled.socket.pause();
  }

  resume(): void {
    this.#dialled.socket.resume();
  }

  written(): Promise<boolean> {
    const { socket } = this.#dialled;
    return new Promise((resolve) => {
      if (socket.writableLength === 0) resolve(!this.#over);
      else socket.once('drain', () => resolve(true)).once('close', () => resolve(false));
    });
  }

  /** As one chunk of the body (RFC 9112, section 7.1). */
  #write(bytes: Buffer): boolean {
    const { socket } = this.#dialled;
    if (this.#over || !socket.writable) return false;
    socket.cork();
    socket.write(`${bytes.length.toString(16)}\r\n`);
    socket.write(bytes);
    const goOn = socket.write('\r\n');
    socket.uncork();
    return goOn;
  }

  /** The answer is the other side's last word; its status is the number that it has. */
  #hear(chunk: Buffer): void {
    if (this.#parser.push(chunk) !== 'done') return;
    const { head, body } = this.#parser;
    this.#end({ type: 'close', code: head?.status ?? 0, reason: body.toString('utf8', 0, 1024) });
    this.#dialled.socket.destroy();
  }

  #end(record: DriverRecord): void {
    if (this.#over) return;
    this.#over = true;
    this.#onRecord(record);
  }
}

/** Opens a pipe that is a form. */
export function openForm(way: Way): Opening {
  const driver = new FormDriver(way);
  return { driver, protocols: [], result: driver.open(way) };
}
