import { closeSync, openSync, writeSync } from 'node:fs';
import type { Problem } from './cases.js';
import { casesFolder, loadCases } from './cases.js';
import { UnreachableError } from './discovery.js';
import { matchesGlob } from './glob.js';
import { lintCases } from './lint.js';
import type { Case } from './model.js';
import type { ReportingFlags } from './outputs.js';
import { Reporting, writerTo } from './outputs.js';
import { profilesOf } from './plan.js';
import { profileOf } from './register.js';
import { EXIT } from './report.js';
import { runSuite } from './suite.js';
import type { OwnedServer } from './owned-server.js';
import { DEVELOPMENT_TOKENS, StartError, startCommand, startReferenceServer } from './target.js';
import { writeTimeline } from './timeline.js';
import type { TimelineRecord } from './timeline.js';

/** Options of `porthouse test`. */
export interface TestFlags extends ReportingFlags {
  readonly exec?: string;
  readonly token?: readonly string[];
  readonly hooksToken?: string;
  /** False where the kit is to wait like everybody else. */
  readonly hooks?: boolean;
  readonly case?: readonly string[];
  readonly profile?: readonly string[];
  readonly list?: boolean;
  readonly full?: boolean;
  readonly jobs?: number;
  readonly seed?: number;
  readonly timeout?: number;
  readonly repeat?: number;
  readonly untilFail?: boolean;
  readonly timeline?: string;
}

/** Something that the user has to put right; one line, exit 3. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Runs `porthouse test` and sets the exit code. */
export async function testCommand(url: URL | undefined, flags: TestFlags): Promise<void> {
  try {
    const cases = soundCases(flags);
    process.exitCode = flags.list === true ? list(cases) : await test(url, flags, cases);
  } catch (error) {
    process.exitCode = EXIT.harness;
    const expected = error instanceof UsageError || error instanceof StartError || error instanceof UnreachableError;
    process.stderr.write(`porthouse test: ${expected ? error.message : stackOf(error)}\n`);
  }
}

const stackOf = (error: unknown): string =>
  error instanceof Error ? ('code' in error ? error.message : (error.stack ?? error.message)) : String(error);

function soundCases({ case: globs, profile }: TestFlags): readonly Case[] {
  const unknown = (profile ?? []).find((name) => profileOf(name) === undefined);
  if (unknown !== undefined) throw new UsageError(`no profile is called ${unknown}`);
  const wanted = (id: string): boolean => id.startsWith(CANARY) || isFile(id, globs);
  const { cases, problems } = loadCases(casesFolder(), wanted);
  const chosen = cases.filter(({ id, canary }) => canary || isChosen(id, globs));
  if (globs !== undefined && problems.length === 0 && !cases.some(({ id }) => isChosen(id, globs))) {
    throw new UsageError(`no case matches ${globs.join(', ')}`);
  }
  const found = [...problems, ...lintCases(chosen)];
  if (found.length > 0) throw new UsageError(problemText(found));
  return chosen;
}

// The opening of every run, whatever was asked for.
const CANARY = 'canary/';

const problemText = (problems: readonly Problem[]): string =>
  ['cases that are no cases:', ...problems.map(({ file, line, what }) => `  ${file}:${String(line)}: ${what}`)].join(
    '\n',
  );

const isFile = (id: string, globs: readonly string[] | undefined): boolean =>
  globs === undefined || globs.some((glob) => matchesGlob(glob.split('#')[0] ?? glob, id));

const isChosen = (id: string, globs: readonly string[] | undefined): boolean =>
  globs === undefined || globs.some((glob) => matchesGlob(glob, id) || matchesGlob(glob, id.split('#')[0] ?? id));

function list(cases: readonly Case[]): number {
  const write = writerTo(process.stdout);
  for (const each of cases) {
    const proves = [...new Set(each.steps.flatMap((step) => step.proves))];
    write(`${each.id}  ${proves.join(' ')}  (${profilesOf(each).join(', ')})  ${each.title}\n`);
  }
  return EXIT.conformant;
}

async function test(url: URL | undefined, flags: TestFlags, cases: readonly Case[]): Promise<number> {
  const tokens = tokensOf(url, flags);
  const reporting = new Reporting(flags, url?.href ?? (flags.exec === undefined ? '' : `--exec '${flags.exec}'`));
  const target = await targetOf(url, flags);
  const timeline = new TimelineFile(flags.timeline);
  const interrupted = new AbortController();
  const interrupt = (): void => {
    interrupted.abort();
  };
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    const partial = flags.case !== undefined || flags.profile !== undefined;
    const report = await runSuite({
      base: target.url,
      owned: target.owned,
      hooksToken: flags.hooks === false ? undefined : (flags.hooksToken ?? target.owned?.hooksToken),
      tokens,
      cases,
      partial,
      jobs: flags.jobs,
      seed: flags.seed,
      timeoutMs: flags.timeout,
      full: flags.full,
      profiles: flags.profile,
      repeat: flags.repeat,
      untilFail: flags.untilFail,
      onPlan: reporting.plan,
      onCase: reporting.case,
      onTimeline: timeline.write,
      signal: interrupted.signal,
    });
    const code = reporting.end(report, partial);
    const trouble = target.owned?.trouble();
    if (trouble !== undefined) process.stderr.write(`the server: ${trouble}\n`);
    return interrupted.signal.aborted ? EXIT.harness : code;
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    timeline.close();
    await target.owned?.stop();
  }
}

function tokensOf(url: URL | undefined, { token, exec }: TestFlags): readonly string[] {
  const fromEnvironment = (process.env['PORTHOUSE_TOKEN'] ?? '').split(',').filter((each) => each !== '');
  const given = token ?? fromEnvironment;
  if (given.length > 0) return given;
  if (url === undefined && exec === undefined) return DEVELOPMENT_TOKENS;
  throw new UsageError('a bearer token is needed, since rooms have owners: --token, or PORTHOUSE_TOKEN');
}

/** What is tested, and its process where the kit started it. */
interface TestTarget {
  readonly url: URL;
  readonly owned?: OwnedServer;
}

async function targetOf(url: URL | undefined, { exec, hooks }: TestFlags): Promise<TestTarget> {
  if (exec === undefined && url !== undefined) return { url };
  const owned = await (exec === undefined ? startReferenceServer({ hooks: hooks !== false }) : startCommand(exec, url));
  return { url: owned.url, owned };
}

class TimelineFile {
  readonly #handle: number | undefined;

  constructor(file: string | undefined) {
    this.#handle = file === undefined ? undefined : openSync(file, 'w');
  }

  readonly write = (records: readonly TimelineRecord[]): void => {
    if (this.#handle !== undefined) writeSync(this.#handle, writeTimeline(records));
  };

  close(): void {
    if (this.#handle !== undefined) closeSync(this.#handle);
  }
}
