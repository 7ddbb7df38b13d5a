import { allRequirements } from '../register.js';
import { appliesTo } from './bench.js';
import type { MutantResult } from './try-mutant.js';

/** Requirement id to mutant to the cases that killed it. */
export type KillMatrix = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/** Which case noticed which mutant by which requirement. */
export function killMatrix(results: readonly MutantResult[]): KillMatrix {
  const matrix: Record<string, Record<string, readonly string[]>> = {};
  for (const { mutant, kills } of results) {
    for (const { requirement, case: of } of kills) {
      const row = (matrix[requirement] ??= {});
      row[mutant.name] = [...new Set([...(row[mutant.name] ?? []), of])];
    }
  }
  return matrix;
}

/** MUSTs that somebody outside can observe, that a server with these profiles is held to, and that no mutant broke noticed. */
export function unguarded(results: readonly MutantResult[], profiles: readonly string[]): readonly string[] {
  const killed = new Set(
    results.filter(({ state }) => state === 'killed').flatMap(({ kills }) => kills.map((each) => each.requirement)),
  );
  return observableMusts(profiles).filter((id) => !killed.has(id));
}

/** MUSTs without an exclusion, of declared profiles. */
export function observableMusts(profiles: readonly string[]): readonly string[] {
  const applies = appliesTo(profiles);
  return allRequirements()
    .filter(({ level, exclusion, id }) => level.startsWith('MUST') && exclusion === undefined && applies(id))
    .map(({ id }) => id);
}
