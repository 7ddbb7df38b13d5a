import type { CallParams, Framing, Grant, RoomSpec, SessionRequest } from '../../generated/types.js';
import type { GrantDoor, RoomNames } from '../ports/access.js';
import type { HookDoor } from '../ports/hooks.js';
import type { OpenRooms } from '../ports/open-rooms.js';
import type { Association, PipeDoor, PipeOffer } from '../ports/pipe.js';
import type { Result } from '../ports/refusal.js';
import type { Binding, SiblingDoor, SiblingOutlet } from '../ports/sibling.js';
import type { Store } from '../ports/store.js';
import { Administration } from './administration.js';
import { proves, resume } from './bind.js';
import { SessionBinding } from './binding.js';
import type { RouterContext } from './context.js';
import { type DrainNotice, drain } from './drain.js';
import { EventRing } from './event-log.js';
import { overlaps } from './formats.js';
import { type Endpoints, formatsOf, framingOf, limitsOf, pipeEndpoint, scopesOf, visible } from './grants.js';
import { Hooks } from './hooks.js';
import { RoomsForStrangers } from './open-rooms.js';
import { Moving } from './moves.js';
import type { Room } from './room.js';
import type { RoomTerms } from './room-terms.js';
import { Rooms } from './rooms.js';
import { ScopedClock } from './scoped-clock.js';
import { Session, type Terms } from './session.js';
import { Tickets } from './tickets.js';

/** The debug channel retains nothing. */
const NO_LOG = new EventRing({ events: 0, bytes: 0 });

const NONE: ReadonlySet<string> = new Set();

const SECRET_BYTES = 32;
/** As long as one that somebody has. */
const NO_SECRET = Buffer.alloc(SECRET_BYTES).toString('base64url');
const SID_BYTES = 16;

/** What is asked for, with the framing that it comes to. */
type Asked = Omit<SessionRequest, 'framing'> & { readonly framing: Framing | undefined };

export interface RouterSettings {
  /** What a room has where its creator says nothing. */
  readonly roomDefaults: RoomTerms;
  /** Rooms that are there from the start and stay. */
  readonly rooms: readonly { readonly name: string; readonly spec: RoomSpec }[];
  /** Where clients go with a grant, by transport; a transport that is not there is not offered (OPEN-12). */
  readonly endpoints: Endpoints;
  /** Transports over which a ticket is proved and not shown; none without. */
  readonly associated?: ReadonlySet<string>;
  /** Where persistent rooms are kept; null where there are none. */
  readonly store: Store | null;
  /** Whether one of the transports carries streams, so that rooms may be streams (ROOM-SPEC-1). */
  readonly streams: boolean;
}

/** Rooms, membership and delivery; knows no transport, does no input or output. */
export class Router implements GrantDoor, RoomNames, PipeDoor, SiblingDoor {
  readonly #context: RouterContext;
  readonly #settings: RouterSettings;
  readonly #rooms: Rooms;
  readonly #sessions = new Map<string, Session>();
  readonly #tickets: Tickets;
  /** The same for all sessions. */
  readonly #hooks = {
    ticketUntil: (session: Session): number => this.#tickets.expiry(session),
    end: (session: Session): void => this.#end(session),
  };
  #anonymous = 0;
  #draining = false;

  constructor(context: RouterContext, settings: RouterSettings) {
    this.#context = context;
    this.#settings = settings;
    this.#tickets = new Tickets(context, settings.endpoints.pipe, settings.associated ?? NONE);
    this.#rooms = new Rooms(context, settings.roomDefaults, settings);
    for (const { name, spec } of settings.rooms) this.#rooms.addStanding(name, spec);
    for (const room of settings.store?.kept ?? []) this.#rooms.restore(room); // PERSIST-1
  }

  /** What a test may do here; for whoever has switched it on. */
  get hooks(): HookDoor {
    return new Hooks({ sessions: this.#sessions, rooms: this.#rooms });
  }

  /** What strangers may know of rooms that they are not in. */
  get openRooms(): OpenRooms {
    return new RoomsForStrangers(this.#rooms);
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  get rooms(): number {
    return this.#rooms.size;
  }

  grant(request: SessionRequest, account: string | null): Result<Grant> | Promise<Result<Grant>> {
    if (!this.#tickets.offers(request.transport)) return { refused: 'transport_unsupported', pointer: '/transport' };
    if (this.#draining) return { refused: 'draining' };
    const most = this.#exhausted(account);
    if (most !== null) return { refused: 'busy', limit: most };
    const room = request.create ? this.#roomToCreate(request, account) : this.#roomToJoin(request, account);
    if ('refused' in room) return room;
    const scopes = scopesOf(room, request, account);
    if ('refused' in scopes) return scopes;
    const framing = framingOf(room.terms, request, this.#settings.endpoints.framings);
    if (framing !== undefined && typeof framing !== 'string') return framing;
    const formats = formatsOf(request);
    if (!overlaps(room.terms, formats, scopes)) return { refused: 'format_unsupported', pointer: '/formats' };
    if (room.full) return room.full;
    const join = (): Grant => this.#join(room, { ...request, framing }, { account, scopes, formats });
    return request.create ? this.#rooms.create(room, join) : join();
  }

  /** A session of its own for whoever may enter a room. */
  #join(room: Room, request: Asked, member: Pick<Terms, 'account' | 'scopes' | 'formats'>): Grant {
    const { entropy, limits } = this.#context;
    const session = new Session(
      this.#sessionContext(),
      {
        sid: `s_${entropy.bytes(SID_BYTES).toString('base64url')}`,
        secret: entropy.bytes(SECRET_BYTES).toString('base64url'),
        ...member,
        room,
        limits: limitsOf(limits, room, request.limits),
      },
      this.#hooks,
    );
    return this.#admit(session, request);
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
    if (this.#sessions.size + this.#rooms.coming >= maxSessions) return maxSessions;
    return account === null && this.#anonymous >= maxAnonymousSessions ? maxAnonymousSessions : null;
  }

  #roomToJoin(request: SessionRequest, account: string | null): Result<Room> {
    const room = this.#rooms.get(request.room);
    return visible(room, account) ? room : { refused: 'room_not_found' };
  }

  #roomToCreate(request: SessionRequest, account: string | null): Result<Room> {
    if (account === null) return { refused: 'unauthenticated' }; // ANON-3
    const { maxPersistentRooms } = this.#context.limits;
    const most = Math.min(maxPersistentRooms, request.limits?.maxPersistentRooms ?? Infinity);
    return this.#rooms.make(request.room, request.create ?? {}, { account, maxPersistentRooms: most });
  }

  #admit(session: Session, { transport, framing }: Asked): Grant {
    this.#sessions.set(session.sid, session);
    if (session.account === null) this.#anonymous++;
    this.#rooms.enter(session);
    const issued = this.#tickets.issue(session, transport, framing);
    session.linger.review();
    const { endpoints } = this.#settings;
    return {
      sid: session.sid,
      ...issued,
      siblingSecret: session.secret,
      transport,
      ...(framing && { framing }),
      room: session.room.name,
      formats: session.formats,
      scopes: [...session.scopes],
      endpoints: { pipe: pipeEndpoint(endpoints, transport, session.room), sibling: endpoints.sibling },
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
  drain(notice: DrainNotice): void {
    this.#draining = true;
    this.#tickets.close();
    drain([...this.#sessions.values()], notice, this.#context.clock);
  }

  redeem(ticket: string, transport: string, framing?: Framing): Result<PipeOffer> {
    if (this.#draining) return { refused: 'draining' };
    const session = this.#tickets.redeem(ticket, transport, framing);
    return session ? this.#offer(session) : { refused: 'ticket_invalid' };
  }

  associate(number: string, transport: string): Association | undefined {
    const found = this.#tickets.associated(number, transport);
    if (!found) return undefined;
    const { session, digest } = found;
    return {
      secret: Buffer.from(session.secret, 'base64url'),
      ticketDigest: digest,
      clock: session.context.clock,
      redeem: () => {
        if (this.#draining) return { refused: 'draining' };
        this.#tickets.revoke(session);
        return this.#offer(session);
      },
    };
  }

  #offer(session: Session): Result<PipeOffer> {
    if (session.pipe?.open) return { refused: 'ticket_invalid' };
    session.offered();
    return {
      sid: session.sid,
      get room() {
        return session.room.name; // it can move
      },
      get receives() {
        return session.scopes.includes('receive');
      },
      stream: session.room.terms.boundaries === 'ignored',
      limits: session.limits,
      clock: session.context.clock,
      open: (sink) => session.openPipe(sink),
      abandon: () => session.abandoned(),
    };
  }

  admitting(most: number): readonly string[] {
    const names: string[] = [];
    for (const { name, terms } of this.#rooms.behind(undefined)) {
      if (names.length === most) break;
      const { send, receive } = terms.anonymous;
      if (terms.visibility === 'public' && (send || receive)) names.push(name);
    }
    return names;
  }

  bind(params: CallParams['sibling.bind'], nonce: string, outlet: SiblingOutlet): Result<Binding> {
    const session = this.#sessions.get(params.sid);
    // An unknown sid costs the same work, so that time does not tell it from a wrong proof (BIND-4).
    const secret = Buffer.from(session?.secret ?? NO_SECRET, 'base64url');
    if (!proves(secret, params, nonce) || !session) return { refused: 'bind_refused' };
    if (params.channel === 'debug' && !session.scopes.includes('debug')) return { refused: 'forbidden' };
    const log = params.channel === 'command' ? session.log : NO_LOG;
    const foreign = params.eventEpoch !== undefined && params.eventEpoch !== this.#context.eventEpoch;
    const { gap, from } = resume(log, { lastSeq: params.lastSeq ?? 0, foreign });
    const generation = session.bindings.take(params.channel, outlet);
    if (params.channel === 'command') session.observers.rebound();
    else session.trace.level = 'info';
    session.linger.review();
    // When the bind has been answered: what waited for it is news, and no history (SWITCH-21).
    if (session.pipe?.awaitsBind) this.#context.scheduler.soon(() => session.pipe?.bound());
    const { channel } = params;
    const { eventEpoch } = this.#context;
    const seqs = { headSeq: session.headSeq(channel), oldestSeq: session.oldestSeq(channel) };
    const result = { channel, generation, eventEpoch, ...seqs, gap, state: session.state() };
    const rooms = new Administration(this.#context, this.#rooms, session);
    const moving = new Moving({ rooms: this.#rooms, session, tickets: this.#tickets });
    return new SessionBinding({
      ...{ session, channel, log, rooms, moving, generation, result },
      tickets: this.#tickets,
      endpoints: this.#settings.endpoints,
      replayFrom: from,
    });
  }
}
