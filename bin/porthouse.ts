#!/usr/bin/env node
import { Command, CommanderError } from 'commander';

type Register = (program: Command) => void;

/** Each subcommand's module is imported only when asked for, so that `serve` does not pay for a compiler. */
const subcommands: Readonly<Record<string, () => Promise<Register>>> = {
  serve: async () => (await import('../reference-server/main.js')).registerServe,
  test: async () => (await import('../conformance/cli.js')).registerTest,
  judge: async () => (await import('../conformance/cli.js')).registerJudge,
  prove: async () => (await import('../conformance/prove/cli.js')).registerProve,
  generate: async () => (await import('../codegen/cli.js')).registerGenerate,
  validate: async () => (await import('../codegen/cli.js')).registerValidate,
};

/** Exit code of a usage error and of a fault of our own, for every subcommand: 1 is a verdict. */
const UNUSABLE = 3;

async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('porthouse').description('Porthouse: specification, conformance kit, reference server');
  program.exitOverride();
  const chosen = subcommands[argv[2] ?? ''];
  const loaders = chosen === undefined ? Object.values(subcommands) : [chosen];
  for (const load of loaders) (await load())(program);
  // Commander hands its settings to a subcommand only when it is made; `registerX` may come by `addCommand`.
  for (const command of program.commands) command.copyInheritedSettings(program);
  await program.parseAsync(argv);
}

try {
  await main(process.argv);
} catch (error) {
  const refused = error instanceof CommanderError;
  if (!refused) console.error(error);
  process.exitCode = refused && error.exitCode === 0 ? 0 : UNUSABLE;
}
