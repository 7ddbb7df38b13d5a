import { closeSync, openSync, writeSync } from 'node:fs';
import { applyBaseline, readBaseline } from './baseline.js';
import type { BaselineEntry } from './baseline.js';
import type { CaseReport, SuiteReport } from './report.js';
import { htmlPage } from './reporters/html.js';
import { jsonText } from './reporters/json.js';
import { junitXml } from './reporters/junit.js';
import { PrettyReporter } from './reporters/pretty.js';
import type { Output, Reporter, ReporterSettings } from './reporters/reporter.js';
import { TapReporter } from './reporters/tap.js';
import type { PlanSummary } from './suite.js';

/** A reporter that was asked for, and where to. */
export interface ReporterChoice {
  readonly name: 'pretty' | 'tap' | 'json' | 'junit' | 'html';
  readonly file?: string;
}

/** Options that `test` and `judge` share. */
export interface ReportingFlags {
  readonly reporter?: readonly ReporterChoice[];
  readonly tapVersion: boolean;
  readonly baseline?: string;
  readonly strict?: boolean;
}

/** Writes to a stream until its reader has seen enough (`| head`), which is no reason to crash. */
export function writerTo(stream: NodeJS.WritableStream): (text: string) => void {
  let isGone = false;
  stream.once('error', () => (isGone = true));
  return (text) => {
    if (!isGone) stream.write(text);
  };
}

/** All reporters of a run, as one. */
export class Reporting {
  readonly #reporters: readonly Reporter[];
  readonly #files: number[] = [];
  readonly #baseline: readonly BaselineEntry[];
  readonly #strict: boolean;

  /** Opens the files and reads the baseline: what cannot be had is known before anything runs. */
  constructor(flags: ReportingFlags, target: string) {
    this.#baseline = flags.baseline === undefined ? [] : readBaseline(flags.baseline);
    this.#strict = flags.strict === true;
    const choices = flags.reporter ?? [{ name: 'pretty' }];
    const machine = choices.some(({ name, file }) => name !== 'pretty' && file === undefined);
    const settings = { target, tapVersion: flags.tapVersion };
    this.#reporters = choices.map((choice) => make(choice.name, this.#output(choice, machine), settings));
  }

  /** Tells all reporters what is about to run. */
  readonly plan = (plan: PlanSummary): void => {
    for (const each of this.#reporters) each.plan?.(plan);
  };

  /** Tells all reporters of a case. */
  readonly case = (report: CaseReport): void => {
    for (const each of this.#reporters) each.case?.(report);
  };

  /** Applies the baseline, tells all reporters the end, and returns the exit code. */
  end(report: SuiteReport, partial: boolean): number {
    const { known, stale, exitCode } = applyBaseline(report, {
      baseline: this.#baseline,
      strict: this.#strict,
      partial,
    });
    for (const each of this.#reporters) each.end({ ...report, exitCode });
    if (known.length > 0) process.stderr.write(`${String(known.length)} checks fail as the baseline says\n`);
    for (const { check, reason } of stale) process.stderr.write(`stale baseline entry: ${check} (${reason})\n`);
    for (const file of this.#files) closeSync(file);
    return exitCode;
  }

  #output({ name, file }: ReporterChoice, machine: boolean): Output {
    if (file !== undefined) {
      const handle = openSync(file, 'w');
      this.#files.push(handle);
      return { write: (text) => void writeSync(handle, text) };
    }
    // Whoever pipes TAP or JSON must find nothing else in it.
    const stream = name === 'pretty' && machine ? process.stderr : process.stdout;
    return { write: writerTo(stream), ...(stream.isTTY ? { columns: stream.columns } : {}) };
  }
}

/** What is written whole, at the end. */
const DOCUMENTS = { html: htmlPage, junit: junitXml, json: jsonText } as const;

function make(name: ReporterChoice['name'], out: Output, settings: ReporterSettings): Reporter {
  if (name === 'tap') return new TapReporter(out, settings);
  if (name === 'pretty') return new PrettyReporter(out, settings);
  const text = DOCUMENTS[name];
  return { end: (report) => out.write(text(report, settings.target)) };
}
