import type { Room as WireRoom, RoomSpec } from '../../generated/types.js';
import type { Result } from '../ports/refusal.js';
import type { Store, StoredRoom } from '../ports/store.js';
import type { RouterContext } from './context.js';
import { takeLeave } from './endings.js';
import { KeptRooms } from './kept-rooms.js';
import { announce } from './presence.js';
import { Room } from './room.js';
import { type RoomTerms, termsOf, termsOfKept } from './room-terms.js';
import type { Session } from './session.js';

/** Why a room is over, as `room.closed` says it. */
export type RoomEnd = 'closed' | 'owner_left';

/** Who makes a room: its owner to be, nobody for those of the operator's, and how many persistent ones it may have. */
export interface Maker {
  readonly account: string | null;
  readonly maxPersistentRooms: number;
}

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
  readonly #kept: KeptRooms;
  readonly #streams: boolean;
  readonly #byName = new Map<string, Room>();
  /** The same names in order, so that a page of a list costs no more than it is long. */
  readonly #names: string[] = [];
  /** Rooms that stay without members. */
  readonly #standing = new Set<Room>();
  /** Rooms that were made for others, and that nobody has entered yet (ADMIN-8). */
  readonly #unentered = new Set<Room>();

  constructor(
    context: RouterContext,
    defaults: RoomTerms,
    { store, streams }: { readonly store: Store | null; readonly streams: boolean },
  ) {
    this.#streams = streams;
    this.#context = context;
    this.#defaults = defaults;
    this.#kept = new KeptRooms(store);
  }

  /** Rooms that are being made, and the sessions that will come with them. */
  get coming(): number {
    return this.#kept.coming;
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
    const abilities = { persistent: this.#kept.possible, streams: this.#streams };
    return termsOf(asked, { defaults: this.#defaults, hardMessageBytes, ...abilities });
  }

  /** A room that is not yet there for others, or why it cannot be: too many, the name, the spec, in this order. */
  make(name: string, asked: RoomSpec, { account: owner, maxPersistentRooms }: Maker): Result<Room> {
    const { maxRooms } = this.#context.limits;
    if (this.size + this.coming >= maxRooms) return { refused: 'busy', limit: maxRooms };
    if (this.#byName.has(name) || this.#kept.isComing(name)) return { refused: 'room_exists' };
    const terms = this.terms(asked);
    if ('refused' in terms) return terms;
    const room = new Room(this.#context, { name, terms, owner });
    return this.#kept.refusal(room, maxPersistentRooms) ?? room;
  }

  /** From now on, or once it is kept, others find a room (OPEN-9, ADMIN-5); `answer` is made in the same turn. */
  create<T extends object>(room: Room, answer: () => T): Result<T> | Promise<Result<T>> {
    const made = (): T => {
      this.#add(room);
      return answer();
    };
    return this.#kept.keeps(room) ? this.#kept.create(room, made) : made();
  }

  #add(room: Room): void {
    this.#byName.set(room.name, room);
    this.#names.splice(this.#place(room.name, false), 0, room.name);
  }

  /** A room of the operator's: it has no owner and stays. */
  addStanding(name: string, asked: RoomSpec): void {
    const room = this.make(name, asked, { account: null, maxPersistentRooms: 0 });
    if ('refused' in room) throw new Error(`room ${name}: ${room.refused} ${room.pointer ?? ''}`);
    this.#standing.add(room);
    this.#add(room);
  }

  /** A room that outlived the server, as it was: the limits of today are for those who make or change one (PERSIST-2). */
  restore({ spec, ...stored }: StoredRoom): void {
    const room = new Room(this.#context, { ...stored, terms: termsOfKept(spec, this.#defaults) });
    this.#kept.restored(room);
    this.#add(room);
  }

  /** Ends a room that nobody has entered after the linger of its maker's session, on that session's clock (ADMIN-8). */
  expire(room: Room, { context, limits }: Session): void {
    this.#unentered.add(room);
    context.clock.after(limits.sessionLingerMs, () => {
      if (this.#unentered.delete(room)) this.#endEmpty(room);
    });
  }

  /** A session has become a member. */
  enter(session: Session): void {
    this.#admit(session.room, session);
    announce(session.room, 'joined', session);
  }

  /** A session is a member no more; what `ownerLeaves` says happens, and a room without members may end. */
  leave(session: Session): void {
    const { room } = session;
    if (!room.members.delete(session)) return;
    this.#left(room, session);
  }

  #left(room: Room, session: Session): void {
    announce(room, 'left', session);
    if (owns(session.account, room)) this.#ownerMayHaveLeft(room);
    this.#endEmpty(room); // OPEN-17
  }

  /** Keeps a place for a session that is moving here; until it comes, or the place is given back (MOVE-2). */
  reserve(room: Room, session: Session): void {
    room.coming.add(session);
  }

  /** The session will not come. */
  giveBack(room: Room, session: Session): void {
    if (room.coming.delete(session)) this.#endEmpty(room);
  }

  /** A session leaves its room and is a member of another, in one step (MOVE-15). */
  move(session: Session, room: Room, moveId: string): void {
    const from = session.room;
    from.flush(); // what it has sent is sent there
    room.flush(); // and what was sent here before it came is not for it
    from.left(session);
    takeLeave(session);
    from.members.delete(session);
    this.#admit(room, session);
    session.moved(room, moveId);
    announce(room, 'joined', session);
    this.#left(from, session);
  }

  #admit(room: Room, session: Session): void {
    room.coming.delete(session);
    this.#unentered.delete(room);
    room.members.add(session);
  }

  /** Puts another spec into force for everything that is counted from now on (ADMIN-13). */
  change(room: Room, terms: RoomTerms): void {
    room.flush();
    const before = room.terms;
    room.terms = terms;
    room.rev++;
    for (const member of room.members) member.roomChanged(before);
    room.reviewed();
    this.#kept.changed(room);
  }

  /** The answer to a change of a room, given when the change is safe. */
  whenKept<T extends object>(room: Room, result: T): Result<T> | Promise<Result<T>> {
    return this.#kept.answer(room, result);
  }

  /** Closes a room at its owner's word: at once, or when it is certain that it will not come back (PERSIST-5). */
  closeForGood(room: Room, answer: (result: Result<{ sessions: number }>) => void): void {
    const close = (): void => {
      if (room.ended) answer({ refused: 'room_not_found' });
      else this.close(room, 'closed', (sessions) => answer({ sessions }));
    };
    const forgotten = this.#kept.forget(room);
    if (forgotten) void forgotten.then((failure) => (failure ? answer(failure) : close()));
    else close();
  }

  /**
   * Ends a room with every session in it (ADMIN-20 to ADMIN-23). `answer` is called when all of it holds and before the
   * siblings are closed, with the number of sessions.
   */
  close(room: Room, cause: RoomEnd, answer: (sessions: number) => void = () => undefined): void {
    room.flush();
    this.#end(room);
    for (const session of [...room.coming]) session.pipe?.switches().barred();
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
    this.#kept.changed(room);
  }

  #endEmpty(room: Room): void {
    if (room.members.size > 0 || room.coming.size > 0 || this.#unentered.has(room)) return;
    if (room.terms.lifetime === 'transient' && !this.#standing.has(room)) this.#end(room);
  }

  #end(room: Room): void {
    if (room.ended || this.#byName.get(room.name) !== room) return;
    room.ended = true;
    this.#byName.delete(room.name);
    this.#names.splice(this.#place(room.name, false), 1);
    this.#kept.ended(room);
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
