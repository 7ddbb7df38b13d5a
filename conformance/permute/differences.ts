import type { Check } from '../judge/judge.js';
import { isWay } from './axes.js';
import type { Axis } from './axes.js';
import { baseOf, combinationOf } from './permute.js';
import type { Item, Tale, Told } from './told.js';
import type { PermutedRun } from './twins.js';
import { familiesOf } from './twins.js';

/** The requirement that what members are told does not depend on the transports by which they come. */
export const INDEPENDENCE = 'DELIV-12';

/** What one run told and the other did not. */
export interface Difference {
  /** Who was told, and what sort of thing. */
  readonly what: string;
  readonly expected: string;
  readonly received: string;
}

const NOTHING: Tale = { items: [], certain: 0, settled: new Map() };
const AROUND = 1;

/**
 * The first difference between what two runs of one case told; undefined where there is none. Both must begin alike, as
 * far as both go; what a step of one run waited for must have come in the other; and what a fence had settled in both
 * must be the same in number.
 */
export function differenceOf(own: Told, other: Told): Difference | undefined {
  const keys = [...new Set([...own.keys(), ...other.keys()])];
  for (const what of keys) {
    const [a, b] = [own.get(what) ?? NOTHING, other.get(what) ?? NOTHING];
    const at = firstApart(a, b);
    if (at !== undefined) return { what, expected: excerpt(a, at), received: excerpt(b, at) };
  }
  return undefined;
}

function firstApart(a: Tale, b: Tale): number | undefined {
  const both = Math.min(a.items.length, b.items.length);
  for (let i = 0; i < both; i++) if (!alike(a.items[i], b.items[i])) return i;
  if (b.items.length < a.certain || a.items.length < b.certain) return both;
  const settled = [...a.settled].filter(([sent, count]) => (b.settled.get(sent) ?? count) !== count);
  return settled.length === 0
    ? undefined
    : Math.min(...settled.map(([sent, n]) => Math.min(n, b.settled.get(sent) ?? n)));
}

const alike = (a: Item | undefined, b: Item | undefined): boolean =>
  a?.text === b?.text && (a?.kind === undefined || b?.kind === undefined || a.kind === b.kind);

function excerpt({ items }: Tale, at: number): string {
  const from = Math.max(0, at - AROUND);
  const shown = items.slice(from, at + AROUND + 1).map(({ text, kind }, i) => {
    const kindly = kind === undefined ? '' : `${kind} `;
    return `${String(from + i + 1)}. ${kindly}${text}`;
  });
  return shown.length === 0 ? 'nothing' : shown.join('; ');
}

/** A run with what it told, where that was kept. */
export interface ToldRun extends PermutedRun {
  readonly told?: Told | undefined;
}

/** Whether an id names a permutation in nothing but by what members come. */
function isOnlyByWay(id: string): boolean {
  const changed = Object.keys(combinationOf(id) ?? {});
  return changed.length > 0 && changed.every((axis) => isWay(axis as Axis));
}

/** The ids of the cases of which some permutation changes by what members come: of these it is kept what they told. */
export const compared = (ids: readonly string[]): ReadonlySet<string> => new Set(ids.filter(isOnlyByWay).map(baseOf));

/**
 * Holds each case beside its permutations by other transports: what all of them told must be the same. Runs that do not
 * pass say by themselves what is wrong.
 */
export function independenceChecks(runs: readonly ToldRun[]): readonly Check[] {
  const pairs = familiesOf(runs.filter(({ verdict }) => verdict === 'PASS')).flatMap(({ id, runs: alike }) => {
    const own = alike.find((run) => run.id === id)?.told;
    return own === undefined ? [] : alike.filter((run) => isOnlyByWay(run.id)).map((run) => ({ own, run }));
  });
  const told = pairs.filter(({ run }) => run.told !== undefined);
  const broken = told.flatMap(({ own, run }) => {
    const difference = differenceOf(own, run.told ?? new Map());
    return difference === undefined ? [] : [brokenBy(run, difference)];
  });
  if (broken.length > 0) return broken;
  return told.length === 0 ? [] : [{ case: '*', run: '*', step: -1, requirement: INDEPENDENCE, verdict: 'PASS' }];
}

const brokenBy = ({ id, run }: ToldRun, { what, expected, received }: Difference): Check => ({
  case: id,
  run,
  step: -1,
  requirement: INDEPENDENCE,
  verdict: 'FAIL',
  why: 'WRONG',
  expected: `at ${what}, as in ${baseOf(id)}: ${expected}`,
  received,
});
