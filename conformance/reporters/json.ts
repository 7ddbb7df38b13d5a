import type { Check } from '../judge/judge.js';
import { requirementOf } from '../register.js';
import type { SuiteReport } from '../report.js';
import { repeatCommand } from './pretty.js';

/** A check of the JSON report: what failed points to the sentence, the case and the command that shows it again. */
export type JsonCheck = Check & {
  readonly sentence?: { readonly file: string; readonly text: string };
  readonly source?: string;
  readonly again?: string;
};

/** The whole report as one JSON document; report.schema.json describes it. */
export const jsonText = (report: SuiteReport, target: string): string =>
  `${JSON.stringify(jsonReport(report, target), undefined, 2)}\n`;

/** The report with pointers beside everything that did not pass. The cases name their checks only by verdict. */
export function jsonReport(report: SuiteReport, target: string): unknown {
  const files = new Map(report.cases.map(({ id, file }) => [id, file]));
  const pointed = (check: Check): JsonCheck => {
    if (check.verdict === 'PASS' || check.verdict === 'NOT_APPLICABLE') return check;
    const requirement = requirementOf(check.requirement);
    const file = files.get(check.case);
    return {
      ...check,
      ...(requirement === undefined
        ? {}
        : { sentence: { file: `spec/protocol/${requirement.section}`, text: requirement.sentence } }),
      ...(file === undefined ? {} : { source: `conformance/cases/${file}:${String(check.line ?? 1)}` }),
      again: repeatCommand(target, check.case, report.seed),
    };
  };
  const cases = report.cases.map(({ checks, ...rest }) => ({ ...rest, checks: checks.length }));
  return { ...report, cases, checks: report.checks.map(pointed) };
}
