import type { HookAdvance, HookDone, HookScope, HookSimulate, HookView } from '../../generated/types.js';
import type { HookDoor } from '../ports/hooks.js';
import type { Result } from '../ports/refusal.js';
import { ScopedClock } from './scoped-clock.js';
import type { Rooms } from './rooms.js';
import type { Session } from './session.js';

interface Places {
  readonly sessions: ReadonlyMap<string, Session>;
  readonly rooms: Pick<Rooms, 'get'>;
}

type Found = Result<{ readonly sessions: readonly Session[] }>;

/** The hooks of tests, over the router's own sessions and rooms. */
export class Hooks implements HookDoor {
  readonly #places: Places;

  constructor(places: Places) {
    this.#places = places;
  }

  advance({ ms, ...scope }: HookAdvance): Result<HookDone> {
    const found = this.#find(scope);
    if ('refused' in found) return found;
    for (const { context } of found.sessions) if (context.clock instanceof ScopedClock) context.clock.advance(ms);
    return { sessions: found.sessions.length };
  }

  inspect(scope: HookScope): Result<HookView> {
    const found = this.#find(scope);
    if ('refused' in found) return found;
    return {
      sessions: found.sessions.map((session) => ({ headSeq: session.headSeq('command'), state: session.state() })),
    };
  }

  simulate({ what, sid }: HookSimulate): Result<HookDone> {
    const found = this.#find({ sid });
    if ('refused' in found) return found;
    const [{ pipe, bindings } = {}] = found.sessions;
    if (what === 'cutPipe') {
      if (!pipe?.open) return { sessions: 0 };
      pipe.close('lost');
      return { sessions: 1 };
    }
    const outlet = bindings?.outlet('command');
    outlet?.cut();
    return { sessions: outlet ? 1 : 0 };
  }

  #find({ sid, room }: HookScope): Found {
    if (room !== undefined) {
      const found = this.#places.rooms.get(room);
      return found ? { sessions: [...found.members] } : { refused: 'room_not_found', pointer: '/room' };
    }
    const found = this.#places.sessions.get(sid ?? '');
    return found ? { sessions: [found] } : { refused: 'not_found', pointer: '/sid' };
  }
}
