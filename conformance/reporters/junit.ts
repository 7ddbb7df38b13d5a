import type { Check } from '../judge/judge.js';
import { requirementOf } from '../register.js';
import type { CaseReport, SuiteReport } from '../report.js';
import { legible, recordLine } from './lines.js';
import { repeatCommand } from './pretty.js';

const LINE = 200;
const MILLISECONDS = 1000;

const ENTITIES: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' };

/** Text in XML 1.0, in which most control characters cannot stand at all. */
const text = (of: string): string =>
  of
    .split('\n')
    .map(legible)
    .join('\n')
    .replace(/[\uD800-\uDFFF\uFFFE\uFFFF]/gu, '\uFFFD')
    .replace(/[<>&"]/g, (found) => ENTITIES[found] ?? found);

type Attributes = Readonly<Record<string, string | number>>;

function element(name: string, attributes: Attributes, content: readonly string[] = []): string {
  const written = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${text(String(value)).replaceAll('\n', ' ')}"`,
  );
  const start = `<${name}${written.join('')}`;
  return content.length === 0 ? `${start}/>` : `${start}>${content.join('\n')}</${name}>`;
}

/** JUnit's XML, as CI services read it: a suite for each area, a test case for each run. */
export function junitXml(report: SuiteReport, target: string): string {
  const areas = new Map<string, CaseReport[]>();
  for (const each of report.cases) areas.set(areaOf(each), [...(areas.get(areaOf(each)) ?? []), each]);
  const again = ({ id }: CaseReport): string => repeatCommand(target, id, report.seed);
  const suites = [...areas].map(([name, cases]) =>
    element(
      'testsuite',
      { name, ...countsOf(cases) },
      cases.map((each) => testCase(each, again(each))),
    ),
  );
  const head = { name: `porthouse ${report.target.server}`, ...countsOf(report.cases), time: report.seconds };
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('testsuites', head, suites)}\n`;
}

const areaOf = ({ id }: CaseReport): string => id.split('/')[0] ?? id;

const isError = ({ verdict, faults }: CaseReport): boolean => faults.length > 0 || verdict === 'INCONCLUSIVE';
const isFailure = (each: CaseReport): boolean => each.verdict === 'FAIL' && !isError(each);
const isSkipped = (each: CaseReport): boolean => each.verdict.startsWith('NOT_') && !isError(each);

function countsOf(cases: readonly CaseReport[]): Attributes {
  const seconds = cases.reduce((sum, each) => sum + each.seconds, 0);
  return {
    tests: cases.length,
    failures: cases.filter(isFailure).length,
    errors: cases.filter(isError).length,
    skipped: cases.filter(isSkipped).length,
    time: Math.round(seconds * MILLISECONDS) / MILLISECONDS,
  };
}

function testCase(report: CaseReport, again: string): string {
  const { id, file, line, seconds } = report;
  const classname = file.replace(/\.yaml$/, '').replaceAll('/', '.');
  const place = { file: `conformance/cases/${file}`, line };
  return element('testcase', { classname, name: id, time: seconds, ...place }, outcomeOf(report, again));
}

function outcomeOf(report: CaseReport, again: string): string[] {
  const { title, reason = '', faults, checks, verdict } = report;
  if (isSkipped(report)) return [element('skipped', { message: reason })];
  const telling = checks.filter((check) => check.verdict === 'FAIL' || check.verdict === 'WARN');
  const words = text([title, ...faults, ...telling.map(wordsOf), again].join('\n\n'));
  if (isFailure(report)) return [element('failure', { type: verdict, message: messageOf(telling) }, [words])];
  const open = checks.find((check) => check.verdict === 'INCONCLUSIVE')?.waitsFor ?? reason;
  return isError(report)
    ? [element('error', { type: verdict, message: faults[0] ?? `waits for ${open}` }, [words])]
    : [];
}

function messageOf(checks: readonly Check[]): string {
  const ids = [...new Set(checks.map(({ requirement }) => requirement))];
  return `${ids.join(', ')} ${checks[0]?.why ?? ''}: expected ${checks[0]?.expected ?? ''}`;
}

function wordsOf({ requirement, why, expected, received, timeline = [] }: Check): string {
  const lines = [
    `${requirement} ${why ?? ''}: ${requirementOf(requirement)?.sentence ?? ''}`,
    `expected ${expected ?? ''}`,
    `received ${received ?? ''}`,
    ...timeline.map((record) => recordLine(record, LINE)),
  ];
  return lines.join('\n');
}
