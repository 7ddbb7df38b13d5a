import type { DialogueRecord } from '../dialogue.js';
import { DialogueDriver } from '../dialogue.js';

/** A reply of RFC 959; `text` is that of its last line. */
export interface Reply {
  readonly code: number;
  readonly text: string;
}

/** A command that has been said, and what became of it. */
export interface Said {
  readonly command: string;
  /** The mark (1xx) that came before its end, if one did. */
  mark?: Reply;
  over: boolean;
  /** Its last reply; undefined where the connection ended before. */
  readonly answer: Promise<Reply | undefined>;
}

interface Pending extends Said {
  readonly marked: (mark: Reply) => void;
  readonly settle: (reply: Reply | undefined) => void;
}

/** The end of the control connection, with the last reply that it brought. */
export interface ControlEnd {
  readonly how: 'end' | 'reset';
  readonly what: string;
  readonly last: Reply | undefined;
}

interface ControlParts {
  readonly host: string;
  readonly port: number;
  readonly onEnd: (end: ControlEnd) => void;
}

const REPLY = /^(\d{3})(?:([ -])(.*))?$/;
const CLOSING = 421;
const DONE = 226;

/** Whether a reply ends the connection, whatever was asked. */
const isLast = ({ code }: Reply): boolean => code === CLOSING;

/** The facts of a reply, `name=value`, by name (ftp.md, "The dialogue"); whole numbers as such. */
export function factsOf({ text }: Reply): { readonly [name: string]: string | number } {
  const pairs = text.split(' ').map((word) => word.split('=', 2));
  const facts = pairs.flatMap(([name = '', value]) => (value === undefined ? [] : [[name, numeral(value)] as const]));
  return Object.fromEntries(facts);
}

const numeral = (text: string): string | number => (/^\d{1,15}$/.test(text) ? Number(text) : text);

/** A control connection of FTP: commands go out in order, and each gets its reply. The greeting answers nothing. */
export class Control {
  readonly driver: DialogueDriver;
  readonly greeting: Said;
  readonly #waiting: Pending[] = [];
  readonly #onEnd: (end: ControlEnd) => void;
  #last: Reply | undefined;
  #multiline: string | undefined;
  #over = false;

  constructor({ host, port, onEnd }: ControlParts) {
    this.#onEnd = onEnd;
    this.greeting = this.#expect('');
    this.driver = new DialogueDriver({ host, port, from: undefined }, (record) => this.#hear(record));
  }

  /** Says a command. Several that are said in one go leave in one packet, as the system likes. */
  say(command: string, marked?: (mark: Reply) => void): Said {
    const said = this.#expect(command, marked);
    if (this.#over) this.#abandon();
    else this.driver.sendText(`${command}\r\n`);
    return said;
  }

  cut(): void {
    this.#over = true;
    this.driver.cut();
    this.#abandon();
  }

  #expect(command: string, marked: (mark: Reply) => void = () => undefined): Said {
    let settle: Pending['settle'] = () => undefined;
    const answer = new Promise<Reply | undefined>((resolve) => (settle = resolve));
    const pending: Pending = { command, over: false, answer, marked, settle };
    this.#waiting.push(pending);
    return pending;
  }

  #hear(record: DialogueRecord): void {
    if (record.type === 'line') this.#line(record.text);
    if (record.type !== 'closed') return;
    this.#over = true;
    this.#abandon();
    this.#onEnd({ how: record.how, what: record.what, last: this.#last });
  }

  // A reply of several lines ends with the line that begins with its code and a blank (RFC 959, section 4.2).
  #line(text: string): void {
    const [, code = '', mark, rest = ''] = REPLY.exec(text) ?? [];
    if (this.#multiline !== undefined && (code !== this.#multiline || mark === '-')) return;
    this.#multiline = mark === '-' ? code : undefined;
    if (this.#multiline === undefined) this.#reply({ code: Number(code), text: rest });
  }

  #reply(reply: Reply): void {
    this.#last = reply;
    if (isLast(reply)) return this.#abandon();
    const at = this.#answered(reply);
    const pending = this.#waiting[at];
    if (pending === undefined) return;
    if (reply.code < 200) {
      pending.mark = reply;
      return pending.marked(reply);
    }
    this.#waiting.splice(at, 1);
    this.#settle(pending, reply);
  }

  // A transfer that has not begun cannot end well: then it is an ABOR that went before it.
  #answered({ code }: Reply): number {
    const [first] = this.#waiting;
    const early = code === DONE && first?.command.startsWith('RETR') === true && first.mark === undefined;
    return early
      ? Math.max(
          0,
          this.#waiting.findIndex(({ command }) => command === 'ABOR'),
        )
      : 0;
  }

  #settle(pending: Pending, reply: Reply | undefined): void {
    pending.over = true;
    pending.settle(reply);
  }

  #abandon(): void {
    for (const pending of this.#waiting.splice(0)) this.#settle(pending, undefined);
  }
}
