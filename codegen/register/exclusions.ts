import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { isObject, messageOf } from '../json.js';

/** The only reasons for which a requirement may go without a case. */
export const REASONS = [
  'entropy',
  'constant-time',
  'storage',
  'absence-of-logging',
  'resource-bound',
  'client-side',
  'operator-side',
] as const;

/** Why a requirement cannot be observed from outside. */
export interface Exclusion {
  readonly reason: (typeof REASONS)[number];
  readonly why: string;
}

export interface Exclusions {
  readonly byRequirement: ReadonlyMap<string, Exclusion>;
  readonly problems: readonly string[];
}

const FILE = 'spec/exclusions.yaml';

/** Reads `spec/exclusions.yaml`: a list of `{id, reason, why}`. A missing file is an empty list. */
export function readExclusions(root: string): Exclusions {
  const byRequirement = new Map<string, Exclusion>();
  const problems: string[] = [];
  for (const entry of entries(join(root, FILE), problems)) {
    const problem = check(entry, byRequirement);
    if (problem !== undefined) problems.push(`${FILE}: ${problem}`);
  }
  return { byRequirement, problems };
}

function entries(file: string, problems: string[]): readonly unknown[] {
  if (!existsSync(file)) return [];
  try {
    const content: unknown = parse(readFileSync(file, 'utf8')) ?? [];
    if (Array.isArray(content)) return content;
    problems.push(`${FILE}: not a list`);
  } catch (error) {
    problems.push(`${FILE}: ${messageOf(error).split('\n')[0] ?? ''}`);
  }
  return [];
}

function check(entry: unknown, into: Map<string, Exclusion>): string | undefined {
  if (!isObject(entry) || typeof entry['id'] !== 'string') return 'an entry has no id';
  const { id, why } = entry;
  const reason = REASONS.find((known) => known === entry['reason']);
  if (reason === undefined) return `${id}: reason is not one of ${REASONS.join(', ')}`;
  if (typeof why !== 'string' || why.trim() === '') return `${id}: no why`;
  if (into.has(id)) return `${id} is listed twice`;
  into.set(id, { reason, why: why.replaceAll(/\s+/g, ' ').trim() });
  return undefined;
}
