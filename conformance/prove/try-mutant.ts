import { performance } from 'node:perf_hooks';
import { startProxy } from '../mutants/wire/proxy.js';
import type { SuiteReport } from '../report.js';
import { isExclusive } from '../plan.js';
import { runSuite } from '../suite.js';
import type { Bench } from './bench.js';
import { appliesTo, canaryIds } from './bench.js';
import type { Mutant } from './catalogue.js';
import type { Selection } from './selection.js';
import { casesFor } from './selection.js';
import type { Server } from './server.js';
import { startReference } from './server.js';
import type { Alarm, Evidence, MutantVerdict } from './verdict.js';
import { judgeMutant } from './verdict.js';

/** A mutant and what became of it. */
export interface MutantResult extends MutantVerdict {
  readonly mutant: Mutant;
  /** Ids of the cases that it was held against. */
  readonly cases: readonly string[];
  readonly seconds: number;
}

/** Cases at once before one faulty server; most of the time is spent waiting for what never comes. */
const JOBS = 8;

/**
 * Starts the faulty server: a process of its own, or a proxy before the good one. What is ended and started again must
 * not be the server of others.
 */
async function startFaulty({ name, wire }: Mutant, selection: Selection, bench: Bench): Promise<Server> {
  if (wire === undefined) {
    return startReference(
      name,
      selection.cases.some(({ tls }) => tls !== undefined),
    );
  }
  if (!bench.owned || !selection.cases.some(isExclusive)) return startProxy(bench.url, wire);
  const good = await startReference();
  const proxy = await startProxy(good.url, wire);
  const stop = async (): Promise<void> => {
    await proxy.stop();
    await good.stop();
  };
  return { ...good, ...proxy, stop };
}

async function runAgainst(
  server: Server,
  selection: Selection,
  {
    tokens,
    hooksToken,
    seed,
    signal,
    jobs = JOBS,
  }: Pick<Bench, 'tokens' | 'hooksToken' | 'seed' | 'signal'> & { readonly jobs?: number },
): Promise<SuiteReport> {
  return runSuite({
    base: server.url,
    owned: server.owned,
    hooksToken: server.owned?.hooksToken ?? hooksToken,
    tokens,
    cases: selection.cases,
    jobs,
    seed,
    full: selection.slow,
    ...(signal === undefined ? {} : { signal }),
  });
}

const invalid = (reason: string): MutantVerdict => ({
  state: 'invalid',
  reason,
  kills: [],
  survived: [],
  alarms: [],
  expectedBesides: [],
});

/** The canary, and the cases that raised an alarm. */
function casesOf(alarms: readonly Alarm[], { cases, slow }: Selection): Selection {
  const named = new Set(alarms.map((alarm) => alarm.case));
  return { cases: cases.filter(({ id, canary }) => canary || named.has(id)), slow };
}

/**
 * An alarm counts that a case raises again when it is alone with the mutant: on a busy machine a fault in time (a session
 * that ends too early) reaches now this case, now that.
 */
function confirmed(evidence: Evidence, { alarms }: MutantVerdict, again: MutantVerdict): Evidence {
  const key = (of: { readonly requirement: string; readonly case: string }): string => `${of.requirement} ${of.case}`;
  const raised = new Set(again.alarms.map(key));
  // `*` is the whole run, which has no second time.
  const passing = new Set(alarms.filter((alarm) => alarm.case !== '*' && !raised.has(key(alarm))).map(key));
  return { ...evidence, checks: evidence.checks.filter((check) => !passing.has(key(check))) };
}

async function verdictOn(mutant: Mutant, selection: Selection, bench: Bench): Promise<MutantVerdict> {
  const applies = appliesTo(bench.profiles);
  // Nothing to see before a server that declares none of it: judged without a run.
  if (!mutant.breaks.some(applies)) {
    const nothing = { checks: [], canaries: new Set<string>(), passedBefore: () => true };
    return judgeMutant(mutant, { ...nothing, applies });
  }
  let server: Server | undefined;
  try {
    server = await startFaulty(mutant, selection, bench);
    const report = await runAgainst(server, selection, bench);
    const [own] = server.faults?.() ?? [];
    if (own !== undefined) return invalid(`the mutant failed: ${own}`);
    const fault = report.cases.filter(({ id }) => !bench.faulty.has(id)).flatMap(({ faults }) => faults)[0];
    if (fault !== undefined) return invalid(`the kit failed: ${fault}`);
    const canaries = canaryIds(bench.cases);
    const passedBefore = bench.passedBefore[mutant.kind];
    const evidence: Evidence = { checks: report.checks, canaries, applies, passedBefore };
    const verdict = judgeMutant(mutant, evidence);
    if (verdict.state !== 'false-alarm') return verdict;
    const again = await runAgainst(server, casesOf(verdict.alarms, selection), { ...bench, jobs: 1 });
    return judgeMutant(
      mutant,
      confirmed(evidence, verdict, judgeMutant(mutant, { ...evidence, checks: again.checks })),
    );
  } catch (error) {
    return invalid((error as Error).message);
  } finally {
    await server?.stop();
  }
}

/** Holds one mutant against the kit. Never rejects: what cannot be tried is `invalid`. */
export async function tryMutant(mutant: Mutant, bench: Bench): Promise<MutantResult> {
  const started = performance.now();
  const selection = casesFor(mutant, bench.cases, bench);
  const verdict = await verdictOn(mutant, selection, bench);
  const seconds = Math.round(performance.now() - started) / 1000;
  return { mutant, ...verdict, cases: selection.cases.map(({ id }) => id), seconds };
}
