import { ISOLATION } from './judge/judge.js';
import type { Check, Verdict } from './judge/judge.js';
import { invariantRequirements } from './invariants/index.js';
import { independenceChecks } from './permute/differences.js';
import type { Told } from './permute/told.js';
import { debugChecks } from './permute/twins.js';
import { allRequirements, profileOf, requirementOf } from './register.js';

/** What became of one case, or of one row of it. */
export interface CaseReport {
  readonly id: string;
  readonly title: string;
  /** Path below the folder of cases, and line of the first step. */
  readonly file: string;
  readonly line: number;
  readonly run: string;
  readonly verdict: Verdict;
  /** Why it did not run. */
  readonly reason?: string;
  readonly checks: readonly Check[];
  /** Faults of the kit itself. */
  readonly faults: readonly string[];
  readonly seconds: number;
}

/** What became of one requirement: its worst check. */
export interface RequirementReport {
  readonly id: string;
  readonly level: string;
  readonly profile: string;
  readonly section: string;
  readonly sentence: string;
  readonly verdict: Verdict;
  readonly reason?: string;
  readonly checks: number;
}

/** How often each verdict was given. */
export type Tally = Readonly<Record<Verdict, number>>;

/** Everything that a run of the suite says; report.schema.json describes its JSON. */
export interface SuiteReport {
  readonly suite: { readonly version: number; readonly hash: string };
  readonly target: {
    readonly url: string;
    readonly server: string;
    readonly profiles: readonly string[];
    /** Of the well-known document. */
    readonly hash: string;
  };
  readonly seed: number;
  readonly cases: readonly CaseReport[];
  readonly checks: readonly Check[];
  readonly requirements: readonly RequirementReport[];
  readonly summary: {
    readonly cases: Tally;
    readonly checks: Tally;
    readonly requirements: Tally;
    readonly faults: number;
    /** Declared profiles of which not one check passed. */
    readonly unproven: readonly string[];
  };
  /** What no verdict says and a reader may want to know. */
  readonly notices: readonly string[];
  readonly exitCode: number;
  readonly seconds: number;
}

/** Exit codes of `porthouse test`; the first of 3, 1, 4, 2, 0 that applies is it. */
export const EXIT = { conformant: 0, failed: 1, inconclusive: 2, harness: 3, stale: 4 } as const;

/** Verdicts from worst to best. */
const WORST_FIRST: readonly Verdict[] = ['FAIL', 'INCONCLUSIVE', 'WARN', 'NOT_TESTED', 'PASS', 'NOT_APPLICABLE'];

/** The worst of several verdicts; `otherwise` where there is none. */
export function worst(verdicts: readonly Verdict[], otherwise: Verdict): Verdict {
  return WORST_FIRST.find((verdict) => verdicts.includes(verdict)) ?? otherwise;
}

/** What a report is made of. */
export interface ReportParts {
  readonly cases: readonly CaseReport[];
  readonly suite: SuiteReport['suite'];
  readonly target: SuiteReport['target'];
  readonly seed: number;
  readonly seconds: number;
  /** Profiles that were to be tested. */
  readonly tested: readonly string[];
  /** What a server of the kit's own did by itself, such as to end. */
  readonly trouble?: string | undefined;
  /** By run, of cases that ran by several transports: what their members were told. */
  readonly told?: ReadonlyMap<string, Told> | undefined;
}

/** Draws the sum of all cases: a verdict per requirement, and the exit code. */
export function buildReport({ tested, trouble, told, ...parts }: ReportParts): SuiteReport {
  const own = parts.cases.flatMap((each) => each.checks).filter((check) => !isRoutine(check));
  const twins = parts.cases.map((each) => ({ ...each, told: told?.get(each.run) }));
  const wide = [...runWide(parts.cases), ...debugChecks(parts.cases), ...independenceChecks(twins)];
  const checks = [...own, ...troubleChecks(trouble), ...wide];
  const requirements = requirementReports(checks);
  const summary = {
    cases: tally(parts.cases.map((each) => each.verdict)),
    checks: tally(checks.map((each) => each.verdict)),
    requirements: tally(requirements.map((each) => each.verdict)),
    faults: parts.cases.reduce((sum, each) => sum + each.faults.length, 0),
    unproven: tested.filter((profile) => isKnown(profile) && !isProven(profile, checks)),
  };
  const notices = noticesOf(parts.target.profiles);
  return { ...parts, checks, requirements, summary, notices, exitCode: exitCodeOf(checks, summary) };
}

/** Nobody is served any more by what is not there. */
function troubleChecks(trouble: string | undefined): Check[] {
  if (trouble === undefined) return [];
  const place = { case: '*', run: '*', step: -1, requirement: ISOLATION } as const;
  const expected = 'a server that is there until it is ended';
  return [{ ...place, verdict: 'FAIL', why: 'CLOSED', expected, received: trouble }];
}

const isKnown = (profile: string): boolean => profileOf(profile) !== undefined;

// Later minor versions add profiles, and whoever does not know them ignores them.
const noticesOf = (profiles: readonly string[]): readonly string[] =>
  profiles.filter((name) => !isKnown(name)).map((name) => `it declares ${name}, a profile that this kit does not know`);

// The bystanders of each case: one line for all of them is enough where they were well.
const isRoutine = (check: Check): boolean => check.requirement === ISOLATION && check.verdict === 'PASS';

/** The invariants hold over all runs together, where no run broke them and at least one had its live control. */
function runWide(cases: readonly CaseReport[]): Check[] {
  const checks = cases.flatMap((each) => each.checks);
  const alive = checks.some(isRoutine);
  if (!alive) return [];
  return [ISOLATION, ...invariantRequirements]
    .filter((id) => !checks.some((check) => check.requirement === id && isBad(check)))
    .map((requirement) => ({ case: '*', run: '*', step: -1, requirement, verdict: 'PASS' }));
}

const isBad = ({ verdict }: Check): boolean => verdict === 'FAIL' || verdict === 'WARN' || verdict === 'INCONCLUSIVE';

function tally(verdicts: readonly Verdict[]): Tally {
  const count = (verdict: Verdict): number => verdicts.filter((each) => each === verdict).length;
  return {
    PASS: count('PASS'),
    FAIL: count('FAIL'),
    WARN: count('WARN'),
    INCONCLUSIVE: count('INCONCLUSIVE'),
    NOT_TESTED: count('NOT_TESTED'),
    NOT_APPLICABLE: count('NOT_APPLICABLE'),
  };
}

function requirementReports(checks: readonly Check[]): RequirementReport[] {
  const known = allRequirements().map(({ id }) => id);
  const ids = [...new Set([...known, ...checks.map((check) => check.requirement)])];
  return ids.map((id) => {
    const mine = checks.filter((check) => check.requirement === id);
    const requirement = requirementOf(id);
    const verdict = worst(
      mine.map((check) => check.verdict),
      'NOT_TESTED',
    );
    const reason = reasonOf(mine, verdict, requirement?.exclusion?.reason);
    return {
      id,
      level: requirement?.level ?? 'MUST',
      profile: requirement?.profile ?? 'core',
      section: requirement?.section ?? '',
      sentence: requirement?.sentence ?? '',
      verdict,
      ...(reason === undefined ? {} : { reason }),
      checks: mine.length,
    };
  });
}

function reasonOf(mine: readonly Check[], verdict: Verdict, excluded: string | undefined): string | undefined {
  if (mine.length === 0) return excluded === undefined ? 'no case ran' : `excluded: ${excluded}`;
  return mine.find((check) => check.verdict === verdict)?.waitsFor;
}

const isProven = (profile: string, checks: readonly Check[]): boolean =>
  checks.some((check) => check.verdict === 'PASS' && (requirementOf(check.requirement)?.profile ?? 'core') === profile);

/** The exit code of a report, before a baseline and `--strict` have their say. */
export function exitCodeOf(
  checks: readonly Check[],
  { faults, unproven }: Pick<SuiteReport['summary'], 'faults' | 'unproven'>,
): number {
  if (faults > 0) return EXIT.harness;
  if (checks.some((check) => check.verdict === 'FAIL')) return EXIT.failed;
  const open = unproven.length > 0 || checks.some((check) => check.verdict === 'INCONCLUSIVE');
  return open ? EXIT.inconclusive : EXIT.conformant;
}
