import type { OpenRoom, OpenRooms } from '../ports/open-rooms.js';
import type { Result } from '../ports/refusal.js';
import { scopesOf, visible } from './grants.js';
import type { Room } from './room.js';
import type { Rooms } from './rooms.js';

const STRANGER = null;
const TO_SEND = { room: '', transport: 'form', scopes: ['send' as const] };

function described({ name, terms }: Room): OpenRoom {
  const { format, boundaries, limits } = terms;
  return { name, format, boundaries, maxMessageBytes: limits.maxMessageBytes };
}

/** What strangers may know of rooms without being in one: those into which they may send. Nothing is kept for asking. */
export class RoomsForStrangers implements OpenRooms {
  readonly #rooms: Rooms;

  constructor(rooms: Rooms) {
    this.#rooms = rooms;
  }

  list(most: number): { rooms: OpenRoom[]; more: boolean } {
    const rooms: OpenRoom[] = [];
    for (const room of this.#rooms.behind(undefined)) {
      if (room.terms.visibility !== 'public' || !room.terms.anonymous.send) continue;
      if (rooms.length === most) return { rooms, more: true };
      rooms.push(described(room));
    }
    return { rooms, more: false };
  }

  look(name: string): Result<OpenRoom> {
    const room = this.#rooms.get(name);
    if (!visible(room, STRANGER)) return { refused: 'room_not_found' };
    const scopes = scopesOf(room, TO_SEND, STRANGER);
    return 'refused' in scopes ? { refused: scopes.refused } : described(room);
  }
}
