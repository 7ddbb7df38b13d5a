import { createHash, randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Patience } from './discovery.js';
import { fetchDiscovery } from './discovery.js';
import { withTimeline } from './excerpt.js';
import type { Check, Judgement } from './judge/judge.js';
import { judge } from './judge/judge.js';
import type { Case } from './model.js';
import type { OwnedServer } from './owned-server.js';
import { compared } from './permute/differences.js';
import { baseOf, permute } from './permute/permute.js';
import type { Told } from './permute/told.js';
import { toldIn } from './permute/told.js';
import { suspectsOf } from './permute/twins.js';
import { Place } from './place.js';
import type { Declared, Selection, Skip } from './plan.js';
import { isChosen, isExclusive, skipOf } from './plan.js';
import { redact } from './redact.js';
import { requirementOf } from './register.js';
import type { CaseReport } from './report.js';
import { worst } from './report.js';
import { Bystanders } from './runner/bystanders.js';
import { runCase } from './runner/run-case.js';
import type { RunSetting } from './runner/run.js';
import type { Target } from './endpoints.js';
import { hasTls } from './endpoints.js';
import type { Json, TimelineRecord } from './timeline.js';

/** What all cases of a suite have in common. */
export interface SuiteSetting {
  readonly target: Target;
  /** Where a suite begins; a server that was started again is looked for there. */
  readonly base: URL;
  readonly owned: OwnedServer | undefined;
  /** Starts another such server, for the cases that end theirs. */
  readonly spare: (() => Promise<OwnedServer>) | undefined;
  readonly declared: Declared;
  readonly selection: Selection;
  readonly patience: Patience;
  readonly tokens: readonly string[];
  readonly hooksToken: string | undefined;
  readonly seed: number;
  readonly epoch: number;
  readonly jobs: number;
  readonly gate: boolean;
  readonly untilFail: boolean;
  readonly repeat: number;
  readonly onCase: (report: CaseReport) => void;
  /** Absent where nobody keeps timelines. */
  readonly onTimeline: ((records: readonly TimelineRecord[]) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** A case and which of its repetitions it is. */
interface Job {
  readonly of: Case;
  readonly round: number;
}

/** Where so much fails that there would be more, the cause is hardly the permutation. */
const MOST_SUSPECTS = 40;

/** Runs cases: the canary alone and first, the others several at a time, each with sessions of its own. */
export class SuiteRun {
  readonly reports: CaseReport[] = [];
  /** What members were told, of cases that run by several transports. */
  readonly told = new Map<string, Told>();
  #compared: ReadonlySet<string> = new Set();
  readonly #setting: SuiteSetting;
  // Names made by an earlier run may still be there.
  readonly #prefix = `k${randomBytes(4).toString('hex')}`;
  readonly #main: Place;
  #spare: OwnedServer | undefined;
  #runs = 0;

  constructor(setting: SuiteSetting) {
    this.#setting = setting;
    this.#main = new Place(setting);
  }

  /** What a server of the kit's own did by itself, such as to end. */
  readonly trouble = (): string | undefined => this.#setting.owned?.trouble() ?? this.#spare?.trouble();

  /** Runs everything that is to be run. */
  async run(cases: readonly Case[]): Promise<void> {
    const { selection, repeat, gate } = this.#setting;
    const chosen = cases.filter((each) => isChosen(each, selection));
    this.#compared = compared(chosen.map(({ id }) => id));
    for (const each of chosen.filter(({ canary }) => canary)) await this.#job({ of: each, round: 0 }, this.#main);
    const others = longestFirst(chosen.filter(({ canary }) => !canary));
    const blocked = gate ? this.#blockedBy() : undefined;
    const rounds = Array.from({ length: repeat }, (_, round) => others.map((of) => ({ of, round })));
    if (blocked !== undefined) for (const of of others) this.#waits(of, blocked);
    else {
      await this.#rest(rounds.flat());
      await this.#rest(this.#suspects(others));
    }
  }

  // Which of the things that were different is to blame.
  #suspects(cases: readonly Case[]): Job[] {
    const byId = new Map(cases.map((of) => [of.id, of]));
    const made = suspectsOf(this.reports).flatMap(({ id, combination }) => {
      const of = byId.get(id);
      return (of && permute(of, combination)) ?? [];
    });
    return made.slice(0, MOST_SUSPECTS).map((of) => ({ of, round: 0 }));
  }

  #blockedBy(): string | undefined {
    const checks = this.reports.flatMap((report) => report.checks);
    return checks.find((check) => check.verdict === 'FAIL' || check.verdict === 'INCONCLUSIVE')?.requirement;
  }

  #waits(of: Case, requirement: string): void {
    const skip = skipOf(of, this.#setting.declared, this.#setting.selection);
    this.#skip(of, skip ?? { verdict: 'INCONCLUSIVE', reason: requirement });
  }

  // A server is ended only when nobody is there any more, and by one at a time; or it is one that is there for that.
  async #rest(jobs: readonly Job[]): Promise<void> {
    const { jobs: atOnce, spare } = this.#setting;
    const elsewhere = jobs.filter(({ of }) => this.#needsSpare(of));
    const exclusive = jobs.filter(({ of }) => isExclusive(of) && !this.#needsSpare(of));
    const here = jobs.filter(({ of }) => !isExclusive(of) && !this.#needsSpare(of));
    const naked = here.filter(({ of }) => of.naked !== undefined); // there is one room for all of them
    const shared = here.filter(({ of }) => of.naked === undefined);
    const isWorthIt = elsewhere.length > 0 || (atOnce > 1 && shared.length > 0 && exclusive.length > 0);
    const [, left] = await Promise.all([
      Promise.all([this.#all(shared, atOnce), this.#all(naked, 1)]),
      spare !== undefined && isWorthIt ? this.#beside([...elsewhere, ...exclusive], spare) : exclusive,
    ]);
    await this.#all(
      left.filter((job) => !elsewhere.includes(job)),
      1,
    );
    // The other server could not be had after all.
    const without = left.filter((job) => job.round === 0 && elsewhere.includes(job));
    for (const { of } of without) this.#skip(of, { verdict: 'NOT_TESTED', reason: 'tls' });
  }

  #needsSpare({ tls }: Case): boolean {
    return tls !== undefined && !hasTls(this.#setting.target, tls);
  }

  /** Runs jobs one at a time before a server of their own. Answers with those that are left where it cannot be had. */
  async #beside(jobs: readonly Job[], start: () => Promise<OwnedServer>): Promise<readonly Job[]> {
    const { patience, signal } = this.#setting;
    const owned = await start().catch(() => undefined);
    this.#spare = owned;
    if (owned === undefined) return jobs;
    try {
      const target = await fetchDiscovery(owned.url, { patience, signal, tls: owned.tls });
      await this.#all(jobs, 1, new Place({ target, base: owned.url, owned, patience, signal }));
      return [];
    } finally {
      await owned.stop();
    }
  }

  async #all(jobs: readonly Job[], atOnce: number, place: Place = this.#main): Promise<void> {
    const left = [...jobs];
    const worker = async (): Promise<void> => {
      const bystanders = new Bystanders();
      for (let job = left.shift(); job !== undefined && !this.#isOver(); job = left.shift())
        await this.#job(job, place, bystanders);
      bystanders.end();
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
  }

  #isOver(): boolean {
    const { signal, untilFail } = this.#setting;
    if (signal?.aborted === true) return true;
    return untilFail && this.reports.some(({ verdict }) => verdict === 'FAIL' || verdict === 'INCONCLUSIVE');
  }

  async #job({ of, round }: Job, place: Place, bystanders?: Bystanders): Promise<void> {
    const skip = skipOf(of, this.#setting.declared, this.#setting.selection);
    if (skip !== undefined) {
      if (round === 0) this.#skip(of, skip);
      return;
    }
    const start = performance.now();
    const own = isExclusive(of) || of.usual !== undefined ? undefined : bystanders;
    const run = { ...this.#settingOf(of, round, place), ...(own === undefined ? {} : { bystanders: own }) };
    const judgement = this.#judged(of, await runCase(of, run), run.run);
    this.#report(of, { ...judgement, run: run.run, seconds: secondsSince(start) });
  }

  #judged(of: Case, records: readonly TimelineRecord[], run: string): Judgement {
    const { onTimeline } = this.#setting;
    const isCompared = this.#compared.has(baseOf(of.id));
    if (onTimeline === undefined && !isCompared) {
      const judgement = judged(of, records);
      if (saysNothing(judgement)) return judgement;
    }
    // Judged as it is written down: whoever judges the file later sees the same.
    const written = redact(records);
    onTimeline?.(written);
    if (isCompared) this.told.set(run, toldIn(of, written));
    return judged(of, written);
  }

  #settingOf(of: Case, round: number, { target, control, measure }: Place): RunSetting {
    const { patience, seed, epoch, signal, tokens, hooksToken: hooks } = this.#setting;
    const number = ++this.#runs;
    const [a, b] = tokens;
    return {
      target,
      tokens: Object.fromEntries(
        Object.entries({ a, b, hooks }).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])),
      ),
      // Each repetition has content of its own, the first the one that `--seed` alone gives.
      seed:
        round === 0
          ? seed
          : Number.parseInt(
              createHash('sha256')
                .update(`${String(seed)}/${String(round)}`)
                .digest('hex')
                .slice(0, 7),
              16,
            ),
      prefix: `${this.#prefix}-${String(number)}`,
      run: `${of.id}~${String(number)}`,
      deadlineMs: patience.deadlineMs,
      measure,
      epoch,
      ...(control === undefined ? {} : { server: control }),
      ...(signal === undefined ? {} : { signal }),
    };
  }

  #skip(of: Case, { verdict, reason }: Skip | { verdict: 'INCONCLUSIVE'; reason: string }): void {
    const run = `${of.id}~${String(++this.#runs)}`;
    const t = Math.round(performance.now() - this.#setting.epoch);
    this.#setting.onTimeline?.([{ i: 0, t, run, type: 'skip', case: of.id, verdict, reason }]);
    this.#report(of, {
      checks: skippedChecks(of, { run, verdict, reason }),
      faults: [],
      run,
      seconds: 0,
      verdict,
      reason,
    });
  }

  #report(of: Case, result: CaseResult): void {
    const report = caseReport(of, result);
    this.reports.push(report);
    this.#setting.onCase(report);
  }
}

/** Those that must let time pass begin, so that nobody waits for them at the end. */
function longestFirst(cases: readonly Case[]): readonly Case[] {
  return [...cases].sort((a, b) => passOf(b) - passOf(a));
}

const passOf = ({ steps }: Case): number =>
  Math.max(0, ...steps.map(({ verb, fields }) => (verb === 'clock' ? estimate(fields['pass']) : 0)));

// How long a limit is, only the run knows.
const estimate = (pass: Json | undefined): number => (typeof pass === 'number' ? pass : 1000);

/** What became of a case, beside what the case itself says. */
export type CaseResult = Pick<CaseReport, 'checks' | 'faults' | 'run' | 'seconds'> &
  Partial<Pick<CaseReport, 'verdict' | 'reason'>>;

/** The report of a case: its verdict is that of its worst check. */
export function caseReport({ id, title, file, line }: Case, result: CaseResult): CaseReport {
  const verdicts = result.checks.map((check) => check.verdict);
  const verdict = worst(verdicts, result.faults.length > 0 ? 'INCONCLUSIVE' : 'PASS');
  return { id, title, file, line, verdict, ...result };
}

/** Judges a run, and puts the timeline beside what failed. */
export function judged(of: Case, records: readonly TimelineRecord[]): Judgement {
  const { checks, faults } = judge(of, records, requirementOf);
  return { checks: checks.map((check) => withTimeline(check, records)), faults };
}

/** Whether nothing of the records stands in a judgement: what passes is not quoted. To take secrets out is dear. */
const saysNothing = ({ checks, faults }: Judgement): boolean =>
  faults.length === 0 && checks.every(({ verdict }) => verdict === 'PASS');

const secondsSince = (start: number): number => Math.round(performance.now() - start) / 1000;

/** The checks of a case that did not run. */
export function skippedChecks(of: Case, skip: { run: string; verdict: Check['verdict']; reason: string }): Check[] {
  const { run, verdict, reason } = skip;
  return of.steps.flatMap(({ proves, line }, step) =>
    proves.map((requirement) => ({ case: of.id, run, step, requirement, verdict, line, waitsFor: reason })),
  );
}
