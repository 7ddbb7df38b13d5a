import type { Case } from '../model.js';
import { baseOf } from '../permute/permute.js';
import type { MutantResult } from './try-mutant.js';

/** A case that says of a mutant that it kills it, and does not. */
export interface EmptyClaim {
  readonly case: string;
  readonly mutant: string;
  /** Whether there is such a mutant at all. */
  readonly exists: boolean;
}

/** The file that a case or one of its rows comes from. */
const fileOf = (id: string): string => baseOf(id).split('#')[0] ?? id;

/**
 * What the `mutants` lists of case files promise and did not keep: one row at least of each file must have failed before
 * the mutant, by an id on its lists. A name that no mutant has is a promise in vain, too.
 *
 * @param known - Names of all mutants there are, where every one of them was tried; else absent, and names that were not
 * tried are passed over.
 */
export function emptyClaims(
  cases: readonly Case[],
  results: readonly MutantResult[],
  known?: ReadonlySet<string>,
): readonly EmptyClaim[] {
  const byName = new Map(results.map((result) => [result.mutant.name, result]));
  const claims = new Map(
    cases.flatMap((of) => of.mutants.map((mutant) => [`${fileOf(of.id)} ${mutant}`, { of, mutant }])),
  );
  return [...claims.values()]
    .filter(({ of, mutant }) => {
      const result = byName.get(mutant);
      if (result === undefined) return known !== undefined && !known.has(mutant);
      const wasRun = result.cases.some((id) => fileOf(id) === fileOf(of.id));
      const noticed = [...result.kills, ...result.expectedBesides].some((kill) => fileOf(kill.case) === fileOf(of.id));
      return wasRun && result.state !== 'skipped' && !noticed;
    })
    .map(({ of, mutant }) => ({ case: fileOf(of.id), mutant, exists: byName.has(mutant) }));
}
