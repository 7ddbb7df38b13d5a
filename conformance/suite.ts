import { createHash } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { suiteHash } from './cases.js';
import { Patience, fetchDiscovery } from './discovery.js';
import { hasTls, isInReach, nakedOf } from './endpoints.js';
import type { Target } from './endpoints.js';
import type { Case, Fields } from './model.js';
import type { OwnedServer } from './owned-server.js';
import { isWay } from './permute/axes.js';
import type { Axis } from './permute/axes.js';
import { profileOfWay } from './permute/ways.js';
import type { Permuting } from './permute/cover.js';
import { permutations } from './permute/cover.js';
import { baseOf } from './permute/permute.js';
import type { Declared, Selection } from './plan.js';
import { asUsual, declaredBy, isChosen, profilesProved, skipOf } from './plan.js';
import type { CaseReport, SuiteReport } from './report.js';
import { buildReport } from './report.js';
import { SuiteRun } from './suite-run.js';
import type { TimelineRecord } from './timeline.js';

export type { CaseReport, RequirementReport, SuiteReport } from './report.js';
export type { Check, Verdict } from './judge/judge.js';

/** What to test, and how. */
export interface SuiteOptions {
  /** The server: its origin, or the address of its well-known document. */
  readonly base: URL;
  /** The server's process, where it is the kit's own and cases may end it. */
  readonly owned?: OwnedServer | undefined;
  /**
   * Starts another such server with TLS, which takes the same tokens: cases that need that, and cases that end theirs, then
   * run beside the others.
   */
  readonly spare?: (() => Promise<OwnedServer>) | undefined;
  /** Bearer tokens of account `a`, and of `b` where there is a second one. */
  readonly tokens: readonly string[];
  /** Bearer token of the server's hooks, where it has them and the kit may use them. */
  readonly hooksToken?: string | undefined;
  readonly cases: readonly Case[];
  /** Cases that run at the same time. Default 8. */
  readonly jobs?: number | undefined;
  /** Decides all content. Default: random. */
  readonly seed?: number | undefined;
  /** Least patience of a wait in ms; slower servers get more. Default 2000. */
  readonly timeoutMs?: number | undefined;
  /** Whether a failed canary stops the rest. Default true. */
  readonly gate?: boolean | undefined;
  /** Runs cases tagged `slow` too. */
  readonly full?: boolean | undefined;
  /** Which permutations of the cases run beside them. Default `none`. */
  readonly permute?: Permuting | undefined;
  /** Profiles to test; default: all that are declared. */
  readonly profiles?: readonly string[] | undefined;
  /** `cases` are some of the suite's: declared profiles that none of them concerns need no proof. */
  readonly partial?: boolean | undefined;
  /** Starts no further case after the first that fails. */
  readonly untilFail?: boolean | undefined;
  /** Times that every case runs. Default 1. */
  readonly repeat?: number | undefined;
  readonly onPlan?: ((plan: PlanSummary) => void) | undefined;
  readonly onCase?: ((report: CaseReport) => void) | undefined;
  /** Called with the whole timeline of a run when it is over, secrets taken out. */
  readonly onTimeline?: ((records: readonly TimelineRecord[]) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What is known before the first case runs. */
export interface PlanSummary {
  readonly url: string;
  readonly server: string;
  readonly profiles: readonly string[];
  /** Runs to come, repetitions and permutations included. */
  readonly cases: number;
  /** How many of them are permutations. */
  readonly permutations: number;
  /** Cases that will not run, by reason. */
  readonly skipped: { readonly [reason: string]: number };
  readonly seed: number;
}

// Most of a case is waiting for the next answer.
const DEFAULT_JOBS = 8;
const DEFAULT_TIMEOUT_MS = 2000;

/**
 * Tests a server: reads its well-known document, gates on the declared profiles, runs the canary, then the cases, and
 * judges each from its timeline.
 *
 * Rejects with `UnreachableError` when there is no well-known document to begin with.
 */
export async function runSuite(options: SuiteOptions): Promise<SuiteReport> {
  const epoch = performance.now();
  const patience = new Patience(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  const target = await fetchDiscovery(options.base, { patience, signal: options.signal, tls: options.owned?.tls });
  const declared = declaredBy(target.discovery);
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 31);
  const { owned } = options;
  const { selection, chosen } = choose(options, { declared, seed, target });
  const runs = summarise(chosen, (each) => skipOf(each, declared, selection)?.reason, options.repeat ?? 1);
  options.onPlan?.({ url: options.base.href, ...declared, ...runs, seed });
  const tested = testedProfiles(chosen, declared.profiles, options);
  const common = { url: options.base.href, discovery: target.discovery, seed, tested };
  options.onTimeline?.([{ i: 0, t: 0, run: '*', type: 'suite', suite: suiteHash(), ...common }]);
  const suite = new SuiteRun({
    target,
    base: options.base,
    owned,
    spare: options.spare,
    declared,
    selection,
    patience,
    tokens: options.tokens,
    hooksToken: options.hooksToken,
    seed,
    epoch,
    jobs: options.jobs ?? DEFAULT_JOBS,
    gate: options.gate !== false,
    untilFail: options.untilFail === true,
    repeat: options.repeat ?? 1,
    onCase: (report) => options.onCase?.(report),
    onTimeline: options.onTimeline,
    signal: options.signal,
  });
  await suite.run(chosen);
  const trouble = suite.trouble();
  if (trouble !== undefined) options.onTimeline?.([troubleRecord(trouble, epoch)]);
  return buildReport({
    cases: suite.reports,
    suite: { version: 1, hash: suiteHash() },
    target: { url: options.base.href, hash: hashOf(target.discovery), ...declared },
    seed,
    seconds: Math.round(performance.now() - epoch) / 1000,
    tested,
    trouble,
    told: suite.told,
  });
}

function troubleRecord(what: string, epoch: number): TimelineRecord {
  return { i: 1, t: Math.round(performance.now() - epoch), run: '*', type: 'server', event: 'crashed', what };
}

interface Choosing {
  readonly target: Target;
  readonly declared: Declared;
  readonly seed: number;
}

interface Choice {
  readonly selection: Selection;
  readonly chosen: readonly Case[];
}

/** The cases that are asked for, and behind them their permutations. */
function choose(options: SuiteOptions, { declared, seed, target }: Choosing): Choice {
  const tls = (transport: string): boolean => options.spare !== undefined || hasTls(target, transport);
  const naked = (wanted: Fields): boolean => nakedOf(target, wanted) !== undefined;
  const { owned, profiles } = options;
  const accounts = options.tokens.length;
  const hooks = options.hooksToken !== undefined;
  const selection = { accounts, full: options.full === true, profiles, owned: owned !== undefined, hooks, tls, naked };
  const usual = options.cases.map((each) => asUsual(each, declared)).filter((each) => isChosen(each, selection));
  const asked = withFittingCanary(usual, (each) => skipOf(each, declared, selection)?.verdict !== 'NOT_APPLICABLE');
  const able = asked.filter((each) => skipOf(each, declared, selection) === undefined);
  const isOffered = (axis: Axis, value: string): boolean => {
    const profile = axis === 'debug' ? axis : isWay(axis) ? profileOfWay(value) : undefined;
    return profile === undefined || (declared.profiles.includes(profile) && isInReach(profile, target));
  };
  const chosen = [...asked, ...permutations(able, options.permute ?? 'none', { seed, isOffered })];
  return { selection, chosen };
}

/** Without the canaries that do not fit the server, where there is one that does. */
function withFittingCanary(cases: readonly Case[], fits: (of: Case) => boolean): readonly Case[] {
  const hasOne = cases.some((of) => of.canary && fits(of));
  return cases.filter((of) => !of.canary || !hasOne || fits(of));
}

/** First 12 hex digits of SHA-256 of a value's JSON. */
export const hashOf = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12);

type ReasonOf = (of: Case) => string | undefined;

function summarise(
  cases: readonly Case[],
  reasonOf: ReasonOf,
  repeat: number,
): Pick<PlanSummary, 'cases' | 'permutations' | 'skipped'> {
  const skipped: { [reason: string]: number } = {};
  let [runs, permutations] = [0, 0];
  for (const each of cases) {
    const reason = reasonOf(each);
    const times = each.canary ? 1 : repeat;
    if (reason === undefined) runs += times;
    if (reason === undefined && each.id !== baseOf(each.id)) permutations += times;
    if (reason !== undefined) skipped[reason] = (skipped[reason] ?? 0) + 1;
  }
  return { cases: runs, permutations, skipped };
}

// Whoever asks for a few cases does not ask whether the other profiles hold.
function testedProfiles(cases: readonly Case[], declared: readonly string[], options: SuiteOptions): readonly string[] {
  const { profiles, partial } = options;
  if (profiles !== undefined) return declared.filter((profile) => profiles.includes(profile));
  if (partial !== true) return declared;
  const concerned = new Set(cases.filter(({ id }) => id === baseOf(id)).flatMap(profilesProved));
  return declared.filter((profile) => concerned.has(profile));
}
