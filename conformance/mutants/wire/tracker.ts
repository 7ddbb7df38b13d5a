import type { JsonObject } from '../json.js';
import { objectAt, stringAt } from '../json.js';
import type { Call, Link, Session } from '../mutant.js';

/** A session while the proxy learns of it. */
export interface TrackedSession extends Session {
  pipe: Link | undefined;
  command: Link | undefined;
  debug: Link | undefined;
}

const TICKET_PREFIX = 'porthouse.ticket.';

/** Couples links to sessions, from the grants, tickets and binds that pass by. */
export class Tracker {
  readonly #sessions = new Map<string, TrackedSession>();
  readonly #tickets = new Map<string, TrackedSession>();

  /** All sessions that were granted through the proxy, oldest first. */
  sessions(): readonly Session[] {
    return [...this.#sessions.values()];
  }

  /** Learns from a body that may be a grant; the same sid again only adds its ticket. */
  grant(body: JsonObject, authorization: string | undefined): void {
    const sid = stringAt(body, 'sid');
    const ticket = stringAt(body, 'pipeTicket');
    if (sid === undefined || ticket === undefined) return;
    const room = stringAt(body, 'room') ?? '';
    const fresh = { sid, room, grant: body, authorization, pipe: undefined, command: undefined, debug: undefined };
    const session = this.#sessions.get(sid) ?? fresh;
    this.#sessions.set(sid, session);
    this.#tickets.set(ticket, session);
  }

  /** The session whose ticket is among the offered `subprotocols` (a comma separated list). */
  sessionOfTicket(subprotocols: string): TrackedSession | undefined {
    const offered = subprotocols.split(',').map((name) => name.trim());
    const ticket = offered.find((name) => name.startsWith(TICKET_PREFIX));
    return ticket === undefined ? undefined : this.#tickets.get(ticket.slice(TICKET_PREFIX.length));
  }

  /** Learns from the successful reply to `call`; answers with what the link is bound to, if it was a bind. */
  reply(call: Call, reply: JsonObject, bound: TrackedSession | undefined): TrackedSession | undefined {
    const result = objectAt(reply, 'result');
    if (call.method === 'session.create') this.grant(result, stringAt(call.params, 'token'));
    const ticket = stringAt(result, 'pipeTicket');
    if (call.method === 'pipe.ticket' && ticket !== undefined && bound !== undefined) this.#tickets.set(ticket, bound);
    if (call.method !== 'sibling.bind' || reply['result'] === undefined) return undefined;
    return this.#sessions.get(stringAt(call.params, 'sid') ?? '');
  }
}
