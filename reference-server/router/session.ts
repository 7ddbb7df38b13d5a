import type { Formats, Framing, Limits, Scope, SessionState } from '../../generated/types.js';
import type { Kind } from '../ports/message.js';
import type { PipeSink } from '../ports/pipe.js';
import type { Result } from '../ports/refusal.js';
import type { Channel } from '../ports/sibling.js';
import { Bindings } from './bindings.js';
import type { RouterContext } from './context.js';
import { DebugTrace } from './debug-trace.js';
import type { Place } from './drops.js';
import { EventRing } from './event-log.js';
import { Linger } from './linger.js';
import { Observers } from './observers.js';
import { Operations } from './operations.js';
import { Pipe } from './pipe.js';
import { announce } from './presence.js';
import type { Room } from './room.js';
import { type RoomTerms, sameRate } from './room-terms.js';
import { type RoomEnd, described, owns } from './rooms.js';
import { stateOf } from './session-state.js';
import { TokenBucket } from '../ports/token-bucket.js';

/** As what a client sends: the kinds that it may, and the one that it has switched to. */
interface Sending {
  readonly send: readonly Kind[];
  readonly sendsAs: Kind | null;
}

/** What a grant settles for the whole life of a session. */
export interface Terms {
  readonly sid: string;
  /** In base64url, as the client has it: a buffer of its own would take four times the memory. */
  readonly secret: string;
  readonly account: string | null;
  readonly room: Room;
  readonly scopes: readonly Scope[];
  readonly formats: Formats;
  readonly limits: Readonly<Required<Limits>>;
}

interface SessionHooks {
  readonly ticketUntil: (session: Session) => number;
  readonly end: (session: Session) => void;
}

/** Couples one client socket with its siblings; a member of its room for as long as it lives. */
export class Session {
  readonly context: RouterContext;
  readonly sid: string;
  readonly secret: string;
  readonly account: string | null;
  /** How its pipe tells messages apart, by the latest ticket. */
  framing: Framing | undefined;
  #room: Room;
  /** The kinds in force; a switch changes them. */
  formats: Formats;
  /** As what the client sends now. */
  sending: Sending;
  readonly limits: Readonly<Required<Limits>>;
  readonly log: EventRing;
  readonly bindings = new Bindings();
  readonly observers: Observers;
  readonly trace: DebugTrace;
  readonly linger: Linger;
  readonly #granted: readonly Scope[];
  readonly #hooks: SessionHooks;
  #scopes: readonly Scope[];
  /** Marks of the announced ends that it was told of, by the sid of whose stream ends. */
  readonly endings = new Map<string, number | null>();
  #operations: Operations | null = null;
  #commands: TokenBucket | null = null;
  #pipe: Pipe | null = null;
  #messages = 0;
  #handshakes = 0;
  #marks = 0;
  #moves = 0;
  /** Of the rooms with a rate that it has been in: to leave one and come back fills nothing (MOVE-27). */
  #buckets: WeakMap<Room, TokenBucket> | null = null;
  #ended = false;

  constructor(context: RouterContext, terms: Terms, hooks: SessionHooks) {
    this.context = context;
    this.sid = terms.sid;
    this.secret = terms.secret;
    this.account = terms.account;
    this.#room = terms.room;
    this.#granted = terms.scopes;
    this.#scopes = terms.scopes;
    this.#hooks = hooks;
    this.formats = terms.formats;
    this.sending = { send: terms.formats.send, sendsAs: null };
    this.limits = terms.limits;
    this.log = new EventRing({ events: terms.limits.ringEvents, bytes: terms.limits.ringBytes });
    this.observers = new Observers(this);
    this.trace = new DebugTrace(this);
    this.linger = new Linger(this);
  }

  /** The room that it is a member of. */
  get room(): Room {
    return this.#room;
  }

  // Most sessions use neither, so they are made when they are asked for.
  get operations(): Operations {
    this.#operations ??= new Operations();
    return this.#operations;
  }

  get commands(): TokenBucket {
    this.#commands ??= new TokenBucket(this.context.clock, { perSecond: this.limits.agentCommandsPerSecond });
    return this.#commands;
  }

  /** Whether an open pipe, a bound sibling or a handshake under way holds it (SESS-2). */
  get held(): boolean {
    return this.#pipe?.open === true || this.bindings.any || this.#handshakes > 0;
  }

  /** Until when an unused ticket holds it, in clock time. */
  ticketUntil(): number {
    return this.#hooks.ticketUntil(this);
  }

  /** The open pipe, or the last one. */
  get pipe(): Pipe | null {
    return this.#pipe;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** What it may do now: what was granted, as far as the room still permits it. */
  get scopes(): readonly Scope[] {
    return this.#scopes;
  }

  /** The epoch that the next pipe will have (PIPE-1). */
  get nextEpoch(): number {
    return (this.#pipe?.epoch ?? 0) + 1;
  }

  /** Number of the newest event of a channel; each has a numbering of its own. */
  headSeq(channel: Channel): number {
    return channel === 'command' ? this.log.headSeq : this.trace.headSeq;
  }

  /** Number of the oldest event that is retained, or one more than there are. */
  oldestSeq(channel: Channel): number {
    return channel === 'command' ? this.log.oldestSeq : this.trace.headSeq + 1;
  }

  /** Message ids are unique on this node: sids are, and the number never repeats within one. */
  nextMessageId(): string {
    return `${this.sid}.${String(++this.#messages)}`;
  }

  /** Marks are unique in a session (MARK-2). */
  nextMark(): number {
    return ++this.#marks;
  }

  /** Ids of moves are unique in a session. */
  nextMoveId(): string {
    return String(++this.#moves);
  }

  /** The room's rate where one more message exceeds it (RATE-1), null where it does not. */
  overRate(): number | null {
    const { messagesPerSecond: perSecond, messageBurst } = this.room.limits;
    if (perSecond === undefined) return null;
    this.#buckets ??= new WeakMap<Room, TokenBucket>();
    const bucket =
      this.#buckets.get(this.room) ??
      new TokenBucket(this.context.clock, { perSecond, burst: messageBurst ?? perSecond });
    this.#buckets.set(this.room, bucket);
    return bucket.take() ? null : perSecond;
  }

  /** Puts a lifecycle event into the log of the command channel, where no sleep and no cut can lose it. */
  emit(method: string, params: Readonly<Record<string, unknown>>): void {
    this.log.append(method, { sid: this.sid, ...params });
    this.#told(method);
  }

  /** The same for what another member has to say; false where it has not acknowledged enough of that (AGENT-12). */
  offer(method: string, params: Readonly<Record<string, unknown>>, room: { andMore?: boolean } = {}): boolean {
    if (!this.log.offer(method, { sid: this.sid, ...params }, room)) return false;
    this.#told(method);
    return true;
  }

  /** The mark that belongs to what another member had to say, and for which room was kept (END-11). */
  redeem(method: string, params: Readonly<Record<string, unknown>>): void {
    this.log.redeem(method, { sid: this.sid, ...params });
    this.#told(method);
  }

  #told(method: string): void {
    this.bindings.outlet('command')?.wake();
    this.trace.log('info', method);
  }

  /** A ticket was redeemed: the session waits for what becomes of the handshake. */
  offered(): void {
    this.#handshakes++;
    this.linger.review();
  }

  /** The handshake came to nothing. */
  abandoned(): void {
    this.#handshakes--;
    this.linger.review();
  }

  openPipe(sink: PipeSink): Pipe {
    this.#handshakes--;
    this.#pipe?.close('replaced'); // two handshakes may have been under way
    this.room.flush(); // what was sent before this pipe opened is not for it (PIPE-8)
    const pipe = new Pipe(this, this.nextEpoch, sink);
    this.#pipe = pipe;
    if (this.#ended) {
      pipe.close('room_closed'); // while its handshake was under way
      return pipe;
    }
    this.room.entered(this, pipe);
    this.emit('pipe.opened', {
      at: pipe.at('c2s', 0),
      epoch: pipe.epoch,
      transport: sink.transport,
      ...(sink.framing && { framing: sink.framing }),
      room: this.room.name,
    });
    announce(this.room, 'opened', this);
    this.linger.review();
    return pipe;
  }

  /** The pipe has settled its account. */
  pipeEnded(): void {
    announce(this.room, 'closed', this);
    this.linger.review();
  }

  /** The spec of the room is another one from here on (ADMIN-16, ADMIN-19). */
  roomChanged(before: RoomTerms): void {
    const { terms, rev } = this.room;
    if (!sameRate(before.limits, terms.limits)) this.#buckets?.delete(this.room);
    this.#scopes = this.#permitted(terms);
    const at = this.#pipe?.open ? { at: this.#pipe.at('c2s', this.#pipe.c2s.received) } : {};
    this.emit('room.updated', { ...at, room: described(this.room), rev });
  }

  /** What it was granted, as far as a room permits it. */
  #permitted(terms: RoomTerms): readonly Scope[] {
    const permitted = (scope: Scope): boolean =>
      this.account !== null || ((scope === 'send' || scope === 'receive') && terms.anonymous[scope]);
    return this.#granted.filter(permitted);
  }

  /** What it could do in another room: never more than it was granted (MOVE-16). */
  scopesIn({ terms }: Room): Result<readonly Scope[]> {
    if (this.account === null && !terms.anonymous.send && !terms.anonymous.receive)
      return { refused: 'unauthenticated' };
    const scopes = this.#permitted(terms);
    return scopes.length === 0 && this.#granted.length > 0 ? { refused: 'forbidden' } : scopes;
  }

  /** It is a member of this room now, and no more of the one before. */
  moved(room: Room, moveId: string): void {
    const from = this.#room.name;
    this.#room = room;
    this.#scopes = this.#permitted(room.terms);
    if (this.#pipe?.open) room.entered(this, this.#pipe);
    const { rev } = room;
    const owned = owns(this.account, room);
    this.emit('room.moved', { moveId, from, room: described(room), rev, owned, scopes: [...this.#scopes] });
  }

  /** The room is over, and the session with it; its siblings are left to hear the last of it (ADMIN-21). */
  closeWithRoom(cause: RoomEnd): void {
    this.#pipe?.close('room_closed');
    this.emit('room.closed', { room: this.room.name, cause });
    this.end();
  }

  /** It is over, and its room is rid of it; its sockets are somebody else's care. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.linger.stop();
    this.#hooks.end(this);
  }

  /** The pipe that the room may deliver to now, as far as it keeps up. */
  receivingPipe(): Pipe | null {
    return this.#pipe?.writable && this.scopes.includes('receive') ? this.#pipe : null;
  }

  receivesAll(kinds: readonly Kind[]): boolean {
    const { receive } = this.formats;
    return kinds.every((kind) => receive.includes(kind));
  }

  /** What the client is sent from now on. */
  receiveAs(kind: Kind): void {
    this.formats = { ...this.formats, receive: [kind] };
  }

  /** What the client sends from now on. */
  sendAs(kind: Kind): void {
    this.formats = { ...this.formats, send: [kind] };
    this.sending = { send: [kind], sendsAs: kind };
  }

  /** A message at this place that the member cannot take in any of its formats (FMT-5). */
  undeliverable(place: Place): void {
    this.emit('pipe.undeliverable', { ...this.#pipe?.s2c.told(place), error: { name: 'undeliverable' } });
  }

  /** Everything about the session, as of the log's head (SIB-6). */
  state(): SessionState {
    return stateOf(this);
  }
}
