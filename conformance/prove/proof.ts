import { exampleDiscovery } from '../nulls/examples.js';
import type { Case } from '../model.js';
import type { SuiteReport } from '../report.js';
import type { Bench } from './bench.js';
import { passesOf } from './bench.js';
import type { Mutant } from './catalogue.js';
import { choose, patchCatalogue, wireCatalogue } from './catalogue.js';
import type { Choice } from './catalogue.js';
import type { KillMatrix } from './guards.js';
import type { EmptyClaim } from './claims.js';
import { emptyClaims } from './claims.js';
import { killMatrix, observableMusts, unguarded } from './guards.js';
import { pool } from './pool.js';
import { casesFor } from './selection.js';
import type { Server } from './server.js';
import { startReference } from './server.js';
import type { CleanResult, CleanRun } from './try-clean.js';
import { tryClean, tryProxied } from './try-clean.js';
import type { GoodRun, JudgeResult } from './try-judge.js';
import { tryNegations, tryTamperings } from './try-judge.js';
import type { MutantResult } from './try-mutant.js';
import { tryMutant } from './try-mutant.js';
import type { NullResult } from './try-null.js';
import { tryNulls } from './try-null.js';

/** The parts of a proof. */
export const PARTS = ['clean', 'mutants', 'nulls', 'judge'] as const;
export type Part = (typeof PARTS)[number];

/** What to prove, and against what. */
export interface ProofOptions extends Choice {
  /** A server of somebody else; without it the reference server is started, and its patches are tried too. */
  readonly url?: URL | undefined;
  readonly tokens: readonly string[];
  /** Bearer token of the hooks of `url`, where it has them. */
  readonly hooksToken?: string | undefined;
  readonly cases: readonly Case[];
  readonly parts: readonly Part[];
  readonly seed: number;
  readonly full: boolean;
  readonly jobs: number;
  /** Mutants to take in place of the catalogues'. */
  readonly mutants?: readonly Mutant[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What is known before the work begins, then each result as it comes. */
export interface ProofEvents {
  readonly onPlan?: (plan: {
    readonly mutants: readonly Mutant[];
    readonly cases: number;
    readonly server: string;
  }) => void;
  readonly onMutant?: (result: MutantResult, done: number) => void;
  readonly onNull?: (result: NullResult) => void;
}

/** Everything that a proof found. */
export interface Proof {
  readonly suite: SuiteReport['suite'];
  readonly target: SuiteReport['target'];
  readonly seed: number;
  readonly full: boolean;
  /** The good server, and the good server behind a proxy where wire mutants were tried. */
  readonly clean: readonly CleanResult[];
  readonly mutants: readonly MutantResult[];
  readonly nulls: readonly NullResult[];
  readonly negations: JudgeResult;
  readonly tamperings: JudgeResult;
  /** Observable MUSTs that no mutant guards; empty where not all mutants were tried. */
  readonly unguarded: readonly string[];
  readonly guarded: number;
  /** Mutants that a case says it kills and does not. */
  readonly emptyClaims: readonly EmptyClaim[];
  readonly matrix: KillMatrix;
  /** 0 when nothing is wrong with the kit, else 1. */
  readonly exitCode: 0 | 1;
}

const NOTHING: JudgeResult = { tried: 0, unnoticed: [] };

/** The mutants that `options` ask for: patches only of our own server. */
export function mutantsFor(options: Pick<ProofOptions, 'url' | 'mutants'> & Choice): readonly Mutant[] {
  return choose(options.mutants ?? allMutants(options), options);
}

const allMutants = ({ url }: Pick<ProofOptions, 'url'>): readonly Mutant[] => [
  ...wireCatalogue(),
  ...(url === undefined ? patchCatalogue() : []),
];

/**
 * Proves the kit: that it accuses no good server, notices every mutant, gives nothing to null servers, and that its judge
 * looks at everything that it says it looks at.
 *
 * @throws If the server cannot be started or reached.
 */
export async function prove(options: ProofOptions, events: ProofEvents = {}): Promise<Proof> {
  const server =
    options.url === undefined ? await startReference() : { url: options.url, stop: () => Promise.resolve() };
  try {
    return await proveWith(server, options, events);
  } finally {
    await server.stop();
  }
}

async function proveWith(server: Server, options: ProofOptions, events: ProofEvents): Promise<Proof> {
  const chosen = options.parts.includes('mutants') ? mutantsFor(options) : [];
  const { url, owned } = server;
  const hooksToken = owned?.hooksToken ?? options.hooksToken;
  const cleanOptions = { ...options, url, owned, hooksToken, cases: cleanCases(chosen, options) };
  const direct = await tryClean(cleanOptions);
  events.onPlan?.({ mutants: chosen, cases: options.cases.length, server: direct.report.target.server });
  const clean = [direct, ...(chosen.some(({ wire }) => wire !== undefined) ? [await tryProxied(cleanOptions)] : [])];
  const bench = benchOf(server, clean, options);
  const mutants = await tryMutants(chosen, bench, events);
  const nulls = options.parts.includes('nulls')
    ? await tryNulls(bench, exampleDiscovery(), (each) => events.onNull?.(each))
    : [];
  const found: Findings = {
    clean: clean.map(({ result }) => result),
    mutants,
    nulls,
    ...judgeFindings(direct.runs, options),
    ...coverage(mutants, bench.profiles, options),
  };
  return {
    suite: direct.report.suite,
    target: direct.report.target,
    seed: options.seed,
    full: options.full,
    ...found,
    guarded: isWhole(options) ? observableMusts(bench.profiles).length - found.unguarded.length : 0,
    matrix: killMatrix(mutants),
    exitCode: isFaultless(found) ? 0 : 1,
  };
}

/** All cases for a whole proof; for a few mutants only those that they will run. */
function cleanCases(chosen: readonly Mutant[], options: ProofOptions): readonly Case[] {
  const narrow = options.parts.every((part) => part === 'clean' || part === 'mutants');
  if (!narrow || isWhole(options) || chosen.length === 0) return options.cases;
  const needed = new Set(chosen.flatMap((mutant) => casesFor(mutant, options.cases, options).cases));
  return options.cases.filter((of) => needed.has(of));
}

function benchOf(server: Server, clean: readonly CleanRun[], options: ProofOptions): Bench {
  const { tokens, cases, seed, full, jobs, signal } = options;
  const reports = clean.map(({ report }) => report);
  const faulty = reports.flatMap((report) => report.cases.filter(({ faults }) => faults.length > 0));
  return {
    url: server.url,
    owned: server.owned !== undefined,
    hooksToken: server.owned?.hooksToken ?? options.hooksToken,
    tokens,
    cases,
    profiles: reports[0]?.target.profiles ?? [],
    passedBefore: {
      patch: passesOf(reports[0]?.checks ?? []),
      wire: passesOf(reports.flatMap(({ checks }) => checks)),
    },
    faulty: new Set(faulty.map(({ id }) => id)),
    seed,
    full,
    jobs,
    signal,
  };
}

async function tryMutants(mutants: readonly Mutant[], bench: Bench, events: ProofEvents): Promise<MutantResult[]> {
  let done = 0;
  return pool(mutants, bench.jobs, async (mutant) => {
    const result = await tryMutant(mutant, bench);
    events.onMutant?.(result, (done += 1));
    return result;
  });
}

function judgeFindings(runs: readonly GoodRun[], { parts }: ProofOptions): Pick<Proof, 'negations' | 'tamperings'> {
  if (!parts.includes('judge')) return { negations: NOTHING, tamperings: NOTHING };
  return { negations: tryNegations(runs), tamperings: tryTamperings(runs) };
}

/** What nobody guards, and what was promised in vain: known only as far as the mutants had their turn. */
function coverage(
  tried: readonly MutantResult[],
  profiles: readonly string[],
  options: ProofOptions,
): Pick<Proof, 'unguarded' | 'emptyClaims'> {
  if (options.url !== undefined || !options.parts.includes('mutants')) return { unguarded: [], emptyClaims: [] };
  if (!isWhole(options)) return { unguarded: [], emptyClaims: emptyClaims(options.cases, tried) };
  const known = new Set(allMutants(options).map(({ name }) => name));
  return { unguarded: unguarded(tried, profiles), emptyClaims: emptyClaims(options.cases, tried, known) };
}

const isWhole = ({ url, parts, mutant, requirement, mutants }: ProofOptions): boolean =>
  parts.includes('mutants') && [url, mutant, requirement, mutants].every((each) => each === undefined);

type Findings = Pick<Proof, 'clean' | 'mutants' | 'nulls' | 'negations' | 'tamperings' | 'unguarded' | 'emptyClaims'>;

function isFaultless(found: Findings): boolean {
  const { clean, mutants, nulls, negations, tamperings } = found;
  const wellTried = mutants.every(({ state }) => state === 'killed' || state === 'skipped');
  const nothingEarned = nulls.every(({ passes }) => passes.length === 0);
  const allNoticed = negations.unnoticed.length + tamperings.unnoticed.length === 0;
  const noAlarm = clean.every(
    ({ failed, inconclusive, faults }) => failed.length + inconclusive.length + faults.length === 0,
  );
  return wellTried && nothingEarned && allNoticed && noAlarm && found.unguarded.length + found.emptyClaims.length === 0;
}
