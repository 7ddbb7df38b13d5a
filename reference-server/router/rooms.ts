import type { Room as WireRoom, RoomSpec } from '../../generated/types.js';
import type { Clock } from '../ports/clock.js';
import type { Result } from '../ports/refusal.js';
import type { RouterContext } from './context.js';
import { announce } from './presence.js';
import { Room } from './room.js';
import { type RoomTerms, termsOf } from './room-terms.js';
import type { Session } from './session.js';

/** Why a room is over, as `room.closed` says it. */
export type RoomEnd = 'closed' | 'owner_left';

/** Hears of everything that outlasts a session: that a room has come or is another, and that it is over. */
export interface RoomWatch {
  onChange(room: Room): void;
  onEnd(room: Room): void;
}

const NOBODY: RoomWatch = { onChange: () => undefined, onEnd: () => undefined };

/** A room as clients are told of it. */
export function described(room: Room): WireRoom {
  return { name: room.name, ...room.terms };
}

/** Whether an account owns a room; anonymous clients own nothing. */
export function owns(account: string | null, room: Room): boolean {
  return account !== null && room.owner === account;
}

/**
 * Every room there is. Rooms come, change their spec or owner, gain and lose members, and end here and nowhere else.
 */
export class Rooms {
  readonly #context: RouterContext;
  readonly #defaults: RoomTerms;
  readonly #watch: RoomWatch;
  readonly #byName = new Map<string, Room>();
  /** The same names in order, so that a page of a list costs no more than it is long. */
  readonly #names: string[] = [];
  /** Rooms that stay without members. */
  readonly #standing = new Set<Room>();

  constructor(context: RouterContext, defaults: RoomTerms, watch: RoomWatch = NOBODY) {
    this.#context = context;
    this.#defaults = defaults;
    this.#watch = watch;
  }

  get size(): number {
    return this.#byName.size;
  }

  get(name: string): Room | undefined {
    return this.#byName.get(name);
  }

  /** The rooms behind a name, in order; from the first where it is undefined. */
  *behind(name: string | undefined): Generator<Room> {
    for (let at = name === undefined ? 0 : this.#place(name, true); at < this.#names.length; at++) {
      const room = this.#byName.get(this.#names[at] ?? '');
      if (room) yield room;
    }
  }

  /** What a spec comes to here, or what in it cannot be; pointers begin at `/create`. */
  terms(asked: RoomSpec): Result<RoomTerms> {
    const { hardMessageBytes } = this.#context.limits;
    return termsOf(asked, { defaults: this.#defaults, hardMessageBytes });
  }

  /** A room that is not yet there for others, or why it cannot be: too many, the name, the spec, in this order. */
  make(name: string, asked: RoomSpec, owner: string | null): Result<Room> {
    const { maxRooms } = this.#context.limits;
    if (this.size >= maxRooms) return { refused: 'busy', limit: maxRooms };
    if (this.#byName.has(name)) return { refused: 'room_exists' };
    const terms = this.terms(asked);
    return 'refused' in terms ? terms : new Room(this.#context, { name, terms, owner });
  }

  /** From now on others find it (OPEN-9, ADMIN-5). */
  add(room: Room): void {
    if (this.#byName.has(room.name)) return;
    this.#byName.set(room.name, room);
    this.#names.splice(this.#place(room.name, false), 0, room.name);
    this.#watch.onChange(room);
  }

  /** A room of the operator's: it has no owner and stays. */
  addStanding(name: string, asked: RoomSpec): void {
    const room = this.make(name, asked, null);
    if ('refused' in room) throw new Error(`room ${name}: ${room.refused} ${room.pointer ?? ''}`);
    this.#standing.add(room);
    this.add(room);
  }

  /** Ends a room that nobody has entered after `ms` of that clock (ADMIN-8). */
  expire(room: Room, clock: Clock, ms: number): void {
    clock.after(ms, () => {
      if (room.members.size === 0) this.#endEmpty(room);
    });
  }

  /** A session has become a member. */
  enter(session: Session): void {
    session.room.members.add(session);
    announce(session.room, 'joined', session);
  }

  /** A session is a member no more; what `ownerLeaves` says happens, and a room without members may end. */
  leave(session: Session): void {
    const { room } = session;
    if (!room.members.delete(session)) return;
    announce(room, 'left', session);
    if (owns(session.account, room)) this.#ownerMayHaveLeft(room);
    if (room.members.size === 0) this.#endEmpty(room); // OPEN-17
  }

  /** Puts another spec into force for everything that is counted from now on (ADMIN-13). */
  change(room: Room, terms: RoomTerms): void {
    room.flush();
    const before = room.terms;
    room.terms = terms;
    room.rev++;
    for (const member of room.members) member.roomChanged(before);
    room.reviewed();
    this.#watch.onChange(room);
  }

  /**
   * Ends a room with every session in it (ADMIN-20 to ADMIN-23). `answer` is called when all of it holds and before the
   * siblings are closed, with the number of sessions.
   */
  close(room: Room, cause: RoomEnd, answer: (sessions: number) => void = () => undefined): void {
    room.flush();
    this.#end(room);
    const members = [...room.members];
    for (const member of members) member.closeWithRoom(cause);
    answer(members.length);
    for (const member of members) member.bindings.close('room_closed');
  }

  #ownerMayHaveLeft(room: Room): void {
    const { ownerLeaves } = room.terms;
    if (ownerLeaves === undefined || room.ended) return;
    const members = [...room.members];
    if (members.some(({ account }) => owns(account, room))) return; // OWN-6
    // Members are in the order in which they came (OWN-3).
    const heir = ownerLeaves === 'handover' ? members.find(({ account }) => account !== null) : undefined;
    if (heir) this.#handOver(room, heir.account);
    else this.close(room, 'owner_left');
  }

  #handOver(room: Room, owner: string | null): void {
    room.owner = owner;
    for (const member of room.members) member.emit('room.owner', { owned: owns(member.account, room) });
    this.#watch.onChange(room);
  }

  #endEmpty(room: Room): void {
    if (room.terms.lifetime === 'transient' && !this.#standing.has(room)) this.#end(room);
  }

  #end(room: Room): void {
    if (room.ended || this.#byName.get(room.name) !== room) return;
    room.ended = true;
    this.#byName.delete(room.name);
    this.#names.splice(this.#place(room.name, false), 1);
    this.#watch.onEnd(room);
  }

  /** Where a name is in the order, or would be; with `behind`, the place of the next one. */
  #place(name: string, behind: boolean): number {
    let [low, high] = [0, this.#names.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = this.#names[middle] ?? '';
      if (at < name || (behind && at === name)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
