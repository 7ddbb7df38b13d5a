import type { CallParams, Grant, RoomSpec, SessionRequest } from '../../generated/types.js';
import type { GrantDoor } from '../ports/access.js';
import type { PipeDoor, PipeOffer } from '../ports/pipe.js';
import type { Result } from '../ports/refusal.js';
import type { Binding, SiblingDoor, SiblingOutlet } from '../ports/sibling.js';
import { proves, resume } from './bind.js';
import { SessionBinding } from './binding.js';
import type { RouterContext } from './context.js';
import { EventRing } from './event-log.js';
import { overlaps } from './formats.js';
import { formatsOf, limitsOf, scopesOf, visible } from './grants.js';
import { Room } from './room.js';
import { type RoomTerms, termsOf } from './room-terms.js';
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
}

/** Rooms, membership and delivery; knows no transport, does no input or output. */
export class Router implements GrantDoor, PipeDoor, SiblingDoor {
  readonly #context: RouterContext;
  readonly #settings: RouterSettings;
  readonly #rooms = new Map<string, Room>();
  readonly #standing = new Set<Room>();
  readonly #sessions = new Map<string, Session>();
  readonly #tickets: Tickets;
  #anonymous = 0;
  #draining = false;

  constructor(context: RouterContext, settings: RouterSettings) {
    this.#context = context;
    this.#settings = settings;
    this.#tickets = new Tickets(context);
    for (const { name, spec } of settings.rooms) this.#standing.add(this.#addRoom(name, spec));
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  get rooms(): number {
    return this.#rooms.size;
  }

  #termsOf(asked: RoomSpec): Result<RoomTerms> {
    const { hardMessageBytes } = this.#context.limits;
    return termsOf(asked, { defaults: this.#settings.roomDefaults, hardMessageBytes });
  }

  #addRoom(name: string, asked: RoomSpec, owner: string | null = null): Room {
    const terms = this.#termsOf(asked);
    if ('refused' in terms) throw new Error(`room ${name}: ${terms.refused} ${terms.pointer ?? ''}`);
    const room = new Room(this.#context, { name, terms, owner });
    this.#rooms.set(name, room);
    return room;
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
    this.#rooms.set(room.name, room); // OPEN-9
    const { entropy, limits } = this.#context;
    const session = new Session(
      this.#context,
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
    if (this.#rooms.has(request.room)) return { refused: 'room_exists' };
    const terms = this.#termsOf(request.create ?? {});
    if ('refused' in terms) return terms;
    return new Room(this.#context, { name: request.room, terms, owner: account });
  }

  #admit(session: Session, transport: 'websocket'): Grant {
    this.#sessions.set(session.sid, session);
    if (session.account === null) this.#anonymous++;
    session.room.members.add(session);
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
    const { room } = session;
    room.members.delete(session);
    if (room.members.size === 0 && !this.#standing.has(room)) this.#rooms.delete(room.name); // OPEN-17
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
    // When the bind has been answered: what waited for it is news, and no history (SWITCH-21).
    if (session.pipe?.awaitsBind) this.#context.scheduler.soon(() => session.pipe?.bound());
    const { channel } = params;
    const { eventEpoch } = this.#context;
    const seqs = { headSeq: session.headSeq(channel), oldestSeq: session.oldestSeq(channel) };
    const result = { channel, generation, eventEpoch, ...seqs, gap, state: session.state() };
    return new SessionBinding({ session, channel, log, tickets: this.#tickets, generation, result, replayFrom: from });
  }
}
