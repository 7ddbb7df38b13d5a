import type { Problem } from './cases.js';
import { casesFolder, loadCases } from './cases.js';
import { matchesGlob } from './glob.js';
import { lintCases } from './lint.js';
import type { Case } from './model.js';
import { axesOf, valuesOf } from './permute/axes.js';
import { baseOf, combinationOf, permute } from './permute/permute.js';
import { profileOf } from './register.js';

/** Something that the user has to put right; one line, exit 3. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Which cases were asked for: by globs over their ids, and by profiles, which only must exist. */
export interface Wanted {
  readonly case?: readonly string[];
  readonly profile?: readonly string[];
}

/**
 * The cases that were asked for, each of them sound, and the canary with them. `area/name` takes all rows of a file,
 * `area/name#row` one, `area/name#row[debug=on]` that permutation of it.
 *
 * @throws UsageError where there is no such case, or where it is none.
 */
export function soundCases({ case: globs, profile }: Wanted): readonly Case[] {
  const unknown = (profile ?? []).find((name) => profileOf(name) === undefined);
  if (unknown !== undefined) throw new UsageError(`no profile is called ${unknown}`);
  const { cases, problems } = loadCases(casesFolder(), (id) => id.startsWith(CANARY) || isFile(id, globs));
  const canaries = cases.filter(({ canary }) => canary);
  const named = globs?.flatMap((glob) => namedBy(glob, cases)) ?? cases;
  if (globs !== undefined && problems.length === 0 && named.length === 0) {
    throw new UsageError(`no case matches ${globs.join(', ')}`);
  }
  const chosen = [...new Map([...canaries, ...named].map((each) => [each.id, each])).values()];
  const found = [...problems, ...lintCases(chosen.filter(({ id }) => id === baseOf(id)))];
  if (found.length > 0) throw new UsageError(problemText(found));
  return chosen;
}

/** Whether `glob` names a permutation and not only cases. */
export const namesPermutation = (glob: string): boolean => glob !== baseOf(glob);

// The opening of every run, whatever was asked for.
const CANARY = 'canary/';

const fileOf = (id: string): string => id.split('#')[0] ?? id;

const isFile = (id: string, globs: readonly string[] | undefined): boolean =>
  globs === undefined || globs.some((glob) => matchesGlob(fileOf(baseOf(glob)), id));

function namedBy(glob: string, cases: readonly Case[]): readonly Case[] {
  const base = baseOf(glob);
  const found = cases.filter(({ id }) => matchesGlob(base, id) || matchesGlob(base, fileOf(id)));
  return namesPermutation(glob) ? found.map((of) => permuted(of, glob)) : found;
}

function permuted(of: Case, glob: string): Case {
  const combination = combinationOf(glob);
  const made = combination && permute(of, combination);
  if (made !== undefined) return made;
  const axes = axesOf(of).map((axis) => `${axis}=${valuesOf(of, axis).join('|')}`);
  throw new UsageError(`${glob}: ${of.id} can be permuted in ${axes.length === 0 ? 'nothing' : axes.join(', ')}`);
}

const problemText = (problems: readonly Problem[]): string =>
  ['cases that are no cases:', ...problems.map(({ file, line, what }) => `  ${file}:${String(line)}: ${what}`)].join(
    '\n',
  );
