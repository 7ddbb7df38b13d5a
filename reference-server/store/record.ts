import { validate } from '../../generated/validate.js';
import { faultPointer } from '../../support/fault.js';
import type { StoredRoom } from '../ports/store.js';
import { StoreError } from './error.js';

/** Goes up with every change after which an older server would misread what is written. */
const VERSION = 1;

/** The form in which a room is kept: JSON with a version, without the name, which is the key. */
export function encodeRoom({ owner, rev, spec }: StoredRoom): string {
  return JSON.stringify({ v: VERSION, owner, rev, spec });
}

/**
 * Reads what `encodeRoom` wrote.
 *
 * @throws StoreError where it is anything else: a server that dropped or guessed at a room would betray its owner.
 */
export function decodeRoom(name: string, text: string): StoredRoom {
  const { v, owner, rev, spec } = parsed(name, text);
  if (v !== VERSION) {
    throw new StoreError(
      `room ${name} is kept in version ${JSON.stringify(v)}, and this server knows version ${String(VERSION)} only`,
    );
  }
  if (typeof owner !== 'string' || !Number.isSafeInteger(rev)) throw new StoreError(`room ${name}: no owner or no rev`);
  const room = { ...(spec as object), name };
  const check = validate['common/room'];
  if (!check(room)) throw new StoreError(`room ${name}: its spec is at fault at ${faultPointer(check.errors) || '/'}`);
  return { name, owner, rev: rev as number, spec: spec as StoredRoom['spec'] };
}

function parsed(name: string, text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // said below
  }
  throw new StoreError(`room ${name}: what is kept of it is no record`);
}
