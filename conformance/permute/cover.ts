import { createHash } from 'node:crypto';
import type { Case } from '../model.js';
import type { Axis, Combination } from './axes.js';
import { AXES, axesOf } from './axes.js';
import { permute, suffixOf } from './permute.js';

/** Which permutations of the cases run beside the cases themselves. */
export type Permuting = 'none' | 'pairwise' | 'all';

/** Every combination of the values of `axes`, the first values of all of them first. */
export function product(axes: readonly Axis[]): readonly Combination[] {
  return axes.reduce<readonly Combination[]>(
    (made, axis) => made.flatMap((each) => AXES[axis].map((value) => ({ ...each, [axis]: value }))),
    [{}],
  );
}

/** The pairs of values of two axes that a combination holds; of one value and nothing, where it has one axis only. */
export function pairsOf(combination: Combination): readonly string[] {
  const values = Object.entries(combination).map(([axis, value]) => `${axis}=${value}`);
  if (values.length === 1) return values;
  return values.flatMap((a, index) => values.slice(index + 1).map((b) => `${a} ${b}`));
}

/** A number that seed and name decide, the same on every machine. */
const draw = (seed: number, name: string): string =>
  createHash('sha256')
    .update(`${String(seed)} ${name}`)
    .digest('hex');

/**
 * Combinations of which each pair of values of two axes is in one at least, made greedily: the one with most pairs that
 * are still missing, among equals the one that `seed` draws. The first is the case itself.
 */
export function pairwise(axes: readonly Axis[], seed: number, name = ''): readonly Combination[] {
  const all = product(axes);
  const chosen: Combination[] = [all[0] ?? {}];
  const missing = new Set(all.flatMap(pairsOf));
  chosen.flatMap(pairsOf).forEach((pair) => missing.delete(pair));
  while (missing.size > 0) {
    const best = most(all, missing, (each) => draw(seed, `${name}${suffixOf(each)}`));
    pairsOf(best).forEach((pair) => missing.delete(pair));
    chosen.push(best);
  }
  return chosen;
}

function most(all: readonly Combination[], missing: ReadonlySet<string>, rank: (of: Combination) => string) {
  const scored = all.map((each) => ({ each, gain: pairsOf(each).filter((pair) => missing.has(pair)).length }));
  const gain = Math.max(...scored.map((each) => each.gain));
  const equals = scored.filter((each) => each.gain === gain).map(({ each }) => ({ each, rank: rank(each) }));
  return equals.reduce((a, b) => (b.rank < a.rank ? b : a)).each;
}

/** What stands in one file, or is about one thing. */
const groupsOf = (cases: readonly Case[], keyOf: (of: Case) => string): readonly (readonly Case[])[] => {
  const groups = new Map<string, Case[]>();
  for (const of of cases) groups.set(keyOf(of), [...(groups.get(keyOf(of)) ?? []), of]);
  return [...groups.values()];
};

const areaOf = ({ id }: Case): string => id.split('/')[0] ?? id;

/**
 * The permutations of `cases` that run beside them. `pairwise`: the files of an area share out its combinations, so that
 * in every area each pair of values occurs that its cases allow, and every file has one at least; the row of a file
 * that has it is drawn. `all`: every combination of every case.
 *
 * @param isOffered - whether the server can have that combination at all.
 */
export function permutations(
  cases: readonly Case[],
  how: Permuting,
  { seed, isOffered }: { readonly seed: number; readonly isOffered: (axis: Axis) => boolean },
): readonly Case[] {
  const axes = (of: Case): readonly Axis[] => axesOf(of).filter(isOffered);
  if (how === 'none') return [];
  if (how === 'all') return cases.flatMap((of) => make(of, product(axes(of)).slice(1)));
  return groupsOf(cases, areaOf).flatMap((area) =>
    groupsOf(area, (of) => axes(of).join()).flatMap((alike) => shared(alike, axes, seed)),
  );
}

const make = (of: Case, combinations: readonly Combination[]): readonly Case[] =>
  combinations.map((each) => permute(of, each)).filter((each) => each !== undefined);

// Cases that allow the same axes: each file takes the next combination, and what is left over goes round again.
function shared(alike: readonly Case[], axes: (of: Case) => readonly Axis[], seed: number): readonly Case[] {
  const [first] = alike;
  if (first === undefined || axes(first).length === 0) return [];
  const files = groupsOf(alike, ({ file }) => file);
  const combinations = pairwise(axes(first), seed, areaOf(first)).slice(1);
  const count = Math.max(files.length, combinations.length);
  return Array.from({ length: count }, (_, index) => {
    const rows = files[index % files.length] ?? alike;
    const of = drawn(rows, seed + Math.floor(index / files.length));
    return make(of, [combinations[index % combinations.length] ?? {}]);
  }).flat();
}

function drawn(rows: readonly Case[], seed: number): Case {
  const ranked = rows.map((of) => ({ of, rank: draw(seed, of.id) }));
  return ranked.reduce((a, b) => (b.rank < a.rank ? b : a)).of;
}
