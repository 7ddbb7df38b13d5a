import type { Undecided } from '../ports/message.js';
import type { Refusal } from '../ports/refusal.js';
import { MessageBatch } from './batch.js';
import { Blockade } from './blockade.js';
import type { RouterContext } from './context.js';
import type { Downstream } from './downstream.js';
import type { Pipe } from './pipe.js';
import type { RoomTerms } from './room-terms.js';
import { type Posted, Routed, isAmong, kindsOf, sendersOf } from './routed.js';
import type { Session } from './session.js';

/** So many messages leave before the tick is over: empty ones cost their sender next to nothing, and memory here. */
const MOST_PENDING = 1024;
/** So many bytes do, too: more of them gain next to nothing by leaving in one write, and grow old meanwhile. */
const MOST_PENDING_BYTES = 16 * 1024;

/** Members, and the messages that travel between them. Knows sessions and pipes, never a transport. */
export class Room {
  readonly name: string;
  /** Changed by Rooms only, as is everything else here that is not for life. */
  terms: RoomTerms;
  owner: string | null;
  /** How often the spec was laid down (ADMIN-12). */
  rev: number;
  ended = false;
  /** In the order in which they came. */
  readonly members = new Set<Session>();
  /** Members of other rooms who are moving here, and for whom a place is kept (MOVE-2). */
  readonly coming = new Set<Session>();
  readonly #context: RouterContext;
  #pending: Routed[] = [];
  #pendingBytes = 0;
  /** What has its turn behind the first `after` of the pending messages. */
  #turns: { readonly after: number; readonly run: () => void }[] = [];
  #scheduled = false;
  /** How many messages the present tick has brought so far, and whether the one before brought one at most. */
  #ofTick = 0;
  #calm = false;
  readonly #dropping = new Set<Downstream>();
  readonly #blockade: Blockade;

  constructor(context: RouterContext, room: { name: string; terms: RoomTerms; owner: string | null; rev?: number }) {
    this.#context = context;
    this.name = room.name;
    this.terms = room.terms;
    this.owner = room.owner;
    this.rev = room.rev ?? 1;
    this.#blockade = new Blockade({ senders: (all) => this.#openPipes(all) });
  }

  get limits(): RoomTerms['limits'] {
    return this.terms.limits;
  }

  /** Why nobody else can enter; null where there is a place left. */
  get full(): Refusal | null {
    const { maxMembers } = this.limits;
    return this.members.size + this.coming.size >= maxMembers ? { refused: 'room_full', limit: maxMembers } : null;
  }

  /**
   * Takes a message for delivery at the end of the tick, with everything else that the tick brings. Where messages come one
   * at a time, none gains by waiting for another, and the first of a tick is delivered at once.
   */
  post(sender: Session, posted: Posted): void {
    const routed = new Routed(sender, posted);
    this.#pending.push(routed);
    if (sender.trace.tracing) sender.trace.envelopes(posted.pipe.at('c2s', posted.from ?? posted.n), [routed.message]);
    this.#pendingBytes += posted.payload.length;
    this.#ofTick++;
    const alone = this.#calm && this.#ofTick === 1;
    const many = this.#pending.length >= MOST_PENDING || this.#pendingBytes >= MOST_PENDING_BYTES;
    if (alone || many) this.flush();
    this.#schedule();
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
      this.#calm = this.#ofTick <= 1;
      this.#ofTick = 0;
      this.flush();
    });
  }

  /** Delivers what is pending: each message framed once, one write for each member (DELIV-1, DELIV-2). */
  flush(): void {
    if (this.#pending.length === 0) return;
    const routed = this.#pending;
    const turns = this.#turns;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#turns = [];
    const behind = this.#deliver(routed);
    let settled = 0;
    let next = 0;
    for (const entry of routed) {
      this.#settle(entry);
      if (!entry.flow) entry.pipe.c2s.routedUpTo(entry.n);
      settled++;
      while (turns[next]?.after === settled) turns[next++]?.run();
    }
    for (const down of this.#dropping) down.drops.settle();
    for (const member of behind) this.#overburdened(member);
  }

  /** Whoever keeps its member waiting for news of drops tells it, at the latest now. */
  tellDrops(): void {
    for (const down of this.#dropping) down.drops.tellAll();
    this.#dropping.clear();
  }

  /** A pipe of the room has drops to tell. */
  dropping(down: Downstream): void {
    this.#dropping.add(down);
  }

  /** A member opened a pipe. */
  entered(member: Session, pipe: Pipe): void {
    if (this.#blockade.up && member.scopes.includes('send')) pipe.reading(false);
  }

  /** A member has gone to another room, and its pipe with it. */
  left({ pipe }: Session): void {
    if (!pipe) return;
    this.#blockade.lift(pipe);
    if (this.#blockade.up) pipe.reading(true);
    this.#dropping.delete(pipe.s2c);
  }

  /** A member's queue is shorter than it was, or its pipe is over. */
  relieved(member: Session): void {
    const { pipe } = member;
    if (!pipe || (pipe.open && pipe.s2c.behind)) return;
    this.#blockade.lift(pipe);
    if (!pipe.open) this.#dropping.delete(pipe.s2c);
  }

  /** The terms are others now: nobody waits for what they do not make wait (ADMIN-13). */
  reviewed(): void {
    for (const member of this.members) {
      if (member.pipe && this.terms.slowConsumer !== 'block') this.#blockade.lift(member.pipe);
      else this.relieved(member);
    }
  }

  /** A member does not read as fast as the others write; behind what it had to say itself (DELIV-11, SLOW-7). */
  #overburdened({ pipe, account, limits }: Session): void {
    if (!pipe) return;
    if (this.terms.slowConsumer === 'block' && account !== null) this.#blockade.raise(pipe, limits.blockMs);
    else pipe.close('slow_consumer');
  }

  *#openPipes(all: boolean): Iterable<Pipe> {
    for (const { pipe, scopes } of this.members) if (pipe?.open && (all || scopes.includes('send'))) yield pipe;
  }

  /** Returns the members for whom more waits than the room allows. */
  #deliver(routed: readonly Routed[]): Session[] {
    const behind: Session[] = [];
    const common = new MessageBatch(routed.map((entry) => entry.message));
    const senders = sendersOf(routed);
    const kinds = kindsOf(routed);
    let shared = 0;
    for (const member of this.members) {
      const pipe = member.receivingPipe();
      if (!pipe) continue;
      const apart = !this.terms.echo && isAmong(member, senders);
      if (pipe.undecided) this.#deliverUndecided(member, pipe, routed);
      else if (apart || !member.receivesAll(kinds) || !pipe.carriesAll(common.messages))
        this.#deliverSome(member, pipe, routed);
      else {
        const dropped = pipe.deliver(common);
        if (dropped.length === 0) shared++;
        else for (const entry of routed) if (!dropped.includes(entry.message)) entry.members++;
      }
      if (pipe.s2c.behind) behind.push(member);
    }
    for (const entry of routed) entry.members += shared;
    return behind;
  }

  /** For a member that cannot share the common batch: its own choice of the messages, each in a kind it takes. */
  #deliverSome(member: Session, pipe: Pipe, routed: readonly Routed[]): void {
    let run: Routed[] = [];
    for (const entry of routed) {
      if (entry.sender === member && !this.terms.echo) continue;
      if (entry.kindFor(this.terms, member.formats.receive) && pipe.carries(entry.message)) run.push(entry);
      else {
        this.#deliverRun(member, pipe, run);
        run = [];
        entry.misses(member, pipe.s2c.place());
      }
    }
    this.#deliverRun(member, pipe, run);
  }

  #deliverRun(member: Session, pipe: Pipe, run: readonly Routed[]): void {
    if (run.length === 0) return;
    const messages = run.map((entry) => {
      const kind = entry.kindFor(this.terms, member.formats.receive) ?? entry.message.kind;
      return kind === entry.message.kind ? entry.message : { ...entry.message, kind };
    });
    const dropped = pipe.deliver(new MessageBatch(messages));
    run.forEach((entry, index) => {
      const message = messages[index];
      if (message && !dropped.includes(message)) entry.members++;
    });
  }

  /** For a member whose settings are being switched: in which kind it takes a message is decided with the switch. */
  #deliverUndecided(member: Session, pipe: Pipe, routed: readonly Routed[]): void {
    for (const entry of routed) {
      if (entry.sender === member && !this.terms.echo) continue;
      if (!pipe.carries(entry.message)) {
        entry.misses(member, pipe.s2c.place());
        continue;
      }
      const message: Undecided = { ...entry.message, missed: () => this.#tellLate(entry) };
      if (pipe.deliver(new MessageBatch([message])).length === 0) entry.members++;
    }
  }

  /** Once, however many members find out that it is not for them: nobody is to flood the sender's log (SWITCH-30). */
  #tellLate(entry: Routed): void {
    if (entry.late) return;
    entry.late = true;
    this.#tellMissed(entry, 1);
  }

  #tellMissed(entry: Routed, members: number): void {
    const at = entry.pipe.at('c2s', entry.n);
    entry.sender.emit('pipe.undeliverable', { at, members, error: { name: 'undeliverable' } });
  }

  #settle(entry: Routed): void {
    if (entry.flow) entry.flow.members = entry.members;
    if (entry.missed) {
      for (const { member, place } of entry.missed) member.undeliverable(place);
      this.#tellMissed(entry, entry.missed.length);
    }
    if (entry.flow || !entry.pipe.c2s.reports) return;
    entry.pipe.c2s.accepted({ n: entry.n, id: entry.message.id, members: entry.members });
  }
}
