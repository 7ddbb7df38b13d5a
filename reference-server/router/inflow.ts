import type { Kind } from '../ports/message.js';
import { kindInRoom } from './formats.js';
import type { Pipe } from './pipe.js';
import type { Flow } from './routed.js';
import type { Session } from './session.js';
import type { MessageRefusal } from './upstream.js';

const NOTHING = Buffer.alloc(0);

/** A message of which parts have come. */
interface Begun extends Flow {
  readonly kind: Kind;
  /** Why nothing of it goes further. */
  readonly refusal: MessageRefusal | null;
  /** Whether parts of it have gone to the room. */
  flows: boolean;
  bytes: number;
}

/** A message that goes to the room in one piece: what of it has come, or how long it is where that is too much. */
interface Gathered {
  parts: Buffer[];
  bytes: number;
  /** Whether it was longer than the room takes at any time: then it is, whatever the room takes by its end. */
  tooLong: boolean;
}

/** What comes otherwise than as whole messages: bytes without boundaries, and messages in parts. */
export class Inflow {
  readonly #session: Session;
  readonly #pipe: Pipe;
  #begun: Begun | null = null;
  #gathered: Gathered | null = null;

  constructor(session: Session, pipe: Pipe) {
    this.#session = session;
    this.#pipe = pipe;
  }

  /** Whether a message has begun that is not yet counted. */
  get flowing(): boolean {
    return this.#begun !== null;
  }

  /** Bytes of a pipe that counts bytes (BYTE-1); each chunk of them goes its own way (STREAM-1). */
  bytes(payload: Buffer): void {
    for (let at = 0; at < payload.length && this.#pipe.taking;) {
      const chunk = payload.subarray(at, at + this.#most());
      at += chunk.length;
      this.#chunk(chunk);
    }
  }

  /** A part of a message. Returns the message where it is to be treated as a whole, and this was the last part. */
  part(kind: Kind, payload: Buffer, last: boolean): Buffer | null {
    if (this.#begun === null && (this.#gathered || !this.#isStream(kind))) return this.#gather(kind, payload, last);
    this.#begun ??= this.#begin(kind);
    this.#pass(this.#begun, payload);
    if (last) this.#finish(this.#begun);
    return null;
  }

  /** The rest of a message will not come. */
  forget(): void {
    this.#begun = null;
    this.#gathered = null;
  }

  #isStream(kind: Kind): boolean {
    return this.#session.room.terms.boundaries === 'ignored' && kind === 'binary';
  }

  /** Length of the next chunk: no more than the room takes, nor beyond an announced end (END-4) or a boundary (MOVE-12). */
  #most(): number {
    const { maxMessageBytes } = this.#session.room.limits;
    const last = Math.min(this.#pipe.ending?.behind ?? Infinity, this.#pipe.lastHere);
    const left = last - this.#pipe.c2s.received;
    return left > 0 ? Math.min(maxMessageBytes, left) : maxMessageBytes;
  }

  #chunk(payload: Buffer): void {
    const pipe = this.#pipe;
    const from = pipe.c2s.received + 1;
    const n = (pipe.c2s.received += payload.length);
    pipe.c2s.bytes += payload.length;
    const refusal = this.#refusal('binary');
    if (refusal) pipe.c2s.refuse({ n, from, kind: 'binary', payload }, refusal);
    else this.#session.room.post(this.#session, { pipe, n, from, kind: 'binary', payload });
    pipe.passed(n);
  }

  #refusal(kind: Kind): MessageRefusal | null {
    const refusal = this.#pipe.c2s.refusal(kind, NOTHING);
    if (refusal) return refusal;
    return kindInRoom(this.#session.room.terms, kind, NOTHING) ? null : { name: 'format_mismatch' };
  }

  #begin(kind: Kind): Begun {
    this.#pipe.counted(this.#pipe.c2s.received + 1); // under which settings, is decided where it begins
    const id = this.#session.nextMessageId();
    return { id, kind, refusal: this.#refusal(kind), flows: false, bytes: 0, members: 0, missed: new Set() };
  }

  #pass(begun: Begun, payload: Buffer): void {
    begun.bytes += payload.length;
    if (begun.refusal) return;
    const { room } = this.#session;
    const most = room.limits.maxMessageBytes;
    const n = this.#pipe.c2s.received + 1;
    for (let at = 0; at < payload.length && this.#pipe.taking; at += most) {
      const chunk = payload.subarray(at, at + most);
      room.post(this.#session, { pipe: this.#pipe, n, kind: begun.kind, payload: chunk, flow: begun });
      begun.flows = true;
    }
  }

  /** The last part has come: the message counts, and its sender hears what became of it (STREAM-5). */
  #finish(begun: Begun): void {
    this.#begun = null;
    const pipe = this.#pipe;
    const { room } = this.#session;
    const { kind } = begun;
    const n = ++pipe.c2s.received;
    pipe.c2s.bytes += begun.bytes;
    if (begun.refusal) pipe.c2s.refuse({ n, kind, payload: NOTHING }, begun.refusal);
    else if (!begun.flows) room.post(this.#session, { pipe, n, kind, payload: NOTHING });
    else room.inTurn(() => this.#tell(n, begun));
    pipe.passed(n);
  }

  #tell(n: number, { id, members }: Flow): void {
    if (this.#pipe.c2s.reports) this.#pipe.c2s.accepted({ n, id, members });
    this.#pipe.c2s.routedUpTo(n);
  }

  /** Keeps no more than the room would take: what is longer is refused by its length, whatever was in it. */
  #gather(kind: Kind, payload: Buffer, last: boolean): Buffer | null {
    const gathered = (this.#gathered ??= { parts: [], bytes: 0, tooLong: false });
    gathered.bytes += payload.length;
    gathered.tooLong ||= gathered.bytes > this.#session.room.limits.maxMessageBytes;
    if (gathered.tooLong) gathered.parts = [];
    else gathered.parts.push(payload);
    if (!last) return null;
    this.#gathered = null;
    if (!gathered.tooLong) return Buffer.concat(gathered.parts);
    this.#refuseTooLong(kind, gathered.bytes);
    return null;
  }

  #refuseTooLong(kind: Kind, length: number): void {
    const pipe = this.#pipe;
    const n = ++pipe.c2s.received;
    pipe.c2s.bytes += length;
    pipe.counted(n);
    const limit = this.#session.room.limits.maxMessageBytes;
    pipe.c2s.refuse(
      { n, kind, payload: NOTHING },
      pipe.c2s.refusal(kind, { length }) ?? { name: 'message_too_large', limit },
    );
    pipe.passed(n);
  }
}
