const BLANK = 0x20;
const CR = 0x0d;
const LF = 0x0a;

const ASCII = (from: string, to: string): readonly number[] =>
  Array.from({ length: to.charCodeAt(0) - from.charCodeAt(0) + 1 }, (_, n) => from.charCodeAt(0) + n);
const set = (bytes: readonly number[]): ReadonlySet<number> => new Set(bytes);

const DIGIT = set(ASCII('0', '9'));
/** RFC 9110, section 5.6.2: pages can have browsers send methods of their own, too. */
const TOKEN = set([...DIGIT, ...ASCII('A', 'Z'), ...ASCII('a', 'z'), ...Buffer.from("!#$%&'*+-.^_`|~")]);
/** Whatever is neither a blank nor a character of control; more than RFC 9112 allows, as senders do not all keep to it. */
const TARGET = set(Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte > BLANK && byte !== 0x7f));
const VERSION = Buffer.from('HTTP/1.');

type Step = (byte: number) => Step | 'is' | 'not';

const end: Step = (byte) => (byte === LF ? 'is' : 'not');
const returned: Step = (byte) => (byte === CR ? end : end(byte));
const minor: Step = (byte) => (DIGIT.has(byte) ? returned : 'not');
const version =
  (at: number): Step =>
  (byte) => {
    if (byte !== VERSION[at]) return 'not';
    return at + 1 < VERSION.length ? version(at + 1) : minor;
  };

/** One or more of a set, then a blank. */
function word(of: ReadonlySet<number>, next: Step): Step {
  const more: Step = (byte) => {
    if (byte === BLANK) return next;
    return of.has(byte) ? more : 'not';
  };
  return (byte) => (of.has(byte) ? more : 'not');
}

const BEGINNING = word(TOKEN, word(TARGET, version(0)));

/** Tells whether bytes begin with the request line of HTTP/1 (RFC 9112, section 3), however they come. */
export class RequestLine {
  #step: Step | 'is' | 'not' = BEGINNING;
  #left: number;

  /** @param most - What is longer without an LF, and could still be one, is taken for one. */
  constructor(most = Infinity) {
    this.#left = most;
  }

  /** `open` while what has come could still become one. */
  push(chunk: Buffer): 'is' | 'not' | 'open' {
    for (const byte of chunk) {
      if (typeof this.#step === 'string') break;
      this.#step = byte === LF || this.#left-- > 0 ? this.#step(byte) : 'is';
    }
    return typeof this.#step === 'string' ? this.#step : 'open';
  }
}
