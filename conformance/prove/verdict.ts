import type { Check } from '../judge/judge.js';
import type { Mutant } from './catalogue.js';

/** A check that says no. */
export interface Alarm {
  readonly requirement: string;
  readonly case: string;
  readonly why: string;
  readonly line?: number;
  readonly expected?: string;
  readonly received?: string;
}

/**
 * What became of a mutant. `killed`: every id that it breaks failed, and nothing else. `survived`: one did not.
 * `false-alarm`: an id outside its lists failed. `invalid`: it could not be tried. `skipped`: the server declares no
 * profile to which what it breaks belongs.
 */
export type MutantState = 'killed' | 'survived' | 'false-alarm' | 'invalid' | 'skipped';

/** The verdict on a mutant, with the evidence. */
export interface MutantVerdict {
  readonly state: MutantState;
  readonly reason?: string;
  /** Failed checks of ids that it breaks. */
  readonly kills: readonly Alarm[];
  /** Ids that it breaks and no check noticed. */
  readonly survived: readonly string[];
  /** Failed checks of ids that it should not touch. */
  readonly alarms: readonly Alarm[];
  /** Failed checks of ids that it may touch. */
  readonly expectedBesides: readonly Alarm[];
}

/** What the kit found, and what it needs to be held against. */
export interface Evidence {
  readonly checks: readonly Check[];
  /** Ids of the cases that open every run. */
  readonly canaries: ReadonlySet<string>;
  /** Whether the server is held to a requirement. */
  readonly applies: (id: string) => boolean;
  /** Whether the same check passed before the good server: what fails there too says nothing about a mutant. */
  readonly passedBefore: (check: Check) => boolean;
}

// A SHOULD cannot FAIL; that its check warns is all the notice that there can be.
const saysNo = ({ verdict }: Check): boolean => verdict === 'FAIL' || verdict === 'WARN';

// Of the canaries only those run that fit the server.
const FINE: ReadonlySet<Check['verdict']> = new Set(['PASS', 'NOT_APPLICABLE']);

function alarm(check: Check): Alarm {
  const { requirement, line, expected, received } = check;
  return {
    requirement,
    case: check.case,
    why: check.why ?? check.verdict,
    ...(line === undefined ? {} : { line }),
    ...(expected === undefined ? {} : { expected }),
    ...(received === undefined ? {} : { received }),
  };
}

/** Holds what the kit said of a mutant against what the mutant is. */
export function judgeMutant(mutant: Mutant, evidence: Evidence): MutantVerdict {
  const { checks, canaries, applies, passedBefore } = evidence;
  const breaks = mutant.breaks.filter(applies);
  const failed = checks.filter((check) => saysNo(check) && passedBefore(check)).map(alarm);
  const kills = failed.filter(({ requirement }) => breaks.includes(requirement));
  const expectedBesides = failed.filter(({ requirement }) => mutant.also.includes(requirement));
  const known = new Set([...mutant.breaks, ...mutant.also]);
  const alarms = failed.filter(({ requirement }) => !known.has(requirement));
  const survived = breaks.filter((id) => !kills.some(({ requirement }) => requirement === id));
  const found = { kills, survived, alarms, expectedBesides };
  if (breaks.length === 0) return { state: 'skipped', reason: 'nothing that it breaks is declared', ...found };
  if (alarms.length > 0) return { state: 'false-alarm', reason: reasonOf(alarms), ...found };
  if (survived.length === 0) return { state: 'killed', ...found };
  const canary = checks.find((check) => canaries.has(check.case) && !FINE.has(check.verdict));
  const ownFault = kills.some((kill) => canaries.has(kill.case));
  if (canary !== undefined && !ownFault)
    return { state: 'invalid', reason: 'the opening canary does not pass', ...found };
  return { state: 'survived', reason: survivedBecause(survived, checks), ...found };
}

function reasonOf(alarms: readonly Alarm[]): string {
  const ids = [...new Set(alarms.map(({ requirement }) => requirement))];
  return ids
    .map((id) => {
      const cases = [...new Set(alarms.filter(({ requirement }) => requirement === id).map((each) => each.case))];
      const more = cases.length > 1 ? ` and ${String(cases.length - 1)} more` : '';
      return `${id} fails in ${cases[0] ?? ''}${more}`;
    })
    .join(', ');
}

function survivedBecause(ids: readonly string[], checks: readonly Check[]): string {
  return ids
    .map((id) => {
      const seen = checks.filter(({ requirement }) => requirement === id).map(({ verdict }) => verdict);
      return `${id} ${seen.length === 0 ? 'has no case' : [...new Set(seen)].join('/')}`;
    })
    .join(', ');
}
