import type { Check } from '../judge/judge.js';
import { baseOf } from '../permute/permute.js';
import { requirementOf } from '../register.js';
import type { CaseReport, SuiteReport } from '../report.js';
import { EXIT } from '../report.js';
import type { PlanSummary } from '../suite.js';
import { fit, recordLine, wrap } from './lines.js';
import { failingLines, nextCase, permutationLines, sumLines, waitingLines } from './summary.js';
import type { Output, Reporter, ReporterSettings } from './reporter.js';

const NARROW = 80;
const MARGIN = 12;
/** So few runs that every failure of them is told. */
const FEW = 100;

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
  readonly #told = new Set<string>();

  constructor(out: Output, settings: ReporterSettings) {
    this.#out = out;
    this.#settings = settings;
  }

  /** Says what is about to run. */
  readonly plan = (plan: PlanSummary): void => {
    this.#total = plan.cases;
    this.#seed = plan.seed;
    const { permutations } = plan;
    const cases = plan.cases - permutations;
    const skipped = Object.entries(plan.skipped).map(([reason, count]) => `${String(count)} not run (${reason})`);
    const permuted = permutations === 0 ? [] : [`${String(permutations)} permutations`];
    const runs = [cases === 1 ? '1 case' : `${String(cases)} cases`, ...permuted, ...skipped];
    this.#lines([`${plan.url} ${plan.server}`]);
    this.#lines(wrap(`profiles ${plan.profiles.join(', ')}`, this.#width));
    this.#lines([...wrap([...runs, `seed ${String(plan.seed)}`].join(', '), this.#width), '']);
  };

  /** Tells at once what fails for the first time, with all that it takes to see it; the rest is counted. */
  readonly case = (report: CaseReport): void => {
    if (report.reason === undefined) this.#done += 1;
    const failures = report.checks.filter((check) => check.verdict === 'FAIL' || check.verdict === 'WARN');
    if (failures.length > 0) this.#failed += 1;
    this.#clear();
    for (const group of byPlace(failures)) if (this.#isNews(report, group)) this.#lines(this.#failure(report, group));
    for (const fault of report.faults)
      this.#lines(['KIT FAULT', ...wrap(fault, this.#width - 2).map((line) => `  ${line}`), '']);
    this.#progress();
  };

  /** Draws the sum. */
  readonly end = (report: SuiteReport): void => {
    this.#clear();
    const width = this.#width;
    this.#lines(failingLines(report, width));
    this.#lines(permutationLines(report, width));
    this.#lines(waitingLines(report, width));
    this.#lines(sumLines(report));
    this.#lines(report.notices.flatMap((notice) => wrap(`note: ${notice}`, this.#width)));
    this.#lines(this.#next(nextCase(report)));
    const meaning = MEANING[report.exitCode] ?? '';
    this.#lines([`${meaning} (exit ${String(report.exitCode)}) after ${report.seconds.toFixed(1)} s`]);
  };

  // Of hundreds of failures those tell most that show a requirement broken for the first time.
  #isNews(report: CaseReport, group: readonly Check[]): boolean {
    const place = `${baseOf(report.id)} ${String(group[0]?.line ?? 0)}`;
    const isNews =
      this.#total <= FEW ? !this.#told.has(place) : !group.every(({ requirement }) => this.#told.has(requirement));
    for (const told of [place, ...group.map(({ requirement }) => requirement)]) this.#told.add(told);
    return isNews;
  }

  #next(report: CaseReport | undefined): string[] {
    if (report === undefined) return [];
    return ['', fit(`next: ${report.title}`, this.#width), ...field('', this.#again(report), this.#width)];
  }

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
    this.#out.write(fit(`${String(this.#done)}/${String(this.#total)} runs${failed}`, this.#width));
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
