import { closeSync, openSync, writeSync } from 'node:fs';
import { UsageError, namesPermutation, soundCases } from './choice.js';
import { UnreachableError } from './discovery.js';
import { listLines } from './list.js';
import type { Case } from './model.js';
import type { ReportingFlags } from './outputs.js';
import { Reporting, writerTo } from './outputs.js';
import type { Permuting } from './permute/cover.js';
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
  readonly permute?: Permuting;
  readonly jobs?: number;
  readonly seed?: number;
  readonly timeout?: number;
  readonly repeat?: number;
  readonly untilFail?: boolean;
  readonly timeline?: string;
}

/** Runs `porthouse test` and sets the exit code. */
export async function testCommand(url: URL | undefined, flags: TestFlags): Promise<void> {
  try {
    process.exitCode = flags.list === true ? list(soundCases(flags)) : await test(url, flags);
  } catch (error) {
    process.exitCode = EXIT.harness;
    const expected = error instanceof UsageError || error instanceof StartError || error instanceof UnreachableError;
    process.stderr.write(`porthouse test: ${expected ? error.message : stackOf(error)}\n`);
  }
}

const stackOf = (error: unknown): string =>
  error instanceof Error ? ('code' in error ? error.message : (error.stack ?? error.message)) : String(error);

function list(cases: readonly Case[]): number {
  const write = writerTo(process.stdout);
  for (const line of listLines(cases, process.stdout.columns)) write(`${line}\n`);
  return EXIT.conformant;
}

async function test(url: URL | undefined, flags: TestFlags): Promise<number> {
  const tokens = tokensOf(url, flags);
  const reporting = new Reporting(flags, url?.href ?? (flags.exec === undefined ? '' : `--exec '${flags.exec}'`));
  const { target, cases } = await prepare(url, flags);
  const timeline = flags.timeline === undefined ? undefined : new TimelineFile(flags.timeline);
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
      spare: target.spare,
      hooksToken: flags.hooks === false ? undefined : (flags.hooksToken ?? target.owned?.hooksToken),
      tokens,
      cases,
      partial,
      jobs: flags.jobs,
      seed: flags.seed,
      timeoutMs: flags.timeout,
      full: flags.full,
      permute: permutingOf(flags),
      profiles: flags.profile,
      repeat: flags.repeat,
      untilFail: flags.untilFail,
      onPlan: reporting.plan,
      onCase: reporting.case,
      onTimeline: timeline?.write,
      signal: interrupted.signal,
    });
    const code = reporting.end(report, partial);
    const trouble = target.owned?.trouble();
    if (trouble !== undefined) process.stderr.write(`the server: ${trouble}\n`);
    return interrupted.signal.aborted ? EXIT.harness : code;
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    timeline?.close();
    await target.owned?.stop();
  }
}

// Whoever names a permutation wants that one.
function permutingOf({ permute, full, case: globs }: TestFlags): Permuting {
  if (permute !== undefined) return permute;
  if (globs?.some(namesPermutation) === true) return 'none';
  return full === true ? 'all' : 'pairwise';
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
  /** Starts another such server. */
  readonly spare?: () => Promise<OwnedServer>;
}

interface Prepared {
  readonly target: TestTarget;
  readonly cases: readonly Case[];
}

/** Reads the cases; the reference server starts meanwhile, since its command is known to be good. */
async function prepare(url: URL | undefined, flags: TestFlags): Promise<Prepared> {
  const { exec, hooks } = flags;
  if (exec === undefined && url !== undefined) return { target: { url }, cases: soundCases(flags) };
  if (exec !== undefined) {
    const cases = soundCases(flags);
    const owned = await startCommand(exec, url);
    return { target: { url: owned.url, owned }, cases };
  }
  const starting = startReferenceServer({ hooks: hooks !== false });
  try {
    const cases = soundCases(flags);
    const owned = await starting;
    const spare = (): Promise<OwnedServer> => startReferenceServer({ hooks: owned.hooksToken ?? false, tls: true });
    return { target: { url: owned.url, owned, spare }, cases };
  } catch (error) {
    await starting.then(
      (owned) => owned.stop(),
      () => undefined,
    );
    throw error;
  }
}

class TimelineFile {
  readonly #handle: number;

  constructor(file: string) {
    this.#handle = openSync(file, 'w');
  }

  readonly write = (records: readonly TimelineRecord[]): void => {
    writeSync(this.#handle, writeTimeline(records));
  };

  close(): void {
    closeSync(this.#handle);
  }
}
