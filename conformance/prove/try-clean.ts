import { startProxy } from '../mutants/wire/proxy.js';
import type { Case } from '../model.js';
import type { SuiteReport } from '../report.js';
import { runSuite } from '../suite.js';
import type { TimelineRecord } from '../timeline.js';
import type { OwnedServer } from '../owned-server.js';
import { startReferenceServer } from '../target.js';
import type { Bench } from './bench.js';
import { holds } from './selection.js';
import type { GoodRun } from './try-judge.js';
import type { Alarm } from './verdict.js';

/** What the kit says of the good server, where it should have no complaint. */
export interface CleanResult {
  /** Whether a proxy that alters nothing stood between: what fails there only fails because of the proxy. */
  readonly proxied: boolean;
  readonly checks: number;
  readonly failed: readonly Alarm[];
  /** Checks that could say nothing. */
  readonly inconclusive: readonly Alarm[];
  /** Faults of the kit itself. */
  readonly faults: readonly string[];
  readonly seconds: number;
}

/** A run before the good server, with all that it left. */
export interface CleanRun {
  readonly report: SuiteReport;
  readonly result: CleanResult;
  readonly runs: readonly GoodRun[];
}

interface CleanOptions extends Pick<Bench, 'url' | 'tokens' | 'hooksToken' | 'cases' | 'seed' | 'full' | 'signal'> {
  readonly owned?: OwnedServer | undefined;
}

const passive = { alter: () => ({}) };

function alarms({ checks }: SuiteReport, verdicts: readonly string[]): readonly Alarm[] {
  return checks
    .filter(({ verdict }) => verdicts.includes(verdict))
    .map(({ requirement, case: of, why, verdict, expected, received, waitsFor }) => ({
      requirement,
      case: of,
      why: why ?? waitsFor ?? verdict,
      ...(expected === undefined ? {} : { expected }),
      ...(received === undefined ? {} : { received }),
    }));
}

function resultOf(report: SuiteReport, proxied: boolean): CleanResult {
  return {
    proxied,
    checks: report.checks.length,
    failed: alarms(report, ['FAIL', 'WARN']),
    inconclusive: alarms(report, ['INCONCLUSIVE']),
    faults: report.cases.flatMap(({ faults }) => faults),
    seconds: report.seconds,
  };
}

function collector(cases: readonly Case[], runs: GoodRun[]): (records: readonly TimelineRecord[]) => void {
  const byId = new Map(cases.map((of) => [of.id, of]));
  return (records) => {
    const first = records[0];
    const of = first?.type === 'run' ? byId.get(first.case) : undefined;
    if (of !== undefined) runs.push({ of, records: [...records] });
  };
}

// What needs TLS has it there.
const startSpare =
  ({ hooksToken }: OwnedServer) =>
  (): Promise<OwnedServer> =>
    startReferenceServer({ hooks: hooksToken ?? false, tls: true });

async function run(
  base: URL,
  { tokens, hooksToken, cases, seed, full, signal, owned }: CleanOptions,
  proxied: boolean,
): Promise<CleanRun> {
  const runs: GoodRun[] = [];
  const onTimeline = collector(cases, runs);
  const spare = owned && startSpare(owned);
  const report = await runSuite({ base, owned, hooksToken, tokens, cases, seed, full, onTimeline, signal, spare });
  return { report, result: resultOf(report, proxied), runs };
}

/** Runs the kit before the good server and keeps the timelines. */
export const tryClean = (options: CleanOptions): Promise<CleanRun> => run(options.url, options, false);

/**
 * The same through a proxy that alters nothing, so that no wire mutant is blamed for what a proxy does. That a proxy takes
 * in what a client does not read is its nature: a case that needs the server to notice may fail, and then proves nothing.
 */
export async function tryProxied(options: CleanOptions): Promise<CleanRun> {
  const proxy = await startProxy(options.url, passive);
  try {
    const clean = await run(proxy.url, options, true);
    const holding = new Set(options.cases.filter(holds).map(({ id }) => id));
    const forgiven = (found: readonly Alarm[]): readonly Alarm[] => found.filter((each) => !holding.has(each.case));
    const { failed, inconclusive } = clean.result;
    const result = { ...clean.result, failed: forgiven(failed), inconclusive: forgiven(inconclusive) };
    return { ...clean, result };
  } finally {
    await proxy.stop();
  }
}
