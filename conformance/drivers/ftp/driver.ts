import type { Driver, DriverRecord, Outgoing } from '../driver.js';
import type { OpenResult } from '../websocket/opening.js';
import { DataConnection } from './data.js';
import type { ControlEnd, Reply, Said } from './replies.js';
import { Control, factsOf } from './replies.js';

interface FtpParts {
  readonly host: string;
  readonly port: number;
  readonly ticket: string;
  readonly onRecord: (record: DriverRecord) => void;
}

const DONE = 226;
const LOGGED_IN = 230;
const EMPTY = 450;
const BROKEN_OFF: ReadonlySet<number> = new Set([425, 426]);
/** Transfers that break off by themselves before the kit gives up. */
const PATIENCE = 3;

const OPENED: OpenResult = { type: 'opened', subprotocol: undefined, headers: [], violations: [] };

/** The port of a 229 (RFC 2428). */
const portOf = (reply: Reply | undefined): number | undefined => {
  const port = reply?.code === 229 ? /\(\|\|\|(\d+)\|\)/.exec(reply.text)?.[1] : undefined;
  return port === undefined ? undefined : Number(port);
};

const lengthOf = (mark: Reply | undefined): number | undefined => {
  const bytes = /\((\d+) bytes\)/.exec(mark?.text ?? '')?.[1];
  return bytes === undefined ? undefined : Number(bytes);
};

/**
 * A pipe over FTP (ftp.md). Whenever nothing is to be sent it waits for a message with `RETR wait`; who wants to send
 * breaks that off with `ABOR`, which loses nothing. A message counts as received when its 226 has come.
 */
export class FtpDriver implements Driver {
  readonly #parts: FtpParts;
  readonly #control: Control;
  readonly #outgoing: Outgoing[] = [];
  #type = 'A';
  #retrieving: Said | undefined;
  #data: DataConnection | undefined;
  #stored = 0;
  #retrieved = 0;
  #broken = 0;
  #listens = true;
  #leaving = false;
  #held: DriverRecord[] | undefined;
  #over = false;
  /** Called when there is something to do. */
  #wake: () => void = () => undefined;
  #drained: (() => void)[] = [];
  #aborting = false;

  constructor(parts: FtpParts) {
    this.#parts = parts;
    const { host, port } = parts;
    this.#control = new Control({ host, port, onEnd: (end) => this.#ended(end) });
  }

  /** Logs in with the ticket. */
  async open(): Promise<OpenResult> {
    const { ticket } = this.#parts;
    const [greeting, , login] = [
      this.#control.greeting.answer,
      this.#control.say('USER porthouse').answer,
      this.#control.say(`PASS ${ticket}`).answer,
    ];
    const [hello, reply] = [await greeting, await login];
    if (reply?.code === LOGGED_IN) {
      void this.#run();
      return OPENED;
    }
    this.cut();
    const violations: [] = [];
    if (hello === undefined || reply === undefined) {
      return { type: 'failed', why: 'eof', error: 'no_reply', status: hello?.code, violations };
    }
    const body = Buffer.from(reply.text, 'latin1');
    return { type: 'refused', status: reply.code, statusText: '', headers: [], body, violations };
  }

  send(message: Outgoing): boolean {
    if (this.#over || this.#leaving) return false;
    this.#outgoing.push(message);
    this.#interrupt();
    return true;
  }

  /** There are no siblings over FTP. */
  sendText(): boolean {
    return false;
  }

  /** Bytes of the control connection. */
  sendRaw(bytes: Buffer): boolean {
    return this.#control.driver.sendRaw(bytes);
  }

  /** QUIT, behind what is to be sent. */
  close(): void {
    this.#leaving = true;
    this.#interrupt();
  }

  cut(): void {
    this.#over = true;
    this.#data?.cut();
    this.#control.cut();
    this.#rest();
  }

  pause(): void {
    this.#held ??= [];
    this.#control.driver.pause();
    this.#data?.pause();
  }

  resume(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const record of held) this.#parts.onRecord(record);
    this.#control.driver.resume();
    this.#data?.resume();
    this.#wake();
  }

  /** Resolves when all that was to be sent has been answered. */
  async written(): Promise<boolean> {
    if (this.#outgoing.length > 0 && !this.#over) await new Promise<void>((resolve) => this.#drained.push(resolve));
    return !this.#over;
  }

  async #run(): Promise<void> {
    while (!this.#over) {
      const [next] = this.#outgoing;
      if (next !== undefined) await this.#store(next);
      else if (this.#leaving) return void this.#control.say('QUIT');
      else if (this.#listens && this.#held === undefined) await this.#retrieve();
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async #store(message: Outgoing): Promise<void> {
    const type = message.kind === 'binary' ? 'I' : 'A';
    if (type !== this.#type) this.#control.say(`TYPE ${type}`);
    this.#type = type;
    const door = this.#control.say('EPSV');
    const told = this.#control.say('STOR message', () => (this.#stored += 1));
    const data = this.#connect(await door.answer);
    data?.upload(message.payload);
    const reply = await told.answer;
    this.#outgoing.shift();
    if (reply !== undefined && told.mark !== undefined) this.#receipt(reply, told.mark);
    if (this.#outgoing.length === 0) this.#rest();
  }

  // FTP-13 to FTP-15: both replies name the place that the upload has in the pipe.
  #receipt(reply: Reply, mark: Reply): void {
    const facts = factsOf(reply);
    const places = [factsOf(mark)['n'], facts['n']];
    if (places.some((n) => n !== this.#stored)) this.#violation('receipt_for_another_message');
    const error = reply.code === DONE ? {} : { error: reply.text.split(' ', 1)[0] ?? '' };
    this.#record({ type: 'receipt', code: reply.code, facts: { ...facts, ...error } });
  }

  async #retrieve(): Promise<void> {
    const door = this.#control.say('EPSV');
    const told = this.#control.say('RETR wait');
    this.#data = undefined; // no ABOR before there is something to break off
    this.#retrieving = told;
    const data = this.#connect(await door.answer);
    if (this.#outgoing.length > 0 || this.#leaving) this.#interrupt();
    const reply = await told.answer;
    this.#retrieving = undefined;
    if (reply?.code === DONE && data !== undefined) {
      this.#message(reply, told.mark, await data.whole);
      return;
    }
    data?.cut();
    if (reply === undefined) this.#listens = false;
    else this.#missed(reply);
  }

  #message(reply: Reply, mark: Reply | undefined, payload: Buffer | undefined): void {
    this.#broken = 0;
    this.#data = undefined;
    if (mark === undefined) this.#listens = false;
    if (mark === undefined || payload === undefined) return this.#violation('download_without_its_message');
    const facts = factsOf(reply);
    const begun = factsOf(mark);
    this.#retrieved += 1;
    if (facts['n'] !== this.#retrieved || begun['n'] !== facts['n']) this.#violation('download_out_of_turn');
    if (lengthOf(mark) !== payload.length) this.#violation('download_of_another_length');
    const { kind } = begun;
    if (kind === 'text' || kind === 'binary' || kind === 'json') this.#record({ type: 'message', kind, payload });
    else this.#violation('download_of_no_kind');
  }

  // What was broken off comes again; where nothing is to be had for this session, nobody asks any more.
  #missed({ code }: Reply): void {
    this.#data = undefined;
    if (code === EMPTY) this.#violation('did_not_wait');
    if (!BROKEN_OFF.has(code)) this.#listens = false;
    else if (this.#outgoing.length === 0 && !this.#leaving) this.#broken += 1;
    if (this.#broken >= PATIENCE) this.#listens = false;
  }

  #connect(door: Reply | undefined): DataConnection | undefined {
    const port = portOf(door);
    if (port === undefined || this.#over) return undefined;
    this.#data = new DataConnection(this.#parts.host, port);
    if (this.#held !== undefined) this.#data.pause();
    return this.#data;
  }

  #interrupt(): void {
    this.#wake();
    if (!this.#aborting && this.#retrieving !== undefined && this.#data !== undefined) void this.#abort();
  }

  // An ABOR that arrives before its transfer has begun breaks nothing off, and is said again.
  async #abort(): Promise<void> {
    this.#aborting = true;
    while (this.#retrieving?.over === false && !this.#over) await this.#control.say('ABOR').answer;
    this.#aborting = false;
  }

  #rest(): void {
    for (const drained of this.#drained.splice(0)) drained();
  }

  #violation(what: string): void {
    this.#record({ type: 'violation', what });
  }

  #ended({ how, what, last }: ControlEnd): void {
    if (this.#over) return;
    this.#over = true;
    // The last reply is a word of farewell, unless it answers what went well.
    if (last !== undefined && (last.code === 221 || last.code >= 400)) {
      this.#record({ type: 'close', code: last.code, reason: last.text });
    }
    this.#record(how === 'end' ? { type: 'eof', unfinishedBytes: 0 } : { type: 'reset', error: what });
    this.#data?.cut();
    this.#wake();
    this.#rest();
  }

  #record(record: DriverRecord): void {
    if (this.#held === undefined) this.#parts.onRecord(record);
    else this.#held.push(record);
  }
}
