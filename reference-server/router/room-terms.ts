import type { Limits, Room as WireRoom, RoomLimits, RoomSpec } from '../../generated/types.js';
import type { Refusal, Result } from '../ports/refusal.js';

type LimitName = 'maxMessageBytes' | 'maxMembers' | 'maxQueuedMessages' | 'maxQueuedBytes';

type RateName = 'messagesPerSecond' | 'messageBurst';

/** What holds in a room: its spec with nothing left open. */
export interface RoomTerms extends Omit<WireRoom, 'name' | 'limits'> {
  readonly limits: Readonly<Required<Pick<RoomLimits, LimitName>> & Pick<RoomLimits, RateName>>;
}

/** What a server can do with rooms because of profiles that it declares. */
interface Abilities {
  readonly persistent: boolean;
  /** Whether it has a transport that carries streams. */
  readonly streams: boolean;
}

/** Features of profiles that this server does not declare are refused, never silently ignored (ROOM-SPEC-2). */
function unsupportedIn(asked: RoomSpec, { persistent, streams }: Abilities): string | null {
  if (asked.lifetime === 'persistent' && !persistent) return '/create/lifetime';
  if (asked.boundaries !== 'ignored') return null;
  if (!streams) return '/create/boundaries';
  // A stream has no places at which the text or the JSON in it could be looked at (STREAM-4).
  return asked.format === 'text' || asked.format === 'json' ? '/create/format' : null;
}

const LIMITS: readonly LimitName[] = ['maxMessageBytes', 'maxMembers', 'maxQueuedMessages', 'maxQueuedBytes'];

/** The first limit that is asked for beyond what the server permits (ROOM-LIMIT-4). */
function beyondServer(asked: RoomSpec, most: RoomTerms['limits']): Refusal | null {
  const name = LIMITS.find((limit) => (asked.limits?.[limit] ?? 0) > most[limit]);
  return name ? { refused: 'invalid_params', pointer: `/create/limits/${name}`, limit: most[name] } : null;
}

/** A burst of no rate means nothing; a change of a room can come to that where no schema sees it (FRAME-1). */
function burstAlone({ limits }: RoomSpec): Refusal | null {
  const alone = limits?.messageBurst !== undefined && limits.messagesPerSecond === undefined;
  return alone ? { refused: 'invalid_params', pointer: '/create/limits/messagesPerSecond' } : null;
}

/** Only the limits that a room has: whatever else a spec holds is nobody's business here. */
function limitsOf(asked: RoomLimits | undefined, defaults: RoomTerms['limits']): RoomTerms['limits'] {
  return {
    maxMessageBytes: asked?.maxMessageBytes ?? defaults.maxMessageBytes,
    maxMembers: asked?.maxMembers ?? defaults.maxMembers,
    maxQueuedMessages: asked?.maxQueuedMessages ?? defaults.maxQueuedMessages,
    maxQueuedBytes: asked?.maxQueuedBytes ?? defaults.maxQueuedBytes,
    ...(asked?.messagesPerSecond !== undefined && { messagesPerSecond: asked.messagesPerSecond }),
    ...(asked?.messageBurst !== undefined && { messageBurst: asked.messageBurst }),
  };
}

/** Whether messages may come as fast under the one as under the other (RATE-1). */
export function sameRate(one: RoomTerms['limits'], other: RoomTerms['limits']): boolean {
  return one.messagesPerSecond === other.messagesPerSecond && one.messageBurst === other.messageBurst;
}

const RATES: ReadonlySet<string> = new Set<RateName>(['messagesPerSecond', 'messageBurst']);

/** The limits of a session that is in a room: the room's own in place of those of the room that it was granted for. */
export function limitsIn(room: RoomTerms['limits'], granted: Readonly<Required<Limits>>): Limits {
  const own = Object.fromEntries(Object.entries(granted).filter(([name]) => !RATES.has(name)));
  return { ...(own as Required<Limits>), ...room };
}

/** Fills in what a spec leaves open, or says what in it cannot be kept. */
export function termsOf(
  asked: RoomSpec,
  given: Abilities & { readonly defaults: RoomTerms; readonly hardMessageBytes: number },
): Result<RoomTerms> {
  const unsupported = unsupportedIn(asked, given);
  if (unsupported !== null) return { refused: 'not_supported', pointer: unsupported };
  const { defaults } = given;
  return (
    beyondServer(asked, { ...defaults.limits, maxMessageBytes: given.hardMessageBytes }) ??
    burstAlone(asked) ?? {
      visibility: asked.visibility ?? defaults.visibility,
      lifetime: asked.lifetime ?? defaults.lifetime,
      ...(asked.ownerLeaves && { ownerLeaves: asked.ownerLeaves }),
      format: asked.format ?? defaults.format,
      onMismatch: asked.onMismatch ?? defaults.onMismatch,
      boundaries: asked.boundaries ?? defaults.boundaries,
      anonymous: {
        send: asked.anonymous?.send ?? defaults.anonymous.send,
        receive: asked.anonymous?.receive ?? defaults.anonymous.receive,
      },
      echo: asked.echo ?? defaults.echo,
      slowConsumer: asked.slowConsumer ?? defaults.slowConsumer,
      limits: limitsOf(asked.limits, defaults.limits),
    }
  );
}

/**
 * The terms of a room that was kept. Its limits stay what they were promised to be, though the server may permit less to
 * new rooms by now.
 */
export function termsOfKept(spec: Omit<WireRoom, 'name'>, defaults: RoomTerms): RoomTerms {
  return { ...spec, limits: limitsOf(spec.limits, defaults.limits) };
}
