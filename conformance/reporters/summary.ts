import type { Check } from '../judge/judge.js';
import { baseOf } from '../permute/permute.js';
import { familiesOf, isBad, whereItFails } from '../permute/twins.js';
import { allRequirements, requirementOf } from '../register.js';
import type { CaseReport, SuiteReport } from '../report.js';
import { fit, wrap } from './lines.js';

const saysNo = ({ verdict }: Pick<Check, 'verdict'>): boolean => verdict === 'FAIL' || verdict === 'WARN';
const plural = (count: number, what: string): string => `${String(count)} ${what}${count === 1 ? '' : 's'}`;

/** One line for each requirement that fails: in how many of its cases, and which these are. */
export function failingLines({ checks }: SuiteReport, width: number): string[] {
  const failing = [...new Set(checks.filter(saysNo).map(({ requirement }) => requirement))];
  if (failing.length === 0) return [];
  const lines = inOrder(failing).map((id) => {
    const mine = checks.filter(({ requirement }) => requirement === id);
    const verdict = mine.some((check) => check.verdict === 'FAIL') ? 'FAIL' : 'WARN';
    const bad = casesOf(mine.filter(saysNo));
    const count = `${String(bad.length)} of ${plural(casesOf(mine).length, 'case')}`;
    return fit(`  ${verdict} ${id.padEnd(14)} ${count.padEnd(15)} ${bad.join(', ')}`, width);
  });
  return ['failed', ...lines, ''];
}

/** The cases of checks; `*` is the whole run and none of them. */
const casesOf = (checks: readonly Check[]): readonly string[] => [
  ...new Set(checks.filter((check) => check.case !== '*').map((check) => baseOf(check.case))),
];

// The order of the chapters is the one in which a server is built.
function inOrder(ids: readonly string[]): readonly string[] {
  const known = allRequirements().map(({ id }) => id);
  return [...ids].sort((a, b) => known.indexOf(a) - known.indexOf(b));
}

/** One line for each case that fails in some of its permutations only. */
export function permutationLines({ cases }: SuiteReport, width: number): string[] {
  const lines = familiesOf(cases)
    .filter(({ runs }) => runs.some(isBad) && !runs.every(isBad))
    .map((family) => fit(`  ${family.id} fails ${whereItFails(family)}`, width));
  return lines.length === 0 ? [] : ['depends on how it is run', ...lines, ''];
}

/** So many cases are named that wait for a step of their own; on a server with more faults they tell little. */
const MOST_NAMED = 5;

/** What could not be said, by what has to be repaired first. */
export function waitingLines(report: SuiteReport, width: number): string[] {
  const open = report.cases.filter(({ verdict }) => verdict === 'INCONCLUSIVE');
  const own = [...new Set(open.flatMap((each) => ownStep(each) ?? []))];
  const reasons = new Map<string, Set<string>>();
  for (const each of open.filter((of) => ownStep(of) === undefined || own.length > MOST_NAMED)) {
    const reason = ownStep(each) === undefined ? waitsFor(each) : 'a step of their own that proves nothing';
    reasons.set(reason, (reasons.get(reason) ?? new Set()).add(baseOf(each.id)));
  }
  const sorted = [...reasons].sort(([, a], [, b]) => b.size - a.size);
  const named = own.length > MOST_NAMED ? [] : own;
  return [
    ...sorted.flatMap(([reason, { size }]) => {
      const sentence = requirementOf(reason)?.sentence;
      const cases = size === 1 ? '1 case waits' : `${String(size)} cases wait`;
      return wrap(`${cases} for ${reason}${sentence === undefined ? '' : `: ${sentence}`}`, width);
    }),
    ...named.flatMap((place) => wrap(`waited in vain, in a step that proves nothing: ${place}`, width)),
  ];
}

const waitsFor = ({ reason, checks }: CaseReport): string =>
  reason ?? checks.find((check) => check.verdict === 'INCONCLUSIVE')?.waitsFor ?? 'the kit';

/** The step of a case that was waited for in vain and is no requirement's; undefined where it is another's fault. */
function ownStep(of: CaseReport): string | undefined {
  const line = /^line (\d+)$/.exec(waitsFor(of))?.[1];
  return line === undefined ? undefined : `${baseOf(of.id)} (conformance/cases/${of.file}:${line})`;
}

/**
 * The case to work on next: the first that fails of the requirement for which most others wait, or else of the first in
 * the order of the chapters.
 */
export function nextCase(report: SuiteReport): CaseReport | undefined {
  const failed = report.checks.filter(({ verdict, case: of }) => verdict === 'FAIL' && of !== '*');
  const own = (id: string) => new Set(casesOf(failed.filter(({ requirement }) => requirement === id)));
  const waiting = (id: string) => casesOf(report.checks.filter(({ waitsFor }) => waitsFor === id));
  const waits = (id: string): number => waiting(id).filter((name) => !own(id).has(name)).length;
  const ids = inOrder([...new Set(failed.map(({ requirement }) => requirement))]);
  const [first] = ids.map((id) => ({ id, count: waits(id) })).sort((a, b) => b.count - a.count);
  const mine = failed.filter(({ requirement }) => requirement === first?.id).map((check) => check.case);
  // The case as it stands says more than one of its permutations.
  const [name] = mine.sort((a, b) => Number(a !== baseOf(a)) - Number(b !== baseOf(b)));
  return report.cases.find(({ id }) => id === name);
}

/** How often each verdict was given. */
export function sumLines({ summary }: SuiteReport): string[] {
  const line = (name: string, tally: Readonly<Record<string, number>>): string =>
    `${name.padEnd(13)}${Object.entries(tally)
      .filter(([, count]) => count > 0)
      .map(([verdict, count]) => `${String(count)} ${verdict}`)
      .join(', ')}`;
  const unproven = summary.unproven.length === 0 ? [] : [`nothing proved of ${summary.unproven.join(', ')}`];
  const faults = summary.faults === 0 ? [] : [`${String(summary.faults)} faults of the kit itself`];
  return [
    line('runs', summary.cases),
    line('checks', summary.checks),
    line('requirements', summary.requirements),
    ...unproven,
    ...faults,
  ];
}
