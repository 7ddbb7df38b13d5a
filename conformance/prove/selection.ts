import { createHash } from 'node:crypto';
import type { Case } from '../model.js';
import type { Mutant } from './catalogue.js';

/** How many cases beside its own a mutant is held against, to find false alarms. */
const SAMPLE = 8;

const isSlow = ({ tags }: Case): boolean => tags.includes('slow');

const proves = ({ steps }: Case, ids: readonly string[]): boolean =>
  steps.some((step) => step.proves.some((id) => ids.includes(id)));

/** The cases that a mutant runs, and whether some of them are slow ones. */
export interface Selection {
  readonly cases: readonly Case[];
  readonly slow: boolean;
}

const rank = (seed: string, of: Case): string => createHash('sha256').update(`${seed}\n${of.id}`).digest('hex');

/**
 * The canary, every case that proves an id which the mutant breaks, and a sample of the others that `seed` decides.
 * Slow cases only where no other case proves the id. With `full` everything.
 */
export function casesFor(mutant: Mutant, all: readonly Case[], options: { seed: number; full: boolean }): Selection {
  if (options.full) return { cases: all, slow: true };
  const slowIds = mutant.breaks.filter((id) => !all.some((of) => !isSlow(of) && proves(of, [id])));
  const own = all.filter((of) => proves(of, isSlow(of) ? slowIds : mutant.breaks));
  const seed = `${String(options.seed)} ${mutant.name}`;
  const others = all
    .filter((of) => !of.canary && !isSlow(of) && !own.includes(of))
    .map((of) => ({ of, rank: rank(seed, of) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .slice(0, SAMPLE)
    .map(({ of }) => of);
  const chosen = new Set([...all.filter(({ canary }) => canary), ...own, ...others]);
  return { cases: all.filter((of) => chosen.has(of)), slow: own.some(isSlow) };
}
