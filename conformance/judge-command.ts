import { casesFolder, loadCases, suiteHash } from './cases.js';
import type { Case } from './model.js';
import { isFields } from './model.js';
import type { ReportingFlags } from './outputs.js';
import { Reporting } from './outputs.js';
import { compared } from './permute/differences.js';
import { baseOf, combinationOf, permute } from './permute/permute.js';
import { toldIn } from './permute/told.js';
import { declaredBy } from './plan.js';
import type { CaseReport, SuiteReport } from './report.js';
import { EXIT, buildReport } from './report.js';
import { hashOf } from './suite.js';
import { caseReport, judged, skippedChecks } from './suite-run.js';
import type { SuiteBody, TimelineRecord } from './timeline.js';
import { readTimeline } from './timeline.js';

/** Runs `porthouse judge` and sets the exit code. */
export function judgeCommand(file: string, flags: ReportingFlags): void {
  try {
    const runs = readTimeline(file);
    const ids = new Set([...runs.values()].map(([first]) => idOf(first)?.split('#')[0]));
    const { cases } = loadCases(casesFolder(), (id) => ids.has(id));
    const reporting = new Reporting(flags, '');
    const report = judgeTimeline(runs, cases);
    if (report.suite.hash !== suiteHash()) {
      process.stderr.write('porthouse judge: the cases have changed since this was recorded\n');
    }
    for (const each of report.cases) reporting.case(each);
    process.exitCode = reporting.end(report, true);
  } catch (error) {
    process.exitCode = EXIT.harness;
    process.stderr.write(`porthouse judge: ${(error as Error).message}\n`);
  }
}

/**
 * Judges the runs of a timeline file, as the suite did that wrote it.
 *
 * @throws If the file has no head, or names a case that there is not.
 */
export function judgeTimeline(
  runs: ReadonlyMap<string, readonly TimelineRecord[]>,
  cases: readonly Case[],
): SuiteReport {
  const head = runs.get('*')?.find((record): record is TimelineRecord & SuiteBody => record.type === 'suite');
  if (head === undefined) throw new Error('no timeline of a suite: its first line is missing');
  const trouble = runs.get('*')?.find((record) => record.type === 'server')?.what;
  const byId = new Map(cases.map((each) => [each.id, each]));
  const judgeable = [...runs].filter(([run]) => run !== '*');
  const reports = judgeable.map(([, records]) => judgeRun(records, byId));
  const twins = compared(reports.map(({ id }) => id));
  const told = reports
    .filter(({ id, reason }) => reason === undefined && twins.has(baseOf(id)))
    .flatMap(({ id, run }) => {
      const of = caseOf(id, byId);
      return of === undefined ? [] : [[run, toldIn(of, runs.get(run) ?? [])] as const];
    });
  const discovery = isFields(head.discovery) ? head.discovery : {};
  const last = Math.max(0, ...[...runs.values()].map((records) => records.at(-1)?.t ?? 0));
  return buildReport({
    cases: reports,
    suite: { version: 1, hash: head.suite },
    target: { url: head.url, hash: hashOf(discovery), ...declaredBy(discovery) },
    seed: head.seed,
    seconds: Math.round(last) / 1000,
    tested: head.tested,
    trouble,
    told: new Map(told),
  });
}

const idOf = (first: TimelineRecord | undefined): string | undefined =>
  first?.type === 'run' || first?.type === 'skip' ? first.case : undefined;

function caseOf(id: string, cases: ReadonlyMap<string, Case>): Case | undefined {
  const [base, combination] = [cases.get(baseOf(id)), combinationOf(id)];
  return base === undefined || combination === undefined ? undefined : permute(base, combination);
}

function judgeRun(records: readonly TimelineRecord[], cases: ReadonlyMap<string, Case>): CaseReport {
  const [first] = records;
  const id = idOf(first);
  const of = caseOf(id ?? '', cases);
  if (first === undefined || of === undefined) throw new Error(`there is no case ${id ?? 'at the start of a run'}`);
  const { run, t } = first;
  if (first.type === 'skip') {
    const { verdict, reason } = first;
    return caseReport(of, {
      run,
      seconds: 0,
      faults: [],
      verdict,
      reason,
      checks: skippedChecks(of, { run, verdict, reason }),
    });
  }
  const seconds = Math.round((records.at(-1)?.t ?? t) - t) / 1000;
  return caseReport(of, { run, seconds, ...judged(of, records) });
}
