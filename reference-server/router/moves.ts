import type { CallResults } from '../../generated/types.js';
import type { Result } from '../ports/refusal.js';
import { overlaps } from './formats.js';
import { visible } from './grants.js';
import type { Pipe } from './pipe.js';
import type { Room } from './room.js';
import type { Rooms } from './rooms.js';
import type { Session } from './session.js';
import type { Tickets } from './tickets.js';

/** A session on its way to another room, where a place is kept for it until it has come or will not come. */
export class Move {
  readonly id: string;
  readonly room: Room;
  readonly #rooms: Rooms;
  readonly #session: Session;

  constructor(rooms: Rooms, session: Session, room: Room) {
    this.id = session.nextMoveId();
    this.room = room;
    this.#rooms = rooms;
    this.#session = session;
    rooms.reserve(room, session);
  }

  /** What its two switches set. */
  get set(): { readonly room: string; readonly moveId: string } {
    return { room: this.room.name, moveId: this.id };
  }

  /** It comes to nothing: the place is free again (MOVE-19). */
  cancel(): void {
    this.#rooms.giveBack(this.room, this.#session);
  }

  /** Both directions have come to their boundaries: the session is in the other room (MOVE-11). */
  cross(): void {
    this.#rooms.move(this.#session, this.room, this.id);
  }
}

interface Parts {
  readonly rooms: Rooms;
  readonly session: Session;
  readonly tickets: Tickets;
}

/** `room.move`, for the session of a command channel. */
export class Moving {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Carries the call out, when its `after` has come. */
  move(name: string): Result<CallResults['room.move']> {
    const { rooms, session, tickets } = this.#parts;
    if (tickets.closed) return { refused: 'draining' };
    if (name === session.room.name) return { refused: 'invalid_params', pointer: '/room' };
    const pipe = session.pipe?.open ? session.pipe : null;
    if (pipe?.sendingOver) return { refused: 'pipe_ended' };
    if (pipe && pipe.c2s.missing !== null) return { refused: 'not_supported' }; // UDP-28
    if (pipe && pipe.openSwitches.length > 0) return { refused: 'switch_pending' };
    const room = this.#admitting(name);
    if ('refused' in room) return room;
    return this.#begun(new Move(rooms, session, room), pipe);
  }

  /** The room, if a grant for it would be given to the session as it is (MOVE-3). */
  #admitting(name: string): Result<Room> {
    const { rooms, session } = this.#parts;
    const room = rooms.get(name);
    if (!visible(room, session.account)) return { refused: 'room_not_found' };
    const scopes = session.scopesIn(room);
    if ('refused' in scopes) return scopes;
    const strands = session.framing === 'raw' && room.terms.boundaries === 'kept'; // TCP-7
    if (strands) return { refused: 'framing_unsupported', pointer: '/room' };
    if (!overlaps(room.terms, session.formats, scopes)) return { refused: 'format_unsupported', pointer: '/room' };
    return room.full ?? room;
  }

  #begun(move: Move, pipe: Pipe | null): CallResults['room.move'] {
    const { session } = this.#parts;
    const last = session.pipe;
    const at = last && { at: last.at('c2s', last.c2s.received) };
    if (pipe) pipe.switches().move(move);
    else move.cross(); // MOVE-6
    return { moveId: move.id, status: pipe ? 'moving' : 'moved', room: move.room.name, ...at };
  }
}
