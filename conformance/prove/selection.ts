import { createHash } from 'node:crypto';
import type { Case } from '../model.js';
import { isExclusive } from '../plan.js';
import { isWay, axesOf, valuesOf } from '../permute/axes.js';
import { INDEPENDENCE } from '../permute/differences.js';
import { permute } from '../permute/permute.js';
import type { Mutant } from './catalogue.js';

/** How many cases beside its own a mutant is held against, to find false alarms. */
const SAMPLE = 6;

/** Whether some client of a case does not read for a while. */
export const holds = ({ steps }: Case): boolean => steps.some(({ verb }) => verb === 'hold');

/**
 * The cases that a mutant can be held against: before a proxy a client that does not read is no hardship to the server,
 * because the proxy's two connections take in more than its queue.
 */
function openTo(mutant: Mutant, all: readonly Case[]): readonly Case[] {
  const { kind, name, breaks } = mutant;
  const meant = (of: Case): boolean => of.mutants.includes(name) || breaks.some((id) => proves(of, id));
  return kind === 'patch' ? all : all.filter((of) => !holds(of) || meant(of));
}

/** The cases that a mutant runs, and whether some of them are slow ones. */
export interface Selection {
  readonly cases: readonly Case[];
  readonly slow: boolean;
}

/** What decides a selection beside the mutant. */
export interface SelectionOptions {
  readonly seed: number;
  readonly full: boolean;
}

const isSlow = ({ tags }: Case): boolean => tags.includes('slow');

const proves = ({ steps }: Case, id: string): boolean => steps.some((step) => step.proves.includes(id));

/** `cases` without the slow ones, as long as that leaves any. */
function quickOnes(cases: readonly Case[]): readonly Case[] {
  const quick = cases.filter((of) => !isSlow(of));
  return quick.length > 0 ? quick : cases;
}

/** The cases that say they kill the mutant; for an id that none of these proves, all that prove it. */
function ownCases({ name, breaks }: Mutant, all: readonly Case[]): readonly Case[] {
  const claiming = quickOnes(all.filter(({ mutants }) => mutants.includes(name)));
  const uncovered = breaks.filter((id) => !claiming.some((of) => proves(of, id)));
  return [...claiming, ...uncovered.flatMap((id) => quickOnes(all.filter((of) => proves(of, id))))];
}

const rank = (seed: string, of: Case): string => createHash('sha256').update(`${seed}\n${of.id}`).digest('hex');

function sampleOf(cases: readonly Case[], seed: string): readonly Case[] {
  return cases
    .map((of) => ({ of, rank: rank(seed, of) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .slice(0, SAMPLE)
    .map(({ of }) => of);
}

/**
 * Each case with the permutations in which some of its members come by another transport, for a mutant that makes a
 * difference between transports: nothing but the comparison of all its runs may notice that.
 */
function byAllWays({ breaks }: Mutant, cases: readonly Case[]): readonly Case[] {
  if (!breaks.includes(INDEPENDENCE)) return [];
  return cases.flatMap((of) =>
    axesOf(of)
      .filter(isWay)
      .flatMap((axis) => valuesOf(of, axis).flatMap((value) => permute(of, { [axis]: value }) ?? []))
      .filter((made) => made !== of),
  );
}

/**
 * The canary, the cases that must kill the mutant, and a sample of the others that `seed` decides. Slow cases only where
 * nothing else would do. With `full` everything.
 */
export function casesFor(mutant: Mutant, cases: readonly Case[], { seed, full }: SelectionOptions): Selection {
  const all = openTo(mutant, cases);
  if (full) return { cases: all, slow: true };
  const own = ownCases(mutant, all);
  // What starts the server again takes too long for a sample.
  const others = all.filter((of) => !of.canary && !isSlow(of) && !isExclusive(of) && !own.includes(of));
  const sample = sampleOf(others, `${String(seed)} ${mutant.name}`);
  const chosen = new Set([...all.filter(({ canary }) => canary), ...own, ...sample]);
  return { cases: [...all.filter((of) => chosen.has(of)), ...byAllWays(mutant, own)], slow: own.some(isSlow) };
}
