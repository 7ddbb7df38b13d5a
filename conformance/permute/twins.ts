import type { Check, Verdict } from '../judge/judge.js';
import type { Combination } from './axes.js';
import { AXES, axisNames } from './axes.js';
import { baseOf, combinationOf, suffixOf } from './permute.js';

/** What must be known of a run to hold it beside the other permutations of its case. */
export interface PermutedRun {
  readonly id: string;
  readonly verdict: Verdict;
  readonly run: string;
  readonly checks: readonly Check[];
}

/** A case with all its permutations that ran, itself among them. */
export interface Family<R extends PermutedRun = PermutedRun> {
  readonly id: string;
  readonly runs: readonly R[];
}

const BAD: ReadonlySet<Verdict> = new Set(['FAIL', 'WARN', 'INCONCLUSIVE']);

/** Whether something is wrong with a run, or cannot be said. */
export const isBad = ({ verdict }: Pick<PermutedRun, 'verdict'>): boolean => BAD.has(verdict);

/** Puts the permutations of each case together, in the order of their first runs. */
export function familiesOf<R extends PermutedRun>(runs: readonly R[]): readonly Family<R>[] {
  const families = new Map<string, R[]>();
  for (const run of runs) {
    const id = baseOf(run.id);
    const family = families.get(id);
    if (family === undefined) families.set(id, [run]);
    else family.push(run);
  }
  return [...families].map(([id, members]) => ({ id, runs: members }));
}

const valuesOf = (run: PermutedRun): readonly string[] => {
  const combination = combinationOf(run.id) ?? {};
  return axisNames.map((axis) => `${axis}=${combination[axis] ?? AXES[axis][0]}`);
};

/**
 * In which permutations a case fails, in a few words: nothing where it has but one, else `in all 4 permutations`, or `in
 * 3 of 4 permutations: debug=on` with the values that all failing ones have and no other has, or with those ones' names.
 */
export function whereItFails({ runs }: Family): string {
  const bad = runs.filter(isBad);
  if (runs.length < 2 || bad.length === 0) return '';
  const isRepeated = new Set(runs.map(({ id }) => id)).size < runs.length;
  const total = `${String(runs.length)} ${isRepeated ? 'runs' : 'permutations'}`;
  if (bad.length === runs.length) return `in all ${total}`;
  const good = new Set(runs.filter((run) => !isBad(run)).flatMap(valuesOf));
  const common = valuesOf(bad[0] ?? { id: '', verdict: 'PASS', run: '', checks: [] })
    .filter((value) => bad.every((run) => valuesOf(run).includes(value)))
    .filter((value) => !good.has(value));
  const names = [...new Set(bad.map(({ id }) => suffixOf(combinationOf(id) ?? {}) || 'as it stands'))];
  return `in ${String(bad.length)} of ${total}: ${(common.length > 0 ? common : names).join(', ')}`;
}

const changesOf = (run: PermutedRun): Combination => combinationOf(run.id) ?? {};

/**
 * Permutations to run besides, so that a failure can be laid to one axis: each changed axis of a failing permutation
 * alone, where the case itself passes.
 */
export function suspectsOf(
  runs: readonly PermutedRun[],
): readonly { readonly id: string; readonly combination: Combination }[] {
  return familiesOf(runs).flatMap((family) => {
    if (family.runs.find(({ id }) => id === family.id)?.verdict !== 'PASS') return [];
    const known = new Set(family.runs.map(({ id }) => id));
    const axes = family.runs.filter(isBad).flatMap((run) => Object.entries(changesOf(run)));
    const alone = new Map(axes.map(([axis, value]) => [`${axis}=${value}`, { [axis]: value }]));
    return [...alone.values()]
      .filter((combination) => !known.has(`${family.id}${suffixOf(combination)}`))
      .map((combination) => ({ id: family.id, combination }));
  });
}

/** The requirement that a debug channel changes nothing of pipe and command channel. */
const UNCHANGED = 'DBG-3';

/** What the permutations with a debug channel say: nothing fails because of it alone, or which case does. */
export function debugChecks(runs: readonly PermutedRun[]): readonly Check[] {
  const pairs = familiesOf(runs).flatMap((family) => {
    const own = family.runs.find(({ id }) => id === family.id);
    return own?.verdict === 'PASS' ? family.runs.filter((run) => changesOf(run).debug !== undefined) : [];
  });
  const broken = pairs.filter((run) => run.verdict === 'FAIL' && Object.keys(changesOf(run)).length === 1);
  if (broken.length > 0) return broken.map(brokenBy);
  return pairs.some(({ verdict }) => verdict === 'PASS') ? [unchanged] : [];
}

const unchanged: Check = { case: '*', run: '*', step: -1, requirement: UNCHANGED, verdict: 'PASS' };

function brokenBy({ id, run, checks }: PermutedRun): Check {
  const first = checks.find(({ verdict }) => verdict === 'FAIL');
  return {
    case: id,
    run,
    step: first?.step ?? -1,
    requirement: UNCHANGED,
    verdict: 'FAIL',
    why: 'WRONG',
    expected: `${baseOf(id)} to pass as it does without a debug channel`,
    received: `${first?.requirement ?? 'it'} fails with one`,
    ...(first?.line === undefined ? {} : { line: first.line }),
  };
}
