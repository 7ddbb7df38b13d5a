import type { Room } from '../../generated/types.js';

/** Everything about a persistent room that outlives the server. */
export interface StoredRoom {
  readonly name: string;
  /** Account of the owner. */
  readonly owner: string;
  /** Revision of the spec, from 1. */
  readonly rev: number;
  /** The whole spec in force, nothing left open (ROOM-SPEC-2). */
  readonly spec: Readonly<Omit<Room, 'name'>>;
}

/**
 * Where persistent rooms are kept. Changes take place in the order of the calls; each promise resolves once its change
 * would survive the sudden end of the process and of the machine, and rejects where that is not certain. After one
 * failure all further changes are refused: nobody can know what is on the disk then.
 */
export interface Store {
  /** The rooms that were kept when the store was opened, each name once, in no order. */
  readonly kept: readonly StoredRoom[];
  /** Keeps a room in place of any other of its name. */
  put(room: StoredRoom): Promise<void>;
  /** Forgets a room; one that is not kept is forgotten already. */
  remove(name: string): Promise<void>;
  /** Ends what is under way, then lets go of the place. No change may follow. */
  close(): Promise<void>;
}
