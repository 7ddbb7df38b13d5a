import type { RoomChanges, RoomSpec } from '../../generated/types.js';
import type { RoomTerms } from './room-terms.js';

/** Members over others; null takes away. */
function over(present: object, changes: object | undefined): Record<string, unknown> {
  const all = Object.entries({ ...present, ...changes });
  return Object.fromEntries(all.filter(([, value]) => value !== null && value !== undefined));
}

/** The whole spec that a room would have after a change (ADMIN-12). */
export function changed(terms: RoomTerms, changes: RoomChanges): RoomSpec {
  const { anonymous, limits, ...rest } = changes;
  return {
    ...(over(terms, rest) as RoomSpec),
    anonymous: over(terms.anonymous, anonymous),
    limits: over(terms.limits, limits),
  };
}

export function sameTerms(one: RoomTerms, other: RoomTerms): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Whether the other terms would change what members have agreed to by entering (ADMIN-14). */
export function breaksFaith(one: RoomTerms, other: RoomTerms): boolean {
  return (['format', 'onMismatch', 'boundaries'] as const).some((name) => one[name] !== other[name]);
}
