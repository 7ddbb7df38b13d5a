import type { Refusal } from '../ports/refusal.js';
import type { Store, StoredRoom } from '../ports/store.js';
import type { Room } from './room.js';

type Outcome = Promise<Refusal | null>;

const SAFE: Outcome = Promise.resolve(null);

/**
 * Persistent rooms: nothing about them is answered before the store has it (PERSIST-1, PERSIST-2, PERSIST-5). What the
 * store could not take is answered `internal_error`, and the operator hears why from the store.
 */
export class KeptRooms {
  readonly #store: Store | null;
  /** What became, or will become, of the latest change of each room that is there. */
  readonly #rooms = new Map<Room, Outcome>();
  /** Rooms that the store does not have yet. Their names are taken, and nobody can enter. */
  readonly #coming = new Map<string, Room>();
  /** Rooms that the store is to forget; nothing about them is written any more, or they would come back. */
  readonly #going = new Set<Room>();

  /** @param store - Null where rooms cannot be persistent. */
  constructor(store: Store | null) {
    this.#store = store;
  }

  /** Whether rooms can be persistent. */
  get possible(): boolean {
    return this.#store !== null;
  }

  /** Rooms on their way; each is as good as there to whoever counts rooms or sessions. */
  get coming(): number {
    return this.#coming.size;
  }

  isComing(name: string): boolean {
    return this.#coming.has(name);
  }

  /** Whether a room outlives the server by being kept; one of the operator's does so by the settings. */
  keeps({ owner, terms }: Room): boolean {
    return this.#store !== null && owner !== null && terms.lifetime === 'persistent';
  }

  /** Why a room's owner may not have it beside those that it has; null where it may (PERSIST-7). */
  refusal(room: Room, most: number): Refusal | null {
    if (!this.keeps(room)) return null;
    const all = [...this.#rooms.keys(), ...this.#coming.values()];
    const owned = all.filter(({ owner }) => owner === room.owner).length;
    return owned < most ? null : { refused: 'too_many_rooms', limit: most };
  }

  /** A room that the store had at the start. */
  restored(room: Room): void {
    this.#rooms.set(room, SAFE);
  }

  /** Keeps a room that nobody knows yet; `made` puts it there, in the turn in which it is safe. */
  async create<T extends object>(room: Room, made: () => T): Promise<T | Refusal> {
    this.#coming.set(room.name, room);
    const failure = await this.#written(this.#store?.put(record(room)));
    try {
      if (failure) return failure;
      this.#rooms.set(room, SAFE);
      return made();
    } finally {
      this.#coming.delete(room.name);
    }
  }

  /** The spec or the owner of a room is another. */
  changed(room: Room): void {
    if (!this.#rooms.has(room) || this.#going.has(room)) return;
    this.#rooms.set(room, this.#written(this.#store?.put(record(room))));
  }

  /** The answer to a change: at once, or once everything about the room that was changed so far is safe. */
  answer<T extends object>(room: Room, result: T): T | Promise<T | Refusal> {
    const outcome = this.#rooms.get(room);
    return outcome ? outcome.then((failure) => failure ?? result) : result;
  }

  /** Sees to it that a room which is to end will not come back. Null: it may end now. */
  forget(room: Room): Outcome | null {
    if (!this.#rooms.has(room)) return null;
    this.#going.add(room);
    return this.#written(this.#store?.remove(room.name)).then((failure) => {
      if (failure) this.#going.delete(room);
      return failure;
    });
  }

  /** A room is over. */
  ended(room: Room): void {
    if (this.#rooms.has(room) && !this.#going.has(room)) void this.forget(room);
    this.#rooms.delete(room);
    this.#going.delete(room);
  }

  async #written(change: Promise<void> | undefined): Outcome {
    return (
      change?.then(
        () => null,
        () => ({ refused: 'internal_error' }),
      ) ?? null
    );
  }
}

/** A room as the store keeps it. */
function record({ name, owner, rev, terms }: Room): StoredRoom {
  if (owner === null) throw new Error(`room ${name} is to be kept and has no owner`);
  return { name, owner, rev, spec: terms };
}
