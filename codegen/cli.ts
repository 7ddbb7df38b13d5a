import { join, resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { packageRoot } from '../support/package-root.js';
import { Unusable } from './json.js';

/** Exit code when something is wrong with what was checked. */
const WRONG = 1;
/** Exit code of a usage error. */
const USAGE = 3;

interface GenerateOptions {
  readonly check?: boolean;
  readonly accept?: readonly string[];
  readonly out?: string;
  readonly root: string;
}

interface ValidateOptions {
  readonly type?: string;
  readonly root: string;
}

/** Registers `porthouse generate`. */
export function registerGenerate(program: Command): void {
  program
    .command('generate')
    .description("write types, validators and tables for a program of yours, or the package's own generated files")
    .option('--out <folder>', 'where to write them, as TypeScript that needs no package')
    .option('--check', 'write nothing; fail where a file is not what would be written')
    .addOption(
      new Option('--accept <id>', "take over a changed sentence after reading its cases again, or 'all'")
        .argParser(gather)
        .conflicts(['out', 'check']),
    )
    .addOption(rootOption())
    .action(async (options: GenerateOptions) => {
      process.exitCode = await attempt(() =>
        options.out === undefined ? own(options) : foreign(options, options.out),
      );
    });
}

/** Registers `porthouse validate`. */
export function registerValidate(program: Command): void {
  program
    .command('validate')
    .description("check a JSON document of yours, or the package's own schemas, examples, registries and specification")
    .argument('[file]', 'a JSON document')
    .option('--type <type>', 'its wire type, such as events/pipe.refused: a path below schemas/')
    .addOption(rootOption())
    .action(async (file: string | undefined, options: ValidateOptions) => {
      process.exitCode = await attempt(() => (file === undefined ? validateOwn(options) : validateFile(file, options)));
    });
}

function rootOption(): Option {
  return new Option('--root <folder>', 'take spec/ and schemas/ from there').default(packageRoot(), 'this package');
}

function gather(id: string, before: readonly string[] | undefined): readonly string[] {
  if (id !== 'all' && !/^[A-Z]+(-[A-Z0-9]+)*-[0-9]+$/.test(id)) throw new InvalidArgumentError('Not a requirement id.');
  return [...(before ?? []), id];
}

/** Input that cannot be used costs one line; a fault of our own keeps its stack. */
async function attempt(work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Unusable) return usage(error.message);
    throw error;
  }
}

async function own({ check, accept, root }: GenerateOptions): Promise<number> {
  if (/[\\/]node_modules[\\/]/.test(root)) return usage('say where to write, such as --out src/porthouse');
  const { drifted, generate, unexpected, write } = await import('./generate.js');
  const { outputs, problems } = await generate(root, accept ?? []);
  const drift = [
    ...(check === true ? drifted(root, outputs).map((path) => `${path} is not what generate would write`) : []),
    ...unexpected(root, outputs).map((path) => `${path} is written by nothing`),
  ];
  if (check !== true) for (const path of write(root, outputs)) console.log(`wrote ${path}`);
  return report([...drift, ...problems], `${String(outputs.length)} generated files are up to date`);
}

async function foreign({ check, root }: GenerateOptions, out: string): Promise<number> {
  const { drifted, generateClient, write } = await import('./generate.js');
  const outputs = await generateClient(root);
  const folder = resolve(out);
  const drift = check === true ? drifted(folder, outputs) : [];
  if (check !== true) for (const path of write(folder, outputs)) console.log(`wrote ${join(out, path)}`);
  return report(
    drift.map((path) => `${join(out, path)} is not what generate would write`),
    `${String(outputs.length)} files in ${out} are up to date`,
  );
}

async function validateOwn({ root, type }: ValidateOptions): Promise<number> {
  if (type !== undefined) return usage('--type needs a file');
  const { validateAll } = await import('./validate/all.js');
  return report(await validateAll(root), 'schemas, examples, registries, chapters and asyncapi.yaml are valid');
}

async function validateFile(file: string, { root, type }: ValidateOptions): Promise<number> {
  if (type === undefined) return usage('a file needs --type, such as --type events/pipe.refused');
  const [{ checkDocument }, { loadSchemas }] = await Promise.all([
    import('./validate/document.js'),
    import('./schemas/load.js'),
  ]);
  return report(checkDocument(file, type, loadSchemas(root)), `${file} is a valid ${type}`);
}

function report(problems: readonly string[], good: string): number {
  for (const problem of problems) console.error(problem);
  if (problems.length === 0) console.log(good);
  else console.error(`${String(problems.length)} ${problems.length === 1 ? 'problem' : 'problems'}`);
  return problems.length === 0 ? 0 : WRONG;
}

function usage(message: string): number {
  console.error(message);
  return USAGE;
}
