import type { Position } from '../../generated/types.js';
import type { Kind, Message } from '../ports/message.js';
import { MessageBatch } from './batch.js';
import type { RouterContext } from './context.js';
import { kindForMember } from './formats.js';
import type { Pipe } from './pipe.js';
import type { RoomTerms } from './room-terms.js';
import type { Session } from './session.js';

/** So many messages leave before the tick is over: empty ones cost their sender next to nothing, and memory here. */
const MOST_PENDING = 1024;

/** A message on its way in: what the pipe counted, and what the room takes it for. */
export interface Posted {
  readonly pipe: Pipe;
  readonly n: number;
  readonly kind: Kind;
  readonly payload: Buffer;
}

/** A message of the present tick, and how many members have been given it. */
class Routed {
  readonly pipe: Pipe;
  readonly n: number;
  readonly sender: Session;
  readonly message: Message;
  members = 0;
  /** Members that cannot take it in any of their kinds, and after which message of theirs. */
  missed: { readonly member: Session; readonly at: Position }[] | null = null;
  #kinds: Map<string, Kind | null> | null = null;

  constructor(sender: Session, posted: Posted) {
    this.pipe = posted.pipe;
    this.n = posted.n;
    this.sender = sender;
    const { kind, payload } = posted;
    this.message = { kind, payload, id: sender.nextMessageId(), from: sender.sid };
  }

  /** The kind for a member; the payload is looked into once for all members who receive the same kinds. */
  kindFor(terms: RoomTerms, receive: readonly Kind[]): Kind | null {
    if (receive.includes(this.message.kind)) return this.message.kind;
    this.#kinds ??= new Map();
    const key = receive.join();
    const known = this.#kinds.get(key);
    if (known !== undefined) return known;
    const kind = kindForMember(terms, receive, this.message);
    this.#kinds.set(key, kind);
    return kind;
  }
}

/** Members, and the messages that travel between them. Knows sessions and pipes, never a transport. */
export class Room {
  readonly name: string;
  readonly terms: RoomTerms;
  readonly owner: string | null;
  readonly members = new Set<Session>();
  readonly #context: RouterContext;
  #pending: Routed[] = [];
  /** What has its turn behind the first `after` of the pending messages. */
  #turns: { readonly after: number; readonly run: () => void }[] = [];
  #scheduled = false;

  constructor(context: RouterContext, room: { name: string; terms: RoomTerms; owner: string | null }) {
    this.#context = context;
    this.name = room.name;
    this.terms = room.terms;
    this.owner = room.owner;
  }

  get limits(): RoomTerms['limits'] {
    return this.terms.limits;
  }

  /** Takes a message for delivery at the end of the tick, with everything else that the tick brings. */
  post(sender: Session, posted: Posted): void {
    const routed = new Routed(sender, posted);
    this.#pending.push(routed);
    if (sender.trace.tracing) sender.trace.envelopes(posted.pipe.at('c2s', posted.n), [routed.message]);
    if (this.#pending.length >= MOST_PENDING) this.flush();
    else this.#schedule();
  }

  /** Runs when everything that the messages taken so far have to say is said, so that events keep their order. */
  inTurn(run: () => void): void {
    if (this.#turns.length >= MOST_PENDING) this.flush();
    if (this.#pending.length === 0) run();
    else this.#turns.push({ after: this.#pending.length, run });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#context.scheduler.soon(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  /** Delivers what is pending: each message framed once, one write for each member (DELIV-1, DELIV-2). */
  flush(): void {
    if (this.#pending.length === 0) return;
    const routed = this.#pending;
    const turns = this.#turns;
    this.#pending = [];
    this.#turns = [];
    const slow = this.#deliver(routed);
    let next = 0;
    routed.forEach((entry, index) => {
      this.#settle(entry);
      entry.pipe.routedUpTo(entry.n);
      while (turns[next]?.after === index + 1) turns[next++]?.run();
    });
    for (const pipe of slow) pipe.close('slow_consumer'); // DELIV-11, behind what it had to say itself
  }

  /** Returns the pipes of members who do not keep up, and get nothing. */
  #deliver(routed: readonly Routed[]): Pipe[] {
    const slow: Pipe[] = [];
    const common = new MessageBatch(routed.map((entry) => entry.message));
    const senders = new Set(routed.map((entry) => entry.sender));
    const kinds = new Set(routed.map((entry) => entry.message.kind));
    let shared = 0;
    for (const member of this.members) {
      const pipe = member.receivingPipe();
      if (!pipe) continue;
      if (!pipe.keepsUp) {
        slow.push(pipe);
        continue;
      }
      const apart = senders.has(member) && !this.terms.echo;
      if (apart || !member.receivesAll(kinds)) this.#deliverSome(member, pipe, routed);
      else {
        pipe.deliver(common);
        shared++;
      }
    }
    for (const entry of routed) entry.members += shared;
    return slow;
  }

  /** For a member that cannot share the common batch: its own choice of the messages, each in a kind it takes. */
  #deliverSome(member: Session, pipe: Pipe, routed: readonly Routed[]): void {
    const messages: Message[] = [];
    for (const entry of routed) {
      if (entry.sender === member && !this.terms.echo) continue;
      const kind = entry.kindFor(this.terms, member.formats.receive);
      if (kind) {
        entry.members++;
        messages.push(kind === entry.message.kind ? entry.message : { ...entry.message, kind });
      } else {
        entry.missed ??= [];
        entry.missed.push({ member, at: pipe.at('s2c', pipe.s2c.enqueued + messages.length) });
      }
    }
    if (messages.length > 0) pipe.deliver(new MessageBatch(messages));
  }

  #settle(entry: Routed): void {
    if (entry.missed) {
      for (const { member, at } of entry.missed) member.undeliverable(at);
      entry.sender.emit('pipe.undeliverable', {
        at: entry.pipe.at('c2s', entry.n),
        members: entry.missed.length,
        error: { name: 'undeliverable' },
      });
    }
    const { observers } = entry.sender;
    if (!observers.wants('pipe.receipt')) return;
    observers.accepted([{ n: entry.n, id: entry.message.id, members: entry.members }], entry.pipe.epoch);
  }
}
