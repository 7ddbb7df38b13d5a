import type { JsonObject } from './json.js';
import { objectAt, stringAt } from './json.js';
import type { Alterations, Link, Session, World } from './mutant.js';

/** What the rooms were created with, as far as it passed over HTTP; `hook` belongs into the mutant's alterations. */
export function roomSpecs(): {
  readonly hook: Pick<Alterations, 'onHttpRequest'>;
  readonly of: (link: Link) => JsonObject;
} {
  const specs = new Map<string, JsonObject>();
  return {
    hook: {
      onHttpRequest: (request) => {
        const room = stringAt(request.json, 'room');
        const fresh = request.endpoint === 'sessions' && room !== undefined && !specs.has(room);
        if (fresh && request.json !== undefined) specs.set(room, objectAt(request.json, 'create'));
        return request;
      },
    },
    of: (link) => specs.get(link.session?.room ?? '') ?? {},
  };
}

/** The other sessions of the room in which `link` is. */
export function roommates(world: World, link: Link): readonly Session[] {
  return world.sessions().filter((each) => each !== link.session && each.room === link.session?.room);
}

const runOf = (room: string): string => room.slice(0, room.lastIndexOf('-'));

/** Sessions of other rooms that the same run of a case made: a fault there disturbs no run beside it. */
export function neighbours(world: World, link: Link): readonly Session[] {
  const room = link.session?.room ?? '';
  return world.sessions().filter((each) => each.room !== room && runOf(each.room) === runOf(room));
}

/** Whether a session was granted a scope. */
export function hasScope(session: Session | undefined, scope: string): boolean {
  const scopes = session?.grant['scopes'];
  return Array.isArray(scopes) && scopes.includes(scope);
}
