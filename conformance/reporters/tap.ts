import { stringify } from 'yaml';
import type { Check } from '../judge/judge.js';
import { requirementOf } from '../register.js';
import type { CaseReport, SuiteReport } from '../report.js';
import { recordLine } from './lines.js';
import type { Output, Reporter, ReporterSettings } from './reporter.js';

const LINE = 200;

/** TAP 14: one test point per case, with what failed as YAML below it. */
export class TapReporter implements Reporter {
  readonly #out: Output;
  #count = 0;

  constructor(out: Output, { tapVersion }: ReporterSettings) {
    this.#out = out;
    if (tapVersion) out.write('TAP version 14\n');
  }

  /** Writes the test point of a case. */
  readonly case = (report: CaseReport): void => {
    const { verdict, id, title } = report;
    const ok = verdict === 'FAIL' || verdict === 'INCONCLUSIVE' ? 'not ok' : 'ok';
    const directive = report.reason !== undefined && ok === 'ok' ? ` # SKIP ${plain(report.reason)}` : '';
    this.#out.write(`${ok} ${String(++this.#count)} - ${plain(`${id} ${title}`)}${directive}\n`);
    const details = detailsOf(report);
    if (details !== undefined) this.#out.write(block(details));
  };

  /** Writes the plan and the sum. */
  readonly end = (report: SuiteReport): void => {
    const { requirements, faults } = report.summary;
    this.#out.write(`1..${String(this.#count)}\n`);
    const sums = Object.entries(requirements).map(([verdict, count]) => `${String(count)} ${verdict}`);
    this.#out.write(`# requirements: ${sums.join(', ')}\n`);
    if (faults > 0) this.#out.write(`# ${String(faults)} faults of the kit itself\n`);
    this.#out.write(`# exit ${String(report.exitCode)}\n`);
  };
}

// `#` begins a directive in a description, and `\` escapes it (TAP 14).
const plain = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('#', '\\#').replaceAll('\n', ' ');

interface Details {
  readonly verdict: string;
  readonly reason?: string;
  readonly checks?: readonly unknown[];
  readonly faults?: readonly string[];
}

function detailsOf({ verdict, reason, checks, faults }: CaseReport): Details | undefined {
  const telling = checks.filter((check) => check.verdict !== 'PASS' && check.verdict !== 'NOT_APPLICABLE');
  if (reason !== undefined && verdict !== 'INCONCLUSIVE') return undefined;
  if (telling.length === 0 && faults.length === 0) return undefined;
  return {
    verdict,
    ...(reason === undefined ? {} : { reason }),
    ...(telling.length === 0 ? {} : { checks: telling.map(checkDetails) }),
    ...(faults.length === 0 ? {} : { faults }),
  };
}

function checkDetails({ timeline, case: _case, run: _run, ...check }: Check): unknown {
  const sentence = requirementOf(check.requirement)?.sentence;
  return {
    ...check,
    ...(sentence === undefined ? {} : { sentence }),
    ...(timeline === undefined ? {} : { timeline: timeline.map((record) => recordLine(record, LINE)) }),
  };
}

function block(details: Details): string {
  const yaml = stringify(details, { lineWidth: 0 });
  const lines = yaml.trimEnd().split('\n');
  return ['---', ...lines, '...'].map((line) => `  ${line}\n`).join('');
}
