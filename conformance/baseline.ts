import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { matchesGlob } from './glob.js';
import type { Check } from './judge/judge.js';
import { isFields } from './model.js';
import { baseOf } from './permute/permute.js';
import type { SuiteReport } from './report.js';
import { EXIT, exitCodeOf } from './report.js';

/** A failure that is known and borne: which checks, and why. */
export interface BaselineEntry {
  /** Glob over `case`, over `requirement`, or over `case requirement`. */
  readonly check: string;
  readonly reason: string;
}

/** A baseline could not be read; the message says where. */
export class BaselineError extends Error {
  override readonly name = 'BaselineError';
}

/** Reads a baseline, YAML or JSON: a list of `{check, reason}`. */
export function readBaseline(file: string): readonly BaselineEntry[] {
  const list: unknown = parse(readFileSync(file, 'utf8'));
  if (!Array.isArray(list)) throw new BaselineError(`${file}: not a list`);
  return list.map((entry: unknown, index) => {
    const { check, reason } = isFields(entry) ? entry : {};
    if (typeof check === 'string' && typeof reason === 'string' && reason !== '') return { check, reason };
    throw new BaselineError(`${file}: entry ${String(index + 1)} needs a check and a reason`);
  });
}

/** A report seen through a baseline. */
export interface Baselined {
  /** Checks that fail as was known. */
  readonly known: readonly Check[];
  /** Entries under which nothing fails any more. */
  readonly stale: readonly BaselineEntry[];
  readonly exitCode: number;
}

/** How strict an exit code is to be. */
export interface ExitOptions {
  readonly baseline: readonly BaselineEntry[];
  /** A SHOULD that fails counts like a MUST. */
  readonly strict: boolean;
  /** Not all cases ran: an entry that matches none of them is not stale. */
  readonly partial: boolean;
}

// What is known of a case is known of its permutations too.
const covers = ({ check: glob }: BaselineEntry, { case: of, requirement }: Check): boolean =>
  [of, baseOf(of), requirement, `${of} ${requirement}`, `${baseOf(of)} ${requirement}`].some((name) =>
    matchesGlob(glob, name),
  );

const isBad = ({ verdict }: Check): boolean => verdict === 'FAIL' || verdict === 'WARN' || verdict === 'INCONCLUSIVE';

/** Takes known failures out of account and finds stale entries: 3 comes before 1, then 4, 2, 0. */
export function applyBaseline(report: SuiteReport, { baseline, strict, partial }: ExitOptions): Baselined {
  const ran = report.checks.filter(({ verdict }) => verdict !== 'NOT_TESTED' && verdict !== 'NOT_APPLICABLE');
  const known = ran.filter((check) => isBad(check) && baseline.some((entry) => covers(entry, check)));
  const stale = baseline.filter((entry) => {
    const mine = ran.filter((check) => covers(entry, check));
    return mine.length === 0 ? !partial : !mine.some(isBad);
  });
  const left = report.checks
    .filter((check) => !known.includes(check))
    .map((check) => (strict ? strictly(check) : check));
  const code = exitCodeOf(left, report.summary);
  const isStale = stale.length > 0 && code !== EXIT.harness && code !== EXIT.failed;
  return { known, stale, exitCode: isStale ? EXIT.stale : code };
}

const strictly = (check: Check): Check => (check.verdict === 'WARN' ? { ...check, verdict: 'FAIL' } : check);
