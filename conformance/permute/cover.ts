import { createHash } from 'node:crypto';
import type { Case } from '../model.js';
import type { Axis, Choice, Combination } from './axes.js';
import { axesOf, isWay, valuesOf } from './axes.js';
import { permute, suffixOf } from './permute.js';

/** Which permutations of the cases run beside the cases themselves. */
export type Permuting = 'none' | 'pairwise' | 'all';

/** Every combination of the values of `choices`, the first values of all of them first. */
export function product(choices: readonly Choice[]): readonly Combination[] {
  return choices.reduce<readonly Combination[]>(
    (made, { axis, values }) => made.flatMap((each) => values.map((value) => ({ ...each, [axis]: value }))),
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
export function pairwise(choices: readonly Choice[], seed: number, name = ''): readonly Combination[] {
  const all = product(choices);
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

/** How permutations are made. */
export interface Making {
  readonly seed: number;
  /** Whether the server can have that value of that axis at all. */
  readonly isOffered: (axis: Axis, value: string) => boolean;
}

/**
 * The permutations of `cases` that run beside them. `pairwise`: the files of an area share out its combinations, so that
 * in every area each pair of values occurs that its cases allow; which files have one, and which of their rows, is
 * drawn. By what members come (`in`, `out`) the files of the whole suite share out among themselves, apart from
 * everything else. `all`: every combination of every case.
 */
export function permutations(cases: readonly Case[], how: Permuting, making: Making): readonly Case[] {
  const choices = (of: Case, ways: boolean): readonly Choice[] =>
    axesOf(of)
      .filter((axis) => isWay(axis) === ways)
      .map((axis) => ({ axis, values: offered(of, axis, making) }))
      .filter(({ values }) => values.length > 1);
  if (how === 'none') return [];
  if (how === 'all') {
    return cases.flatMap((of) => [false, true].flatMap((ways) => make(of, product(choices(of, ways)).slice(1))));
  }
  const share = (alike: readonly Case[], ways: boolean): readonly Case[] => {
    const covered = new Set<string>();
    const groups = groupsOf(alike, (of) => JSON.stringify(choices(of, ways)));
    return groups
      .map((group) => ({ group, allowed: group.slice(0, 1).flatMap((of) => choices(of, ways)) }))
      .sort((a, b) => product(b.allowed).length - product(a.allowed).length)
      .flatMap(({ group, allowed }) => shared(group, allowed, { seed: making.seed, covered }));
  };
  return [...groupsOf(cases, areaOf).flatMap((area) => share(area, false)), ...share(cases, true)];
}

const offered = (of: Case, axis: Axis, { isOffered }: Making): readonly string[] =>
  valuesOf(of, axis).filter((value, index) => index === 0 || isOffered(axis, value));

const make = (of: Case, combinations: readonly Combination[]): readonly Case[] =>
  combinations.map((each) => permute(of, each)).filter((each) => each !== undefined);

/** What the cases before have in their combinations already. */
interface Sharing {
  readonly seed: number;
  readonly covered: Set<string>;
}

// Cases that allow the same: each file in turn takes a combination that nobody has yet; the seed says in which order.
function shared(alike: readonly Case[], choices: readonly Choice[], { seed, covered }: Sharing): readonly Case[] {
  const [first] = alike;
  if (first === undefined || choices.length === 0) return [];
  const files = inDrawnOrder(
    groupsOf(alike, ({ file }) => file),
    seed,
  );
  const combinations = pairwise(choices, seed, areaOf(first)).slice(1);
  const isNew = (of: Combination): boolean => pairsOf(of).some((pair) => !covered.has(pair));
  const fresh = combinations.filter((of) => {
    const adds = isNew(of);
    for (const pair of pairsOf(of)) covered.add(pair);
    return adds;
  });
  return fresh.flatMap((combination, index) => {
    const rows = files[index % files.length] ?? alike;
    return make(drawn(rows, seed + Math.floor(index / files.length)), [combination]);
  });
}

function inDrawnOrder(files: readonly (readonly Case[])[], seed: number): readonly (readonly Case[])[] {
  const rankOf = (rows: readonly Case[]): string => draw(seed, rows[0]?.file ?? '');
  const ranked = files.map((rows) => ({ rows, rank: rankOf(rows) }));
  return ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1)).map(({ rows }) => rows);
}

function drawn(rows: readonly Case[], seed: number): Case {
  const ranked = rows.map((of) => ({ of, rank: draw(seed, of.id) }));
  return ranked.reduce((a, b) => (b.rank < a.rank ? b : a)).of;
}
