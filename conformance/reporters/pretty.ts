import type { Check } from '../judge/judge.js';
import { requirementOf } from '../register.js';
import type { CaseReport, SuiteReport } from '../report.js';
import { EXIT } from '../report.js';
import type { PlanSummary } from '../suite.js';
import { fit, recordLine, wrap } from './lines.js';
import type { Output, Reporter, ReporterSettings } from './reporter.js';

const NARROW = 80;
const MARGIN = 12;

const MEANING: Readonly<Record<number, string>> = {
  [EXIT.conformant]: 'conformant',
  [EXIT.failed]: 'not conformant',
  [EXIT.inconclusive]: 'inconclusive',
  [EXIT.harness]: 'the kit itself failed',
  [EXIT.stale]: 'the baseline is stale',
};

/** For people: progress on a terminal, every failure with what it takes to see it again, the sum at the end. */
export class PrettyReporter implements Reporter {
  readonly #out: Output;
  readonly #settings: ReporterSettings;
  #total = 0;
  #done = 0;
  #failed = 0;
  #seed = 0;

  constructor(out: Output, settings: ReporterSettings) {
    this.#out = out;
    this.#settings = settings;
  }

  /** Says what is about to run. */
  readonly plan = (plan: PlanSummary): void => {
    this.#total = plan.cases;
    this.#seed = plan.seed;
    const skipped = Object.entries(plan.skipped).map(([reason, count]) => `${String(count)} not run (${reason})`);
    this.#lines([`${plan.url} ${plan.server}`, `profiles ${plan.profiles.join(', ')}`]);
    this.#lines([
      [plan.cases === 1 ? '1 case' : `${String(plan.cases)} cases`, ...skipped, `seed ${String(plan.seed)}`].join(', '),
      '',
    ]);
  };

  /** Tells a case that failed at once; the others only count. */
  readonly case = (report: CaseReport): void => {
    if (report.reason === undefined) this.#done += 1;
    const failures = report.checks.filter((check) => check.verdict === 'FAIL' || check.verdict === 'WARN');
    if (failures.length > 0) this.#failed += 1;
    this.#clear();
    for (const group of byPlace(failures)) this.#lines(this.#failure(report, group));
    for (const fault of report.faults)
      this.#lines(['KIT FAULT', ...wrap(fault, this.#width - 2).map((line) => `  ${line}`), '']);
    this.#progress();
  };

  /** Draws the sum. */
  readonly end = (report: SuiteReport): void => {
    this.#clear();
    this.#lines(waiting(report, this.#width));
    this.#lines(sums(report));
    this.#lines(report.notices.flatMap((notice) => wrap(`note: ${notice}`, this.#width)));
    const meaning = MEANING[report.exitCode] ?? '';
    this.#lines([`${meaning} (exit ${String(report.exitCode)}) after ${report.seconds.toFixed(1)} s`]);
  };

  get #width(): number {
    return Math.max(40, this.#out.columns ?? NARROW);
  }

  #lines(lines: readonly string[]): void {
    for (const line of lines) this.#out.write(`${line}\n`);
  }

  #clear(): void {
    if (this.#out.columns !== undefined) this.#out.write('\r\u001b[K');
  }

  #progress(): void {
    if (this.#out.columns === undefined) return;
    const failed = this.#failed === 0 ? '' : `, ${String(this.#failed)} failed`;
    this.#out.write(fit(`${String(this.#done)}/${String(this.#total)} cases${failed}`, this.#width));
  }

  #failure(report: CaseReport, group: readonly Check[]): string[] {
    const [check] = group;
    if (check === undefined) return [];
    const width = this.#width;
    const verdicts = group.map(({ verdict, requirement }) => `${verdict} ${requirement}`).join(', ');
    const decisive = (i: number): boolean => check.records !== undefined && i === check.records[1];
    return [
      fit(`${verdicts} ${report.id}${check.why === undefined ? '' : ` ${check.why}`}`, width),
      ...group.flatMap(({ requirement }) => field('rule', ruleText(requirement), width)),
      ...field(
        'case',
        `${report.title} (conformance/cases/${report.file}:${String(check.line ?? report.line)})`,
        width,
      ),
      ...field('expected', check.expected ?? '', width),
      ...field('received', check.received ?? '', width),
      ...(check.timeline ?? []).map((record) => recordLine(record, width, decisive(record.i))),
      ...field('again', this.#again(report), width),
      '',
    ];
  }

  #again({ id }: CaseReport): string {
    return repeatCommand(this.#settings.target, id, this.#seed);
  }
}

// Several requirements that one step would have proved fail for the same reason.
function byPlace(checks: readonly Check[]): Check[][] {
  const groups = new Map<string, Check[]>();
  for (const check of checks) {
    const place = JSON.stringify([check.step, check.expected, check.received]);
    groups.set(place, [...(groups.get(place) ?? []), check]);
  }
  return [...groups.values()];
}

function ruleText(id: string): string {
  const requirement = requirementOf(id);
  if (requirement === undefined) return `${id} is not in the register`;
  return `${requirement.sentence} (${requirement.level}, spec/protocol/${requirement.section})`;
}

/** The command that runs one case again, as it was. */
export function repeatCommand(target: string, id: string, seed: number): string {
  return ['porthouse test', target, `--case '${id}'`, `--seed ${String(seed)}`].filter((part) => part !== '').join(' ');
}

function field(name: string, text: string, width: number): string[] {
  return wrap(text, width - MARGIN).map((line, index) => `  ${(index === 0 ? name : '').padEnd(MARGIN - 2)}${line}`);
}

// What could not be said, by what has to be repaired first.
function waiting(report: SuiteReport, width: number): string[] {
  const open = report.cases.filter((each) => each.verdict === 'INCONCLUSIVE');
  const reasons = new Map<string, number>();
  for (const each of open) {
    const reason = each.reason ?? each.checks.find((check) => check.verdict === 'INCONCLUSIVE')?.waitsFor ?? 'the kit';
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  const sorted = [...reasons].sort(([, a], [, b]) => b - a);
  return sorted.flatMap(([reason, count]) => {
    const sentence = requirementOf(reason)?.sentence;
    const cases = count === 1 ? '1 case waits' : `${String(count)} cases wait`;
    const first = report.checks.find((check) => check.requirement === reason && check.verdict === 'FAIL');
    const next = first === undefined ? '' : ` Begin with --case '${first.case}'.`;
    return wrap(`${cases} for ${reason}${sentence === undefined ? '' : `: ${sentence}`}${next}`, width);
  });
}

function sums({ summary }: SuiteReport): string[] {
  const line = (name: string, tally: Readonly<Record<string, number>>): string =>
    `${name.padEnd(13)}${Object.entries(tally)
      .filter(([, count]) => count > 0)
      .map(([verdict, count]) => `${String(count)} ${verdict}`)
      .join(', ')}`;
  const unproven = summary.unproven.length === 0 ? [] : [`nothing proved of ${summary.unproven.join(', ')}`];
  const faults = summary.faults === 0 ? [] : [`${String(summary.faults)} faults of the kit itself`];
  return [
    line('cases', summary.cases),
    line('checks', summary.checks),
    line('requirements', summary.requirements),
    ...unproven,
    ...faults,
  ];
}
