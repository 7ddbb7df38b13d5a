import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { byCodeUnit } from '../files.js';
import { isObject, readJson } from '../json.js';
import type { Requirement } from './register.js';

/** Requirement id to the hash of the sentence that its cases were written against. */
export const SENTENCES_FILE = 'conformance/cases/sentences.lock.json';

export interface Reconciled {
  /** The lock file's next content. */
  readonly text: string;
  /** One line per sentence that changed under its cases. */
  readonly problems: readonly string[];
}

/**
 * Compares the register with the lock: new ids are taken over, vanished ones dropped, and a changed hash is kept as it
 * was, until accepted, so that somebody reads the cases again.
 *
 * @param accept - Ids whose change was read, or `all`.
 */
export function reconcile(root: string, requirements: readonly Requirement[], accept: readonly string[]): Reconciled {
  const locked = readLock(join(root, SENTENCES_FILE));
  const next: [string, string][] = [];
  const problems: string[] = [];
  for (const { id, hash, cases } of requirements.filter((one) => one.cases.length > 0)) {
    const before = locked.get(id) ?? hash;
    const keep = before !== hash && !accept.includes(id) && !accept.includes('all');
    next.push([id, keep ? before : hash]);
    if (keep) problems.push(`${id}'s sentence changed: read ${cases.join(', ')} again, then generate --accept ${id}`);
  }
  for (const id of accept) {
    if (id !== 'all' && !next.some(([known]) => known === id)) problems.push(`no case proves ${id}: nothing to accept`);
  }
  next.sort(([a], [b]) => byCodeUnit(a, b));
  return { text: `${JSON.stringify(Object.fromEntries(next), null, 2)}\n`, problems };
}

function readLock(file: string): ReadonlyMap<string, string> {
  const content = existsSync(file) ? readJson(file) : {};
  const entries = Object.entries(isObject(content) ? content : {});
  return new Map(entries.map(([id, hash]) => [id, String(hash)]));
}
