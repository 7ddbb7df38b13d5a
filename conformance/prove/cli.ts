import { writeFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { loadCases } from '../cases.js';
import type { Case } from '../model.js';
import type { Mutant } from './catalogue.js';
import { cut, fold, mutantDetails, mutantLines, summary } from './print.js';
import type { Part, Proof, ProofOptions } from './proof.js';
import { PARTS, mutantsFor, prove } from './proof.js';

/** Exit code where the proof itself could not be had. */
const HARNESS = 3;
const DEFAULT_OUT = 'prove-report.json';
/** Always the same, so that a proof says today what it said yesterday. */
const DEFAULT_SEED = 1;
/** Tokens of the reference server's development mode. */
const DEFAULT_TOKENS = ['dev.alice', 'dev.bob'];

interface Flags {
  readonly mutant?: string;
  readonly requirement?: string;
  readonly token?: readonly string[];
  readonly hooksToken?: string;
  readonly only?: readonly Part[];
  readonly list?: boolean;
  readonly full?: boolean;
  readonly jobs: number;
  readonly seed?: number;
  readonly out: string;
}

function count(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('a whole number is needed');
  return value;
}

function address(text: string): URL {
  if (!URL.canParse(text)) throw new InvalidArgumentError('not a URL');
  return new URL(text);
}

const append = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

function parts(text: string): readonly Part[] {
  const named = text.split(',');
  const known = PARTS.filter((part) => named.includes(part));
  if (known.length !== named.length) throw new InvalidArgumentError(`parts are ${PARTS.join(', ')}`);
  return known;
}

function soundCases(): readonly Case[] {
  const { cases, problems } = loadCases();
  const [first] = problems;
  if (first !== undefined) throw new Error(`${first.file}:${String(first.line)}: ${first.what}`);
  return cases;
}

const say = (line: string): boolean => process.stdout.write(`${line}\n`);

/** A line that the next one takes the place of; nothing where the output is no terminal. */
function live(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${cut(text)}`);
}

function listMutants(mutants: readonly Mutant[]): void {
  for (const { name, kind, breaks, what } of mutants) {
    say(cut(`${name} (${kind}) breaks ${breaks.join(', ')}`));
    say(fold(what, 4));
  }
}

function proofOptions(url: URL | undefined, flags: Flags): ProofOptions {
  const { mutant, requirement, seed, full, jobs, token, hooksToken } = flags;
  // Whoever asks for certain mutants wants to hear of these alone.
  const narrow: readonly Part[] = mutant === undefined && requirement === undefined ? PARTS : ['clean', 'mutants'];
  return {
    url,
    mutant,
    requirement,
    tokens: token ?? DEFAULT_TOKENS,
    hooksToken,
    cases: soundCases(),
    parts: flags.only ?? narrow,
    seed: seed ?? DEFAULT_SEED,
    full: full ?? false,
    jobs,
  };
}

async function run(options: ProofOptions): Promise<Proof> {
  const details = options.mutant !== undefined || options.requirement !== undefined;
  let total = 0;
  live('the good server …');
  return prove(options, {
    onPlan: ({ mutants, cases, server }) => {
      total = mutants.length;
      live('');
      say(`${server}: ${String(cases)} cases, ${String(total)} mutants, seed ${String(options.seed)}`);
    },
    onMutant: (result, done) => {
      live('');
      const bad = result.state !== 'killed' && result.state !== 'skipped';
      if (details || bad) for (const line of details ? mutantDetails(result) : mutantLines(result)) say(line);
      live(`${String(done)} of ${String(total)} mutants, last ${result.mutant.name}`);
    },
    onNull: ({ name }) => live(`null server ${name}`),
  });
}

async function command(url: URL | undefined, flags: Flags): Promise<void> {
  try {
    const options = proofOptions(url, flags);
    const chosen = mutantsFor(options);
    if (chosen.length === 0) throw new Error('no mutant is called so, or breaks that');
    if (flags.list === true) {
      listMutants(chosen);
      return;
    }
    const proof = await run(options);
    live('');
    for (const line of summary(proof)) say(line);
    writeFileSync(flags.out, `${JSON.stringify(proof, undefined, 1)}\n`);
    process.exitCode = proof.exitCode;
  } catch (error) {
    process.stderr.write(`porthouse prove: ${(error as Error).message}\n`);
    process.exitCode = HARNESS;
  }
}

/** Adds `prove` to a command line. Exit codes: 0 proved, 1 not proved, 3 usage or harness error. */
export function registerProve(program: Command): void {
  program
    .command('prove')
    .description('prove that the kit notices faults: mutants, null servers, negated expectations')
    .argument('[url]', 'a conformant server; default: the reference server, and its patches', address)
    .option('--mutant <glob>', 'only mutants of this name, with details')
    .option('--requirement <glob>', 'only mutants that break these requirements, with details')
    .option('--token <token>', 'bearer token of an account; twice for two accounts', append)
    .option('--hooks-token <token>', 'bearer token of the hooks for tests, on a server that has them')
    .option('--only <parts>', `parts to prove, comma separated: ${PARTS.join(', ')}`, parts)
    .option('--list', 'list the mutants and end')
    .option('--full', 'every case for every mutant, slow ones too')
    .option('--jobs <number>', 'mutants tried at the same time', count, 4)
    .option('--seed <number>', `decides content and samples; default ${String(DEFAULT_SEED)}`, count)
    .option('--out <file>', 'where to write the report with the kill matrix', DEFAULT_OUT)
    .action(command);
}
