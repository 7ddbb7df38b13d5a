import type { Case } from '../model.js';
import type { Check } from '../judge/judge.js';
import { requirementOf } from '../register.js';
import type { Mutant } from './catalogue.js';

/** What all parts of a proof share. */
export interface Bench {
  /** The good server. */
  readonly url: URL;
  /** Whether it is the kit's own, so that there can be more like it. */
  readonly owned: boolean;
  /** Bearer token of its hooks, where there is one. */
  readonly hooksToken: string | undefined;
  readonly tokens: readonly string[];
  readonly cases: readonly Case[];
  readonly profiles: readonly string[];
  /** Whether a check did not fail before the good server; behind a proxy, where a wire mutant is tried. */
  readonly passedBefore: Readonly<Record<Mutant['kind'], (check: Check) => boolean>>;
  /** Cases on which the kit itself failed before the good server. */
  readonly faulty: ReadonlySet<string>;
  readonly seed: number;
  readonly full: boolean;
  readonly jobs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Ids of the cases that open every run. */
export const canaryIds = (cases: readonly Case[]): ReadonlySet<string> =>
  new Set(cases.filter(({ canary }) => canary).map(({ id }) => id));

/** Whether a server with these profiles is held to the requirement. */
export function appliesTo(profiles: readonly string[]): (id: string) => boolean {
  return (id) => {
    const profile = requirementOf(id)?.profile;
    return profile === undefined || profile === 'core' || profiles.includes(profile);
  };
}

/** Tells which checks the good server did not fail; what it was not asked, it did not fail. */
export function passesOf(checks: readonly Check[]): (check: Check) => boolean {
  const key = ({ case: of, requirement, step }: Check): string => `${of} ${requirement} ${String(step)}`;
  const bad = new Set(checks.filter(({ verdict }) => verdict !== 'PASS' && !verdict.startsWith('NOT_')).map(key));
  return (check) => !bad.has(key(check));
}
