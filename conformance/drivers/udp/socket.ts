import type { Driver, DriverRecord, Outgoing } from '../driver.js';
import { TYPES, decodeUdp, encodeUdp, kindOfType, typeOfKind } from './codec.js';
import type { UdpDatagram, UdpKeys } from './codec.js';
import type { Impairment } from './impairment.js';
import { ImpairedNetwork } from './impairment.js';
import type { LocalPort } from './ports.js';
import { LocalPorts } from './ports.js';

/** A datagram that a case makes itself; what is left out is as it should be. */
export interface RawDatagram {
  readonly type: number;
  readonly seq?: number | undefined;
  readonly payload: Buffer;
  /** Puts the latest cookie there instead. */
  readonly cookie: boolean;
  readonly corrupt?: string | undefined;
  /** Name of a local port that is not where the client is. */
  readonly via?: string | undefined;
  /** The client is there from now on, and no longer where it was. */
  readonly moves: boolean;
  /** The bytes that were sent last, once more. */
  readonly again: boolean;
}

interface UdpDriverOptions {
  readonly url: URL;
  readonly assoc: Buffer;
  readonly keys: UdpKeys;
  readonly impairment: Impairment | undefined;
  /** Says nothing by itself, not even to open. */
  readonly byHand: boolean;
  readonly onRecord: (record: DriverRecord) => void;
}

const FIRST_RETRY_MS = 250;
const TRIES = 6;
/** Less than the second that lies between two challenges, by what a busy machine may blur. */
const CHALLENGES_APART_MS = 500;

/** One association of the kit, with a codec of its own. It answers challenges and pings, and repeats no message. */
export class UdpDriver implements Driver {
  readonly #options: UdpDriverOptions;
  readonly #ports: LocalPorts;
  readonly #network: ImpairedNetwork;
  #home: LocalPort;
  #data = 0;
  #control = 0;
  #received = 0;
  #cookie: Buffer = Buffer.alloc(0);
  #last: Buffer = Buffer.alloc(0);
  #challengedAt = -Infinity;
  #cookieFor: LocalPort;
  /** What became of the words that are answered by PONG. */
  readonly #asked = new Map<number, 'ping' | 'response' | 'borrowed' | 'answered'>();
  #held: DriverRecord[] | undefined;
  #over = false;
  /** A PONG has answered a RESPONSE. */
  #proved = false;
  #opened: (() => void) | undefined;

  constructor(options: UdpDriverOptions) {
    this.#options = options;
    this.#network = new ImpairedNetwork(options.impairment);
    this.#ports = new LocalPorts(options.url, (bytes, port) => this.#receive(bytes, port));
    this.#home = this.#ports.at('home', !options.byHand);
    this.#cookieFor = this.#home;
  }

  /** Opens the pipe; false where nobody has answered, or the opening was given up. */
  open(signal: AbortSignal): Promise<boolean> {
    if (this.#options.byHand) return Promise.resolve(true);
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const done = (opened: boolean): void => {
        clearTimeout(timer);
        this.#opened = undefined;
        resolve(opened);
      };
      const ask = (tries: number, ms: number): void => {
        if (this.#over || tries === 0) return done(false);
        if (this.#home.responded) this.#respond(this.#home);
        else this.#say(TYPES.OPEN);
        timer = setTimeout(() => ask(tries - 1, ms * 2), ms);
      };
      this.#opened = () => done(true);
      signal.addEventListener('abort', () => done(false), { once: true });
      ask(TRIES, FIRST_RETRY_MS);
    });
  }

  /** Whether the network will lose the next message. */
  get losesNext(): boolean {
    return this.#network.peek().lost;
  }

  send({ kind, payload, sure }: Outgoing): boolean {
    const bytes = this.#make({ type: typeOfKind(kind), seq: ++this.#data, payload });
    if (this.#over) return false;
    if (sure === true) {
      this.#network.flush();
      this.#out(bytes);
    } else {
      this.#network.carry(() => this.#out(bytes));
      setImmediate(() => this.#network.flush());
    }
    return true;
  }

  /** There are no siblings over UDP. */
  sendText(): boolean {
    throw new Error('no sibling is over UDP');
  }

  sendRaw(bytes: Buffer): boolean {
    this.#out(bytes);
    return true;
  }

  /** Sends what a case has made, and returns its bytes. */
  sendDatagram({ type, seq, payload, cookie, corrupt, via, moves, again }: RawDatagram): Buffer {
    const port = via === undefined ? this.#home : this.#ports.at(via, moves);
    const number = seq ?? (type >= TYPES.TEXT ? this.#data + 1 : this.#control + 1);
    const highest = type >= TYPES.TEXT ? this.#data : this.#control;
    if (!again && type >= TYPES.TEXT && corrupt === undefined) this.#data = Math.max(this.#data, number);
    if (!again && type < TYPES.TEXT && corrupt === undefined) this.#control = Math.max(this.#control, number);
    if (!again && corrupt === undefined) this.#expectAnswer({ type, seq: number, cookie }, port);
    const content = cookie ? this.#cookie : payload;
    if (!again && corrupt === undefined && number > highest) port.newest = true;
    const made = again ? this.#last : this.#corrupted({ type, seq: number, payload: content }, corrupt);
    if (moves && port !== this.#home) {
      const { name } = this.#home;
      this.#home = port;
      this.#ports.close(name);
    }
    this.#out(made, port);
    return made;
  }

  ping(payload: Buffer): boolean {
    this.#asked.set(this.#control + 1, 'ping');
    this.#say(TYPES.PING, payload);
    return true;
  }

  close(): void {
    this.#say(TYPES.CLOSE);
  }

  cut(): void {
    this.#over = true;
    this.#ports.close();
  }

  /** Only the kit notices: a datagram that is not read is lost sooner or later, and the server does not know. */
  pause(): void {
    this.#held ??= [];
  }

  resume(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const record of held) this.#options.onRecord(record);
  }

  async written(): Promise<boolean> {
    await this.#ports.written();
    return !this.#over;
  }

  #make(datagram: Omit<UdpDatagram, 'assoc'>): Buffer {
    const { assoc, keys } = this.#options;
    return encodeUdp({ ...datagram, assoc }, keys.c2s);
  }

  #expectAnswer({ type, seq, cookie }: { type: number; seq: number; cookie: boolean }, port: LocalPort): void {
    if (type === TYPES.PING) this.#asked.set(seq, 'ping');
    if (type !== TYPES.RESPONSE) return;
    const own = cookie && port === this.#cookieFor;
    this.#asked.set(seq, own ? 'response' : 'borrowed');
    if (own) port.responded = true;
  }

  #corrupted(datagram: Omit<UdpDatagram, 'assoc'>, how: string | undefined): Buffer {
    const { assoc, keys } = this.#options;
    if (how === 'direction') return encodeUdp({ ...datagram, assoc }, keys.s2c);
    if (how === 'assoc') return encodeUdp({ ...datagram, assoc: flipped(assoc, 7) }, keys.c2s);
    const bytes = this.#make(datagram);
    if (how === undefined) return bytes;
    if (how === 'short') return bytes.subarray(0, 23);
    const places: Readonly<Record<string, number>> = { letters: 0, version: 2, mac: bytes.length - 1, payload: 16 };
    const place = places[how];
    if (place === undefined) throw new Error(`no datagram is corrupt by its ${how}`);
    return flipped(bytes, place);
  }

  #say(type: number, payload: Buffer = Buffer.alloc(0), port = this.#home): void {
    if (!this.#over) this.#out(this.#make({ type, seq: ++this.#control, payload }), port);
  }

  #out(bytes: Buffer, port = this.#home): void {
    this.#last = bytes;
    if (!this.#over) this.#ports.send(port, bytes);
  }

  #respond(port: LocalPort): void {
    port.responded = true;
    this.#asked.set(this.#control + 1, 'response');
    this.#say(TYPES.RESPONSE, this.#cookie, port);
  }

  #receive(bytes: Buffer, port: LocalPort): void {
    // Who had this port before may still be sent something.
    if (this.#over || !isFor(bytes, this.#options.assoc)) return;
    port.receivedBytes += bytes.length;
    const datagram = decodeUdp(bytes, this.#options.keys.s2c);
    if (typeof datagram === 'string') return this.#record({ type: 'violation', what: datagram });
    if (!port.responded && port.receivedBytes > 3 * port.sentBytes) {
      this.#record({ type: 'violation', what: 'amplification' });
    }
    const kind = kindOfType(datagram.type);
    if (kind === undefined) return this.#word(datagram, port);
    if (!port.responded) this.#record({ type: 'violation', what: 'message_before_proof' });
    if (datagram.seq !== this.#received + 1) this.#record({ type: 'violation', what: 'number_out_of_turn' });
    this.#received = datagram.seq;
    this.#record({ type: 'message', kind, payload: datagram.payload });
  }

  #word({ type, seq, payload }: UdpDatagram, port: LocalPort): void {
    if (type === TYPES.CHALLENGE) this.#challenge(payload, port);
    else if (type === TYPES.PONG) this.#pong(seq, payload);
    else if (type === TYPES.PING) {
      this.#record({ type: 'ping', payload });
      if (this.#held === undefined) this.#out(this.#make({ type: TYPES.PONG, seq, payload }), port);
    } else if (type === TYPES.CLOSE) {
      const code = payload.length === 2 ? payload.readUInt16BE() : undefined;
      if (code === undefined) this.#record({ type: 'violation', what: 'close_without_code' });
      this.#record({ type: 'close', code: code ?? 0, reason: '' });
      this.#record({ type: 'eof', unfinishedBytes: 0 });
    } else this.#record({ type: 'violation', what: `datagram_of_type_${String(type)}` });
  }

  #challenge(payload: Buffer, port: LocalPort): void {
    if (payload.length !== 16) this.#record({ type: 'violation', what: 'cookie_of_another_length' });
    if (this.#proved && !port.newest) this.#record({ type: 'violation', what: 'challenge_for_old_numbers' });
    const now = performance.now();
    if (!this.#options.byHand && this.#opened === undefined) {
      if (now - this.#challengedAt < CHALLENGES_APART_MS)
        this.#record({ type: 'violation', what: 'challenges_in_haste' });
      this.#challengedAt = now;
    }
    this.#cookie = payload;
    this.#cookieFor = port;
    if (port.answers) this.#respond(port);
    else this.#record({ type: 'pong', payload: Buffer.from('challenge') });
  }

  #pong(seq: number, payload: Buffer): void {
    const asked = this.#asked.get(seq);
    this.#asked.set(seq, 'answered');
    if (asked === 'borrowed') this.#record({ type: 'violation', what: 'pong_for_a_borrowed_cookie' });
    else if (asked === 'answered') this.#record({ type: 'violation', what: 'pong_for_a_repeated_number' });
    else if (asked === undefined) this.#record({ type: 'violation', what: 'pong_for_nothing' });
    else if (asked === 'response') this.#proved = true;
    if (asked !== 'ping' && asked !== 'response') return;
    if (this.#opened === undefined) this.#record({ type: 'pong', payload });
    else this.#opened();
  }

  #record(record: DriverRecord): void {
    if (this.#held === undefined) this.#options.onRecord(record);
    else this.#held.push(record);
  }
}

const ASSOC_AT = 4;

/** Whether bytes are no datagram of another association. */
const isFor = (bytes: Buffer, assoc: Buffer): boolean =>
  bytes.toString('latin1', 0, 2) !== 'PH' ||
  bytes.length < ASSOC_AT + assoc.length ||
  bytes.subarray(ASSOC_AT, ASSOC_AT + assoc.length).equals(assoc);

function flipped(bytes: Buffer, place: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[place] = (copy[place] ?? 0) ^ 1;
  return copy;
}
