import type { CallParams, CallResults } from '../../generated/types.js';
import type { Refusal, Result } from '../ports/refusal.js';
import type { Answer, RoomCalls } from '../ports/sibling.js';
import type { RouterContext } from './context.js';
import { visible } from './grants.js';
import { memberFor } from './presence.js';
import type { Room } from './room.js';
import { breaksFaith, changed, sameTerms } from './room-changes.js';
import { type Rooms, described, owns } from './rooms.js';
import type { Session } from './session.js';

/** Refusals of a spec point into the call, where it is called otherwise than in a request for a session (ADMIN-7). */
function inCall(refusal: Refusal): Refusal {
  const { pointer } = refusal;
  return pointer === undefined ? refusal : { ...refusal, pointer: pointer.replace(/^\/create/, '/spec') };
}

/** The first of them, and whether there are more. */
function page<T>(all: Iterable<T>, most: number): { items: T[]; more: boolean } {
  const items: T[] = [];
  for (const item of all) {
    if (items.length === most) return { items, more: true };
    items.push(item);
  }
  return { items, more: false };
}

/** Whether a session's pipe has no messages, or will have none. */
const streamsInto = ({ members, coming }: Room): boolean =>
  [...members, ...coming].some(({ framing }) => framing === 'raw');

/** What a session may do with rooms: its account's rights, for whoever holds its command channel. */
export class Administration implements RoomCalls {
  readonly #context: RouterContext;
  readonly #rooms: Rooms;
  readonly #session: Session;

  constructor(context: RouterContext, rooms: Rooms, session: Session) {
    this.#context = context;
    this.#rooms = rooms;
    this.#session = session;
  }

  create(params: CallParams['room.create']): Answer<'room.create'> {
    const barred = this.#barred();
    if (barred) return barred;
    const session = this.#session;
    const { maxPersistentRooms } = session.limits;
    const room = this.#rooms.make(params.room, params.spec ?? {}, { account: session.account, maxPersistentRooms });
    if ('refused' in room) return inCall(room);
    return this.#rooms.create(room, () => {
      this.#rooms.expire(room, session);
      return { room: described(room), rev: room.rev };
    });
  }

  describe(params: CallParams['room.describe']): Result<CallResults['room.describe']> {
    const room = this.#named(params.room);
    if (this.#session.account === null && room !== this.#session.room) return { refused: 'unauthenticated' };
    if (!room) return { refused: 'room_not_found' };
    const owned = owns(this.#session.account, room);
    return { room: described(room), rev: room.rev, members: room.members.size, owned };
  }

  list(params: CallParams['room.list']): Result<CallResults['room.list']> {
    const { account } = this.#session;
    if (account === null) return { refused: 'unauthenticated' };
    const { items, more } = page(this.#visible(params.after), this.#most(params.limit));
    const rooms = items.map((room) => {
      const { visibility, format } = room.terms;
      return { name: room.name, visibility, format, members: room.members.size, owned: owns(account, room) };
    });
    return { rooms, more };
  }

  members({ limit, after = '' }: CallParams['room.members']): Result<CallResults['room.members']> {
    const { account, room, observers } = this.#session;
    if (account === null) return { refused: 'unauthenticated' };
    const behind = [...room.members].filter(({ sid }) => sid > after);
    behind.sort((a, b) => (a.sid < b.sid ? -1 : 1));
    const { items, more } = page(behind, this.#most(limit));
    return { members: items.map((member) => memberFor(this.#session, member)), more, asOf: observers.vseq };
  }

  update(params: CallParams['room.update']): Answer<'room.update'> {
    const room = this.#administered(params.room);
    if ('refused' in room) return room;
    if (params.ifRev !== undefined && params.ifRev !== room.rev)
      return { refused: 'invalid_params', pointer: '/ifRev' };
    const terms = this.#rooms.terms(changed(room.terms, params.spec));
    if ('refused' in terms) return inCall(terms);
    if (terms.lifetime !== room.terms.lifetime) return { refused: 'invalid_params', pointer: '/spec/lifetime' }; // PERSIST-8
    const others = [...room.members, ...room.coming].some(({ account }) => account !== this.#session.account);
    const strands = terms.boundaries === 'kept' && streamsInto(room); // STREAM-6
    if (strands || (others && breaksFaith(room.terms, terms))) return { refused: 'room_in_use' };
    if (!sameTerms(room.terms, terms)) this.#rooms.change(room, terms);
    return this.#rooms.whenKept(room, { room: described(room), rev: room.rev });
  }

  close(params: CallParams['room.close'], reply: (result: Result<CallResults['room.close']>) => void): void {
    const room = this.#administered(params.room);
    if ('refused' in room) reply(room);
    else this.#rooms.closeForGood(room, (done) => reply('refused' in done ? done : { room: room.name, ...done }));
  }

  #barred(): Refusal | null {
    if (this.#session.account === null) return { refused: 'unauthenticated' }; // ADMIN-1
    return this.#session.scopes.includes('admin') ? null : { refused: 'forbidden' }; // ADMIN-2
  }

  /** The room that is meant, as far as it exists for the caller (ADMIN-3). */
  #named(name: string | undefined): Room | undefined {
    const { room, account } = this.#session;
    if (name === undefined || name === room.name) return room;
    const found = this.#rooms.get(name);
    return visible(found, account) ? found : undefined;
  }

  #administered(name: string | undefined): Result<Room> {
    const barred = this.#barred();
    if (barred) return barred;
    const room = this.#named(name);
    if (!room) return { refused: 'room_not_found' };
    return owns(this.#session.account, room) ? room : { refused: 'forbidden' }; // ADMIN-4
  }

  *#visible(after: string | undefined): Generator<Room> {
    const { account } = this.#session;
    for (const room of this.#rooms.behind(after)) if (visible(room, account)) yield room;
  }

  #most(limit: number | undefined): number {
    return Math.min(limit ?? Infinity, this.#context.limits.maxPageItems);
  }
}
