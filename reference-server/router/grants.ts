import type { Formats, Framing, Grant, Limits, RequestedLimits, Scope, SessionRequest } from '../../generated/types.js';
import type { Refusal, Result } from '../ports/refusal.js';
import type { Room } from './room.js';
import type { RoomTerms } from './room-terms.js';

/** The limits that a client may ask to have smaller; the others are not its own. */
const REQUESTABLE: ReadonlySet<string> = new Set<keyof RequestedLimits>([
  'hardMessageBytes',
  'pauseMaxMs',
  'blockMs',
  'ticketMs',
  'switchAckMs',
  'abortAckMs',
  'sessionLingerMs',
  'ringEvents',
  'ringBytes',
  'siblingMessageBytes',
  'siblingQueuedBytes',
  'fenceMs',
  'maxPendingFences',
  'maxStayMs',
  'keepaliveMs',
  'ftpDataMs',
  'ftpIdleMs',
  'debugEventsPerSecond',
  'agentCommandBytes',
  'agentCommandsPerSecond',
  'maxPersistentRooms',
]);

const ALL_FORMATS: Formats = { send: ['text', 'json', 'binary'], receive: ['text', 'json', 'binary'] };

/** Formats as asked; what is left out is everything. */
export function formatsOf({ formats }: SessionRequest): Formats {
  return { send: formats?.send ?? ALL_FORMATS.send, receive: formats?.receive ?? ALL_FORMATS.receive };
}

/** Everything that the caller may have in a room; null where the room does not admit it at all. */
function scopesFor(room: Room, account: string | null): Scope[] | null {
  if (account !== null) return ['send', 'receive', 'debug', 'command', 'admin'];
  const scopes = (['send', 'receive'] as const).filter((scope) => room.terms.anonymous[scope]);
  return scopes.length > 0 ? scopes : null;
}

/** Whether the room exists as far as the caller is concerned (OPEN-11). */
export function visible(room: Room | undefined, account: string | null): room is Room {
  if (!room) return false;
  return room.terms.visibility === 'public' || (account !== null && room.owner === account);
}

/** The scopes of a new session: those asked, or all that the caller may have (OPEN-14). */
export function scopesOf(room: Room, request: SessionRequest, account: string | null): Result<Scope[]> {
  const allowed = scopesFor(room, account);
  if (!allowed) return { refused: 'unauthenticated' }; // ANON-2
  const beyond = request.scopes?.findIndex((scope) => !allowed.includes(scope)) ?? -1;
  if (beyond >= 0) return { refused: 'forbidden', pointer: `/scopes/${String(beyond)}` };
  return request.scopes ? [...new Set(request.scopes)] : allowed;
}

type OwnLimits = Readonly<Required<Limits>>;

/** By the limits of a room: what its sessions have that ask for nothing. Most do, and so share one object. */
const COMMON = new WeakMap<Room['limits'], { readonly own: OwnLimits; readonly limits: OwnLimits }>();

function commonLimits(own: OwnLimits, room: Room): OwnLimits {
  const known = COMMON.get(room.limits);
  if (known?.own === own) return known.limits;
  const limits = { ...own, ...room.limits };
  COMMON.set(room.limits, { own, limits });
  return limits;
}

export type Framings = Readonly<Partial<Record<string, readonly Framing[]>>>;

/** Where clients go, by transport. */
export interface Endpoints {
  readonly pipe: Readonly<Partial<Record<string, string>>>;
  readonly sibling: Grant['endpoints']['sibling'];
  /** Framings of the transports that have several, the usual one first. */
  readonly framings?: Framings;
}

/** Where a pipe is opened into a room; a form has the name of its room in the address (PIPE-9). */
export function pipeEndpoint({ pipe }: Endpoints, transport: string, { name }: Pick<Room, 'name'>): string {
  return (pipe[transport] ?? '').replace('{room}', name);
}

/**
 * The framing of a pipe: the one that is asked for, or the usual one of its transport; undefined where that has none
 * (TCP-5). Bytes without messages fit only into a room that does not keep boundaries (TCP-7).
 */
export function framingOf(
  room: RoomTerms,
  { transport, framing: asked }: { readonly transport: string; readonly framing?: Framing },
  framings: Framings = {},
): Framing | undefined | Refusal {
  const offered = framings[transport] ?? [];
  const framing = asked ?? offered[0];
  if (framing === undefined) return undefined;
  const fits = framing !== 'raw' || room.boundaries === 'ignored';
  return fits && offered.includes(framing) ? framing : { refused: 'framing_unsupported', pointer: '/framing' };
}

/** The limits of a session in a room: the smaller of what is asked and what is in force, limit by limit (OPEN-13). */
export function limitsOf(own: OwnLimits, room: Room, asked?: RequestedLimits): OwnLimits {
  if (!asked) return commonLimits(own, room);
  const effective = { ...commonLimits(own, room) };
  for (const [name, value] of Object.entries(asked)) {
    const limit = name as keyof RequestedLimits;
    if (REQUESTABLE.has(limit)) effective[limit] = Math.min(effective[limit], value as number);
  }
  return effective;
}
