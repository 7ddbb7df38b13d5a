import type { Refusal } from '../../ports/refusal.js';
import { partHead } from './part-head.js';
import { BROKEN, type FormParser, type Parts } from './parts.js';

/** A head is a line or two; more of it is held for nobody. */
const MOST_HEAD_BYTES = 8192;
const MOST_PADDING = 64;
const HEAD_END = Buffer.from('\r\n\r\n');
const CR = 0x0d;

/** RFC 2046, section 5.1.1, as far as a header can carry it. */
export const BOUNDARY = /^[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]$/;

type State = 'preamble' | 'delimiter' | 'head' | 'content' | 'epilogue';

/**
 * Multipart/form-data as it comes (RFC 7578). Of our own, because bytes matter here: the usual library decodes fields
 * before anybody can see that they are no UTF-8, cuts long ones short, and leaves out parts that it cannot read.
 */
export class MultipartParser implements FormParser {
  readonly swells = 1;
  readonly #delimiter: Buffer;
  readonly #parts: Parts;
  /** What has come and is not done with; less than a delimiter, or a head. */
  #rest: Buffer = Buffer.from('\r\n'); // the first delimiter may stand at the very beginning
  #state: State = 'preamble';
  /** Whether a part has begun whose delimiter is being looked at. */
  #open = false;

  constructor(boundary: string, parts: Parts) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
    this.#parts = parts;
  }

  write(chunk: Buffer): Refusal | null {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const went = this.#step();
      if (went !== 'on') return went;
    }
  }

  end(): Refusal | null {
    return this.#state === 'epilogue' ? null : BROKEN;
  }

  /** Goes one step further; null where more has to come first. */
  #step(): Refusal | 'on' | null {
    switch (this.#state) {
      case 'preamble':
      case 'content':
        return this.#content();
      case 'delimiter':
        return this.#behindDelimiter();
      case 'head':
        return this.#head();
      case 'epilogue':
        this.#rest = Buffer.alloc(0);
        return null;
    }
  }

  #content(): Refusal | 'on' | null {
    const at = this.#rest.indexOf(this.#delimiter);
    const inside = this.#state === 'content';
    const fault = inside ? this.#pass(at < 0 ? this.#safe() : at) : null;
    if (fault) return fault;
    if (at < 0) {
      this.#rest = this.#rest.subarray(this.#safe());
      return null;
    }
    this.#rest = this.#rest.subarray(at + this.#delimiter.length);
    this.#state = 'delimiter';
    this.#open = inside;
    return 'on';
  }

  #pass(until: number): Refusal | null {
    return until > 0 ? this.#parts.data(this.#rest.subarray(0, until)) : null;
  }

  /** Up to where no delimiter can have begun. */
  #safe(): number {
    const from = Math.max(0, this.#rest.length - this.#delimiter.length + 1);
    const at = this.#rest.indexOf(CR, from);
    return at < 0 ? this.#rest.length : at;
  }

  #behindDelimiter(): Refusal | 'on' | null {
    const text = this.#rest.toString('latin1', 0, MOST_PADDING + 2);
    if (text.length < 2) return null;
    if (text.startsWith('--')) return this.#goOn('epilogue');
    const line = /^[ \t]*\r\n/.exec(text)?.[0];
    if (line === undefined) return text.length < MOST_PADDING && /^[ \t]*\r?$/.test(text) ? null : BROKEN;
    this.#rest = this.#rest.subarray(line.length);
    return this.#goOn('head');
  }

  /** A part is whole once it is certain that its delimiter is one. */
  #goOn(state: State): Refusal | 'on' {
    const fault = this.#open ? this.#parts.end() : null;
    this.#open = false;
    this.#state = state;
    return fault ?? 'on';
  }

  #head(): Refusal | 'on' | null {
    const at = this.#rest.indexOf(HEAD_END);
    if (at < 0) return this.#rest.length > MOST_HEAD_BYTES ? BROKEN : null;
    if (at > MOST_HEAD_BYTES) return BROKEN;
    const head = partHead(this.#rest.toString('latin1', 0, at));
    if ('refused' in head) return head;
    this.#rest = this.#rest.subarray(at + HEAD_END.length);
    this.#state = 'content';
    return this.#parts.begin(head) ?? 'on';
  }
}
