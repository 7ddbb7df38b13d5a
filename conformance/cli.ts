import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { ReporterChoice, ReportingFlags } from './outputs.js';
import type { TestFlags } from './test-command.js';

const REPORTERS = ['pretty', 'tap', 'json'] as const;

const wholeNumber =
  (least: number) =>
  (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`a whole number from ${String(least)} is needed`);
  };

function address(text: string): URL {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new InvalidArgumentError('an http or https URL is needed');
  }
  return new URL(text);
}

const append = <T>(value: T, before: readonly T[] = []): readonly T[] => [...before, value];

function reporter(text: string, before?: readonly ReporterChoice[]): readonly ReporterChoice[] {
  const [name = '', ...rest] = text.split('=');
  const known = REPORTERS.find((each) => each === name);
  if (known === undefined) throw new InvalidArgumentError(`reporters are ${REPORTERS.join(', ')}`);
  const file = rest.join('=');
  return append({ name: known, ...(file === '' ? {} : { file }) }, before);
}

function withReporting(command: Command): Command {
  return command
    .option('--reporter <name[=file]>', 'pretty, tap or json, to stdout or a file; repeatable', reporter)
    .option('--no-tap-version', 'leave out the version line of TAP, for consumers that know only older ones')
    .option('--baseline <file>', 'known failures: a list of {check, reason}; one that no longer fails exits with 4')
    .option('--strict', 'a SHOULD that fails counts as a failure');
}

/** Adds `porthouse test`: the conformance kit against a server. */
export function registerTest(program: Command): void {
  const command = program
    .command('test')
    .description('test a server; without a URL the reference server, in a process of its own')
    .argument('[url]', 'origin of the server', address)
    .option('--exec <command>', 'start the server by a shell command; its first line that is a URL is the address')
    .option('--token <token>', 'bearer token of account a, then of b; or PORTHOUSE_TOKEN, with commas', append<string>)
    .option('--hooks-token <token>', 'bearer token of the hooks for tests, on a server that has them')
    .option('--no-hooks', 'use no hooks: wait where time has to pass')
    .option('--case <glob>', 'only cases whose id matches; repeatable', append<string>)
    .option('--profile <name>', 'only cases of this profile; repeatable', append<string>)
    .option('--list', 'list the cases, and what is wrong with them, and run nothing')
    .option('--full', 'run slow cases too')
    .option('--jobs <n>', 'cases that run at the same time', wholeNumber(1))
    .option('--seed <n>', 'what decides all content; a run says which it had', wholeNumber(0))
    .option('--timeout <ms>', 'least patience of a wait; slow servers get more', wholeNumber(1))
    .option('--repeat <n>', 'run every case so often', wholeNumber(1))
    .option('--until-fail', 'start no further case once one has failed')
    .option('--timeline <file>', 'write everything that was sent and received, as NDJSON')
    // Loaded only when it runs: a wrong option should not wait for the validators.
    .action(async (url: URL | undefined, flags: TestFlags) =>
      (await import('./test-command.js')).testCommand(url, flags),
    );
  withReporting(command);
}

/** Adds `porthouse judge`: the verdicts of a recorded run, offline. */
export function registerJudge(program: Command): void {
  const command = program
    .command('judge')
    .description('judge a timeline that `test --timeline` wrote, without any server')
    .argument('<run.ndjson>')
    .action(async (file: string, flags: ReportingFlags) => {
      (await import('./judge-command.js')).judgeCommand(file, flags);
    });
  withReporting(command);
}
