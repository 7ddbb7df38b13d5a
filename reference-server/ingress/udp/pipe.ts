import { isUtf8 } from 'node:buffer';
import { errors } from '../../../generated/errors.js';
import type { EndCause } from '../../../generated/types.js';
import type { Clock } from '../../ports/clock.js';
import type { Batch, Kind, Message } from '../../ports/message.js';
import type { Backlog, PipeSink, PipeSource } from '../../ports/pipe.js';
import type { Address } from '../../ports/sockets.js';
import type { SecureAssociation } from './association.js';
import { type Datagram, LAST_NUMBER, MOST_PAYLOAD_BYTES, TYPE, kindOf } from './datagram.js';
import { KeepAlive } from './keepalive.js';
import { Window } from './window.js';

/** How often at most an address that has not proved itself is challenged (UDP-25). */
const CHALLENGE_MS = 1000;

/** What a client says beside its messages, by numbers of its own. */
const WORDS: ReadonlySet<number> = new Set([TYPE.open, TYPE.response, TYPE.ping, TYPE.close]);

/** What waits here: nothing ever does, as the system takes or loses what it is given. */
const NOTHING: Backlog = { messages: 0, bytes: 0 };

/** The close code of WebSocket, which CLOSE carries; null where there is nobody left to tell. */
function codeOf(cause: EndCause): number | null {
  if (cause === 'lost') return null;
  return (cause in errors ? errors[cause as keyof typeof errors].wsClose : null) ?? 1000;
}

const same = (a: Address, b: Address): boolean => a.port === b.port && a.host === b.host;

interface PipeParts {
  readonly association: SecureAssociation;
  /** Where the client has proved that it receives. */
  readonly address: Address;
  /** Number of the datagram that proved it. */
  readonly seq: number;
  readonly clock: Clock;
  readonly keepaliveMs: number;
  readonly hardMessageBytes: number;
  /** Called once, when no datagram is for this pipe any more. */
  readonly over: () => void;
}

/** An open association as a pipe: each message is a datagram, with its number. */
export class UdpPipe implements PipeSink {
  readonly transport = 'udp';
  readonly numbered = true;
  readonly ready = true;
  readonly #parts: PipeParts;
  readonly #association: SecureAssociation;
  readonly #data = new Window();
  readonly #control = new Window();
  readonly #keepAlive: KeepAlive;
  #address: Address;
  #source: PipeSource | null = null;
  #sent = 0;
  #controls = 0;
  #challenged = -Infinity;
  #reading = true;
  #closed = false;

  constructor(parts: PipeParts) {
    this.#parts = parts;
    this.#association = parts.association;
    this.#address = parts.address;
    this.#control.take(parts.seq);
    this.#keepAlive = new KeepAlive(parts, {
      ping: () => this.#tell(TYPE.ping),
      timeout: () => this.#end('timeout'),
    });
  }

  get writable(): boolean {
    return !this.#closed;
  }

  /** Starts to report to the router, and tells the client that the pipe is open. */
  attach(source: PipeSource): void {
    this.#source = source;
    if (!this.#closed) this.#association.send(this.#address, { type: TYPE.pong, seq: this.#parts.seq });
  }

  carries({ payload }: Message): boolean {
    return payload.length <= MOST_PAYLOAD_BYTES;
  }

  deliver({ messages }: Batch): void {
    for (const { kind, payload } of messages) {
      if (this.#closed) return;
      this.#association.send(this.#address, { type: TYPE[kind], seq: ++this.#sent, payload });
      if (this.#sent === LAST_NUMBER) this.#end('numbers_exhausted'); // UDP-18
    }
  }

  backlog(): Backlog {
    return NOTHING;
  }

  /** What comes while it is not read is lost, as it would be in a full buffer of the system's. */
  reading(on: boolean): void {
    this.#reading = on;
  }

  close(cause: EndCause): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#keepAlive.stop();
    const code = codeOf(cause);
    if (code !== null) this.#association.close(this.#address, { seq: ++this.#controls, code });
    this.#parts.over();
    queueMicrotask(() => this.#source?.ended(cause)); // whoever closes is told when it has done so
  }

  /** Takes a datagram that is addressed to this association, wherever it comes from. */
  receive(bytes: Buffer, from: Address): void {
    const datagram = this.#association.open(bytes);
    if (!datagram) return; // UDP-1
    const kind = kindOf(datagram.type);
    if (kind) this.#message(kind, datagram, from);
    else if (datagram.type === TYPE.pong) this.#keepAlive.answered(datagram.seq);
    else this.#word(datagram, from);
  }

  #message(kind: Kind, { seq, payload }: Datagram, from: Address): void {
    if (!this.#reading) return;
    const newest = seq > this.#data.highest;
    if (!this.#data.take(seq)) return; // UDP-15
    this.#keepAlive.heard();
    const { hardMessageBytes } = this.#parts;
    if (payload.length > Math.min(hardMessageBytes, MOST_PAYLOAD_BYTES)) this.#end('message_too_long');
    else if (kind !== 'binary' && !isUtf8(payload)) this.#end('invalid_utf8');
    if (this.#closed) return;
    if (newest) this.#review(from, seq);
    this.#source?.receive(kind, payload, seq);
    if (seq === LAST_NUMBER) this.#end('numbers_exhausted'); // UDP-18
  }

  #word({ type, seq, payload }: Datagram, from: Address): void {
    const newest = seq > this.#control.highest;
    if (!WORDS.has(type) || !this.#control.take(seq)) return; // UDP-30, UDP-3
    this.#keepAlive.heard();
    if (type === TYPE.close) this.#end('closed_by_peer');
    else if (type === TYPE.response) this.#response({ payload, seq, newest }, from);
    else if (type === TYPE.open && same(from, this.#address)) this.#challenge(from, seq);
    else if (type === TYPE.ping && same(from, this.#address)) {
      this.#association.send(from, { type: TYPE.pong, seq, payload });
    } else if (newest) this.#review(from, seq);
  }

  #response({ payload, seq, newest }: { payload: Buffer; seq: number; newest: boolean }, from: Address): void {
    const now = this.#parts.clock.now();
    if (!newest || !this.#association.proves(from, { payload, now })) return;
    this.#address = from; // UDP-26
    this.#association.send(from, { type: TYPE.pong, seq });
  }

  /** Where the newest datagram comes from another address, that one has to prove itself before anything goes there. */
  #review(from: Address, seq: number): void {
    const now = this.#parts.clock.now();
    if (same(from, this.#address) || now - this.#challenged < CHALLENGE_MS) return;
    this.#challenged = now;
    this.#challenge(from, seq);
  }

  #challenge(from: Address, seq: number): void {
    this.#association.challenge(from, { seq, now: this.#parts.clock.now() });
  }

  #tell(type: number): number {
    const seq = ++this.#controls;
    this.#association.send(this.#address, { type, seq });
    return seq;
  }

  /** Ends the pipe for a reason of the transport's own. */
  #end(cause: EndCause): void {
    if (this.#closed) return;
    this.#source?.ended(cause);
    this.close(cause);
  }
}
