import { ByteQueue } from './byte-queue.js';
import type { HeaderField } from './connect.js';

/** What a server can do wrong in one HTTP/1.1 response (RFC 9112 §2.2, §4, §5, §6, §7; RFC 9110 §6.4, §15). */
export type ResponseViolation =
  | 'status_line_malformed'
  | 'line_ends_without_cr'
  | 'header_malformed'
  | 'head_too_long'
  | 'content_length_invalid'
  | 'content_length_conflict'
  | 'length_and_chunked'
  | 'framing_on_bodyless_response'
  | 'transfer_encoding_unknown'
  | 'chunk_malformed'
  | 'body_truncated'
  | 'body_over_driver_limit'
  | 'bytes_after_response';

/** Status line and header fields. `version` is such as `1.1`. */
export interface ResponseHead {
  readonly version: string;
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly HeaderField[];
}

/** Settings of a `ResponseParser`; sizes in bytes, defaults 64 KiB and 64 MiB. */
export interface ResponseParserOptions {
  readonly method?: string | undefined;
  readonly maxHeadBytes?: number | undefined;
  readonly maxBodyBytes?: number | undefined;
}

/** `done`: whole; `broken`: no way to read on, see `violations`; anything else wants more bytes. */
export type ResponseState =
  'head' | 'length' | 'size' | 'chunk' | 'chunkEnd' | 'trailers' | 'untilClose' | 'done' | 'broken';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const STATUS_LINE = /^HTTP\/(\d\.\d) (\d{3}) ([\t\x20-\x7e\x80-\xff]*)$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const LF = 0x0a;

/** All values of the field `name`, in order, without regard to case. */
export function headerValues(headers: readonly HeaderField[], name: string): string[] {
  const wanted = name.toLowerCase();
  return headers.filter(([field]) => field.toLowerCase() === wanted).map(([, value]) => value);
}

/** The list elements of the field `name` over all its lines, trimmed, empty ones dropped (RFC 9110 §5.6.1). */
export function headerList(headers: readonly HeaderField[], name: string): string[] {
  const elements = headerValues(headers, name).flatMap((value) => value.split(','));
  return elements.map((element) => element.trim()).filter((element) => element !== '');
}

/**
 * Incremental parser of one response, indifferent to how the bytes were cut. `push` what arrives, `end` at the end of
 * the connection. Interim responses (1xx but 101) are passed over and counted in `interim`. Faults do not stop it
 * unless the framing is lost.
 */
export class ResponseParser {
  /** Everything found wrong, in order. */
  readonly violations: ResponseViolation[] = [];
  /** Statuses of the interim responses passed over. */
  readonly interim: number[] = [];
  readonly #bytes = new ByteQueue();
  readonly #method: string;
  readonly #maxHeadBytes: number;
  readonly #maxBodyBytes: number;
  #state: ResponseState = 'head';
  #lines: string[] = [];
  #headBytes = 0;
  #head: ResponseHead | undefined;
  #body: Buffer[] = [];
  #bodyBytes = 0;
  #left = 0;

  constructor(options: ResponseParserOptions = {}) {
    this.#method = options.method ?? 'GET';
    this.#maxHeadBytes = options.maxHeadBytes ?? 64 * 1024;
    this.#maxBodyBytes = options.maxBodyBytes ?? 64 * 1024 * 1024;
  }

  /** How far the response has been read. */
  get state(): ResponseState {
    return this.#state;
  }

  /** Present once the final head is whole. */
  get head(): ResponseHead | undefined {
    return this.#head;
  }

  /** The body so far, without its transfer coding. */
  get body(): Buffer {
    return Buffer.concat(this.#body);
  }

  /** Takes bytes from the connection; the caller must not change `chunk` afterwards. */
  push(chunk: Buffer): ResponseState {
    this.#bytes.push(chunk);
    while (this.#step()) {
      // Each step consumes what it can; the first that cannot waits for more bytes.
    }
    return this.#state;
  }

  /** Says that no more bytes come: a body framed by the close is whole now, any other is truncated. */
  end(): ResponseState {
    if (this.#state === 'untilClose') this.#state = 'done';
    if (this.#state === 'done' || this.#state === 'broken') return this.#state;
    if (this.#head !== undefined) this.#break('body_truncated');
    return this.#state;
  }

  /** Removes and returns the bytes behind the response: after a 101 the first of the new protocol. */
  takeRest(): Buffer {
    return this.#bytes.takeAll();
  }

  #step(): boolean {
    switch (this.#state) {
      case 'head':
        return this.#readHead();
      case 'length':
      case 'chunk':
        return this.#readCounted();
      case 'untilClose':
        return this.#append(this.#bytes.takeAll());
      case 'size':
        return this.#readSize();
      case 'chunkEnd':
        return this.#readChunkEnd();
      case 'trailers':
        return this.#readTrailer();
      default:
        return false;
    }
  }

  #break(what: ResponseViolation): false {
    this.violations.push(what);
    this.#state = 'broken';
    return false;
  }

  #line(): string | undefined {
    const at = this.#bytes.indexOf(LF);
    const bytes = at < 0 ? this.#bytes.length : at + 1;
    if (this.#headBytes + bytes > this.#maxHeadBytes) this.#break('head_too_long');
    if (at < 0 || this.#state === 'broken') return undefined;
    this.#headBytes += bytes;
    const line = (this.#bytes.take(bytes) ?? Buffer.alloc(0)).toString('latin1', 0, at);
    if (line.endsWith('\r')) return line.slice(0, -1);
    this.violations.push('line_ends_without_cr');
    return line;
  }

  #readHead(): boolean {
    const line = this.#line();
    if (line === undefined) return false;
    if (line !== '') {
      // A peer that is no HTTP server is told apart at its first line, not after waiting for an empty one.
      if (this.#lines.length === 0 && !STATUS_LINE.test(line)) return this.#break('status_line_malformed');
      this.#lines.push(line);
      return true;
    }
    const [first = '', ...fields] = this.#lines;
    const [, version, status, statusText] = STATUS_LINE.exec(first) ?? [];
    if (version === undefined || statusText === undefined) return this.#break('status_line_malformed');
    const headers = fields.flatMap((field) => this.#field(field));
    this.#lines = [];
    return this.#begin({ version, status: Number(status), statusText, headers });
  }

  #field(line: string): HeaderField[] {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0));
    const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '');
    // Covers folded lines and a space before the colon as well, since neither leaves a token.
    if (!TOKEN.test(name) || !FIELD_VALUE.test(value)) this.violations.push('header_malformed');
    return TOKEN.test(name) ? [[name, value]] : [];
  }

  #begin(head: ResponseHead): boolean {
    if (head.status >= 100 && head.status < 200 && head.status !== 101) {
      this.interim.push(head.status);
      this.#headBytes = 0;
      return true;
    }
    this.#head = head;
    this.#state = this.#framing(head);
    return this.#state !== 'done';
  }

  #framing(head: ResponseHead): ResponseState {
    const lengths = [...new Set(headerList(head.headers, 'content-length'))];
    const codings = headerList(head.headers, 'transfer-encoding').map((coding) => coding.toLowerCase());
    const framed = lengths.length > 0 || codings.length > 0;
    const neverFramed = head.status < 200 || head.status === 204;
    if (neverFramed && framed) this.violations.push('framing_on_bodyless_response');
    if (neverFramed || head.status === 304 || this.#method === 'HEAD') return 'done';
    if (lengths.length > 0 && codings.length > 0) this.violations.push('length_and_chunked');
    if (codings.at(-1) === 'chunked') return 'size';
    if (codings.length > 0) this.violations.push('transfer_encoding_unknown');
    return codings.length > 0 || lengths.length === 0 ? 'untilClose' : this.#counted(lengths);
  }

  #counted(lengths: readonly string[]): ResponseState {
    if (lengths.length > 1) this.violations.push('content_length_conflict');
    const [length = ''] = lengths;
    if (!/^\d{1,15}$/.test(length)) this.violations.push('content_length_invalid');
    if (lengths.length > 1 || !/^\d{1,15}$/.test(length)) return 'broken';
    this.#left = Number(length);
    return this.#left === 0 ? 'done' : 'length';
  }

  #append(bytes: Buffer): boolean {
    if (bytes.length === 0) return false;
    this.#bodyBytes += bytes.length;
    if (this.#bodyBytes > this.#maxBodyBytes) return this.#break('body_over_driver_limit');
    this.#body.push(bytes);
    return true;
  }

  #readCounted(): boolean {
    const bytes = this.#bytes.take(Math.min(this.#left, this.#bytes.length)) ?? Buffer.alloc(0);
    this.#left -= bytes.length;
    if (!this.#append(bytes)) return false;
    if (this.#left === 0) this.#state = this.#state === 'chunk' ? 'chunkEnd' : 'done';
    return this.#left === 0;
  }

  #readSize(): boolean {
    this.#headBytes = 0;
    const line = this.#line();
    if (line === undefined) return false;
    const size = /^([0-9a-fA-F]{1,12})[ \t]*(;.*)?$/.exec(line)?.[1];
    if (size === undefined) return this.#break('chunk_malformed');
    this.#left = Number.parseInt(size, 16);
    this.#state = this.#left === 0 ? 'trailers' : 'chunk';
    return true;
  }

  #readChunkEnd(): boolean {
    const end = this.#bytes.take(2);
    if (end === undefined) return false;
    if (end.toString('latin1') !== '\r\n') return this.#break('chunk_malformed');
    this.#state = 'size';
    return true;
  }

  #readTrailer(): boolean {
    const line = this.#line();
    if (line === undefined) return false;
    if (line === '') this.#state = 'done';
    else this.#field(line);
    return line !== '';
  }
}
