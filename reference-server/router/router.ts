import type { CallParams, Grant, RoomSpec, SessionRequest } from '../../generated/types.js';
import type { GrantDoor } from '../ports/access.js';
import type { HookDoor } from '../ports/hooks.js';
import type { PipeDoor, PipeOffer } from '../ports/pipe.js';
import type { Result } from '../ports/refusal.js';
import type { Binding, SiblingDoor, SiblingOutlet } from '../ports/sibling.js';
import { Administration } from './administration.js';
import { proves, resume } from './bind.js';
import { SessionBinding } from './binding.js';
import type { RouterContext } from './context.js';
import { EventRing } from './event-log.js';
import { overlaps } from './formats.js';
import { formatsOf, limitsOf, scopesOf, visible } from './grants.js';
import { Hooks } from './hooks.js';
import type { Room } from './room.js';
import type { RoomTerms } from './room-terms.js';
import { type RoomWatch, Rooms } from './rooms.js';
import { ScopedClock } from './scoped-clock.js';
import { Session } from './session.js';
import { Tickets } from './tickets.js';

/** The debug channel retains nothing. */
const NO_LOG = new EventRing({ events: 0, bytes: 0 });

const SECRET_BYTES = 32;
const SID_BYTES = 16;

export interface RouterSettings {
  /** What a room has where its creator says nothing. */
  readonly roomDefaults: RoomTerms;
  /** Rooms that are there from the start and stay. */
  readonly rooms: readonly { readonly name: string; readonly spec: RoomSpec }[];
  /** Where clients go with a grant; the router only passes it on. */
  readonly endpoints: Grant['endpoints'];
  /** Hears of what becomes of rooms. */
  readonly watch?: RoomWatch;
}

/** Rooms, membership and delivery; knows no transport, does no input or output. */
export class Router implements GrantDoor, PipeDoor, SiblingDoor {
  readonly #context: RouterContext;
  readonly #settings: RouterSettings;
  readonly #rooms: Rooms;
  readonly #sessions = new Map<string, Session>();
  readonly #tickets: Tickets;
  #anonymous = 0;
  #draining = false;

  constructor(context: RouterContext, settings: RouterSettings) {
    this.#context = context;
    this.#settings = settings;
    this.#tickets = new Tickets(context);
    this.#rooms = new Rooms(context, settings.roomDefaults, settings.watch);
    for (const { name, spec } of settings.rooms) this.#rooms.addStanding(name, spec);
  }

  /** What a test may do here; for whoever has switched it on. */
  get hooks(): HookDoor {
    return new Hooks({ sessions: this.#sessions, rooms: this.#rooms });
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  get rooms(): number {
    return this.#rooms.size;
  }

  grant(request: SessionRequest, account: string | null): Result<Grant> {
    if (request.transport !== 'websocket') return { refused: 'transport_unsupported', pointer: '/transport' };
    if (this.#draining) return { refused: 'draining' };
    const most = this.#exhausted(account);
    if (most !== null) return { refused: 'busy', limit: most };
    const room = request.create ? this.#roomToCreate(request, account) : this.#roomToJoin(request, account);
    if ('refused' in room) return room;
    const scopes = scopesOf(room, request, account);
    if ('refused' in scopes) return scopes;
    const formats = formatsOf(request);
    if (!overlaps(room.terms, formats, scopes)) return { refused: 'format_unsupported', pointer: '/formats' };
    if (room.members.size >= room.limits.maxMembers) return { refused: 'room_full', limit: room.limits.maxMembers };
    this.#rooms.add(room); // OPEN-9
    const { entropy, limits } = this.#context;
    const session = new Session(
      this.#sessionContext(),
      {
        sid: `s_${entropy.bytes(SID_BYTES).toString('base64url')}`,
        secret: entropy.bytes(SECRET_BYTES),
        account,
        room,
        scopes,
        formats,
        limits: limitsOf(limits, room, request.limits),
      },
      { ticketUntil: (of) => this.#tickets.expiry(of), end: (of) => this.#end(of) },
    );
    return this.#admit(session, request.transport);
  }

  #sessionContext(): RouterContext {
    const context = this.#context;
    return context.scopedClocks ? { ...context, clock: new ScopedClock(context.clock) } : context;
  }

  /**
   * The limit on sessions that one more would exceed. Anonymous clients have a budget of their own, so that strangers
   * cannot use up everybody's sessions.
   */
  #exhausted(account: string | null): number | null {
    const { maxSessions, maxAnonymousSessions } = this.#context.limits;
    if (this.#sessions.size >= maxSessions) return maxSessions;
    return account === null && this.#anonymous >= maxAnonymousSessions ? maxAnonymousSessions : null;
  }

  #roomToJoin(request: SessionRequest, account: string | null): Result<Room> {
    const room = this.#rooms.get(request.room);
    return visible(room, account) ? room : { refused: 'room_not_found' };
  }

  #roomToCreate(request: SessionRequest, account: string | null): Result<Room> {
    if (account === null) return { refused: 'unauthenticated' }; // ANON-3
    return this.#rooms.make(request.room, request.create ?? {}, account);
  }

  #admit(session: Session, transport: 'websocket'): Grant {
    this.#sessions.set(session.sid, session);
    if (session.account === null) this.#anonymous++;
    this.#rooms.enter(session);
    const pipeTicket = this.#tickets.issue(session, transport);
    session.linger.review();
    return {
      sid: session.sid,
      pipeTicket,
      siblingSecret: session.secret.toString('base64url'),
      transport,
      room: session.room.name,
      formats: session.formats,
      scopes: [...session.scopes],
      endpoints: this.#settings.endpoints,
      limits: session.limits,
      expiresInMs: session.limits.ticketMs,
    };
  }

  #end(session: Session): void {
    this.#tickets.revoke(session);
    if (!this.#sessions.delete(session.sid)) return;
    if (session.account === null) this.#anonymous--;
    this.#rooms.leave(session);
  }

  /** Tells every client that the server is about to go, delivers what is under way, and closes everything. */
  drain(notice: { deadlineMs: number; reconnectAfterMs: number }): void {
    this.#draining = true;
    for (const session of this.#sessions.values()) session.emit('server.draining', notice);
    for (const session of this.#sessions.values()) {
      session.pipe?.close('draining');
      session.bindings.close('draining');
      session.linger.stop();
    }
  }

  redeem(ticket: string, transport: string): Result<PipeOffer> {
    if (this.#draining) return { refused: 'draining' };
    const session = this.#tickets.redeem(ticket, transport);
    if (!session || session.pipe?.open) return { refused: 'ticket_invalid' };
    session.offered();
    return {
      limits: session.limits,
      clock: session.context.clock,
      open: (sink) => session.openPipe(sink),
      abandon: () => session.abandoned(),
    };
  }

  bind(params: CallParams['sibling.bind'], nonce: string, outlet: SiblingOutlet): Result<Binding> {
    const session = this.#sessions.get(params.sid);
    // An unknown sid costs the same work, so that time does not tell it from a wrong proof (BIND-4).
    const secret = session?.secret ?? Buffer.alloc(SECRET_BYTES);
    if (!proves(secret, params, nonce) || !session) return { refused: 'bind_refused' };
    if (params.channel === 'debug' && !session.scopes.includes('debug')) return { refused: 'forbidden' };
    const log = params.channel === 'command' ? session.log : NO_LOG;
    const foreign = params.eventEpoch !== undefined && params.eventEpoch !== this.#context.eventEpoch;
    const { gap, from } = resume(log, { lastSeq: params.lastSeq ?? 0, foreign });
    const generation = session.bindings.take(params.channel, outlet);
    if (params.channel === 'command') session.observers.rebound();
    else session.trace.level = 'info';
    session.linger.review();
    const { channel } = params;
    const { eventEpoch } = this.#context;
    const seqs = { headSeq: session.headSeq(channel), oldestSeq: session.oldestSeq(channel) };
    const result = { channel, generation, eventEpoch, ...seqs, gap, state: session.state() };
    const rooms = new Administration(this.#context, this.#rooms, session);
    return new SessionBinding({
      ...{ session, channel, log, rooms, generation, result },
      tickets: this.#tickets,
      replayFrom: from,
    });
  }
}
