// Accounts, rooms, sessions and tickets: who may have what (opening.md, rooms.md).
import { digest, LIMITS, Refusal, ROOM_LIMITS } from './registry.mjs';
import { Session } from './session.mjs';

/** The one value of each feature that this server has; the default is never refused (ROOM-SPEC-1). */
const ONLY = { lifetime: 'transient', format: 'any', onMismatch: 'reject', boundaries: 'kept', slowConsumer: 'close' };
const SCOPES = ['send', 'receive'];

/** Pointer of a value in the room spec that asks for a profile which is not declared, if there is one. */
function unsupported(spec) {
  const other = Object.keys(ONLY).find((name) => (spec[name] ?? ONLY[name]) !== ONLY[name]);
  if (other !== undefined) return `/create/${other}`;
  if (spec.ownerLeaves !== undefined) return '/create/ownerLeaves';
  const open = SCOPES.find((scope) => spec.anonymous?.[scope] === true);
  if (open !== undefined) return `/create/anonymous/${open}`;
  const rate = ['messagesPerSecond', 'messageBurst'].find((name) => spec.limits?.[name] !== undefined);
  return rate && `/create/limits/${rate}`;
}

/** Name of a room limit in the spec that is greater than the server allows (ROOM-LIMIT-4). */
function excessive(limits = {}) {
  const most = { ...LIMITS, maxMessageBytes: LIMITS.hardMessageBytes };
  return Object.keys(ROOM_LIMITS).find((name) => limits[name] > most[name]);
}

export class House {
  rooms = new Map();
  sessions = new Map();
  /** Sessions by the digest of their outstanding ticket. */
  tickets = new Map();
  #accounts;

  /** @param tokens pairs of a bearer token and the account that it speaks for */
  constructor(tokens) {
    this.#accounts = new Map(tokens.map(([token, account]) => [digest(token), account]));
  }

  /** Undefined if the token is not valid. */
  accountOf(token) {
    return this.#accounts.get(digest(token));
  }

  /**
   * A grant (OPEN-1), or a Refusal that has left nothing behind. The order of the reasons is that of opening.md.
   * @param request fits `http/session-request.json`; `account` is undefined if the caller is anonymous
   */
  open(request, account) {
    if (request.transport !== 'websocket') return new Refusal('transport_unsupported');
    if (this.sessions.size >= LIMITS.maxSessions) return new Refusal('busy', { limit: LIMITS.maxSessions });
    if (account === undefined) return new Refusal('unauthenticated');
    const room = request.create ? this.#create(request, account) : this.#find(request.room, account);
    if (room instanceof Refusal) return room;
    const scopes = request.scopes ?? SCOPES;
    if (scopes.some((scope) => !SCOPES.includes(scope))) return new Refusal('forbidden');
    const { maxMembers } = room.spec.limits;
    if (room.members.size >= maxMembers) return new Refusal('room_full', { limit: maxMembers });
    return this.#enter(room, { ...request, scopes });
  }

  #create({ room: name, create: spec }, account) {
    if (this.rooms.has(name)) return new Refusal('room_exists');
    const limit = excessive(spec.limits);
    if (limit !== undefined) return new Refusal('invalid_params', { pointer: `/create/limits/${limit}` });
    const pointer = unsupported(spec);
    if (pointer !== undefined) return new Refusal('not_supported', { pointer });
    const { visibility = 'public', echo = false } = spec;
    const limits = Object.fromEntries(Object.keys(ROOM_LIMITS).map((key) => [key, spec.limits?.[key] ?? LIMITS[key]]));
    const anonymous = { send: false, receive: false };
    return { owner: account, members: new Set(), spec: { name, visibility, ...ONLY, anonymous, echo, limits } };
  }

  /** To all but its owner a private room does not exist (OPEN-11). */
  #find(name, account) {
    const room = this.rooms.get(name);
    const hidden = room?.spec.visibility === 'private' && room.owner !== account;
    return room === undefined || hidden ? new Refusal('room_not_found') : room;
  }

  #enter(room, request) {
    const session = new Session(this, room, request);
    this.rooms.set(room.spec.name, room);
    room.members.add(session);
    this.sessions.set(session.sid, session);
    return session.grant();
  }

  /** Forgets a session, and its room with the last one in it (SESS-1, OPEN-17). */
  end(session) {
    const { room } = session;
    this.sessions.delete(session.sid);
    room.members.delete(session);
    if (room.members.size === 0) this.rooms.delete(room.spec.name);
  }
}
