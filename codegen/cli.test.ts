import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import t, { type Test } from 'tap';
import { registerGenerate, registerValidate } from './cli.js';
import { smallHouse } from './testing/house.js';

interface Ended {
  readonly code: number | string | undefined;
  readonly lines: readonly string[];
}

/** Runs a subcommand in this process. */
async function run(t: Test, ...argv: readonly string[]): Promise<Ended> {
  const lines: string[] = [];
  const keep = (text: string): void => void lines.push(text.trimEnd());
  const restore = [t.intercept(console, 'log', { value: keep }), t.intercept(console, 'error', { value: keep })];
  const program = new Command().exitOverride().configureOutput({ writeOut: keep, writeErr: keep });
  registerGenerate(program);
  registerValidate(program);
  for (const command of program.commands) command.copyInheritedSettings(program);
  const before = process.exitCode;
  try {
    await program.parseAsync(argv, { from: 'user' });
    return { code: process.exitCode, lines };
  } catch (error) {
    if (error instanceof CommanderError) return { code: error.code, lines };
    throw error;
  } finally {
    process.exitCode = before;
    for (const done of restore) done.restore();
  }
}

void t.test('the commands exit with 0 for what is good and 1 for what is wrong', async (t) => {
  const root = smallHouse(t.testdir());
  const mine = join(root, 'mine');
  const code = async (...argv: readonly string[]): Promise<Ended['code']> =>
    (await run(t, ...argv, '--root', root)).code;
  t.equal(await code('generate', '--check'), 1);
  t.equal(await code('generate'), 0);
  t.equal(await code('generate', '--check'), 0);
  t.equal(await code('generate', '--accept', 'ROOM-LIMIT-9'), 1);
  t.equal(await code('generate', '--check', '--out', mine), 1);
  t.equal(await code('generate', '--out', mine), 0);
  t.equal(await code('generate', '--check', '--out', mine), 0);
  t.equal(await code('validate'), 0);
  const file = join(root, 'schemas/examples/events/pipe.mark/valid/a.json');
  t.equal(await code('validate', file, '--type', 'events/pipe.mark'), 0);
  t.strictSame(await run(t, 'validate', file, '--type', 'calls/fence.result', '--root', root), {
    code: 1,
    lines: [`${file}: must have required property 'n'`, '1 problem'],
  });
});

void t.test('what cannot be used costs one line and exit 3', async (t) => {
  const root = smallHouse(t.testdir(), { 'bad.json': 'hello\nworld', 'a.json': '1' });
  const at = (name: string): string => join(root, name);
  const line = async (...argv: readonly string[]): Promise<string | undefined> => {
    const { code, lines } = await run(t, ...argv, '--root', root);
    t.match({ code, count: lines.length }, { code: 3, count: 1 }, argv.join(' '));
    return lines[0];
  };
  const typed = (name: string, type: string): Promise<string | undefined> => line('validate', at(name), '--type', type);
  t.equal(await typed('no.json', 'events/pipe.mark'), `${at('no.json')}: no such file`);
  t.equal(await typed('schemas', 'events/pipe.mark'), `${at('schemas')}: is a folder`);
  t.match(await typed('bad.json', 'events/pipe.mark'), /bad.json: not JSON: [^\n]+$/);
  t.equal(await typed('a.json', 'events/pipe.marc'), 'no wire type events/pipe.marc; did you mean events/pipe.mark?');
  t.match(await typed('a.json', 'schemas/events/pipe.mark.json'), /did you mean events\/pipe.mark\?$/);
  t.match(await typed('a.json', 'fence'), /did you mean calls\/fence.params or calls\/fence.result\?$/);
  t.match(await typed('a.json', 'position'), /did you mean common\/position\?$/);
  t.match(await typed('a.json', 'nothing'), /no wire type nothing; a type is a path below schemas\/, such as/);
  t.match(await line('validate', at('a.json')), /needs --type/);
  t.match(await line('validate', '--type', 'events/pipe.mark'), /--type needs a file/);
  const installed = await run(t, 'generate', '--root', at('node_modules/porthouse'));
  t.strictSame(installed, { code: 3, lines: ['say where to write, such as --out src/porthouse'] });
  t.equal(await line('generate', '--out', at('a.json')), `${at('a.json')}: is not a folder`);
  t.match(await line('generate', '--out', at('a.json/b')), /is below something that is not a folder$/);
  t.match((await run(t, 'generate', '--root', at('none'))).lines, [`${at('none/schemas')}: no such folder`]);
});

void t.test('bad options are refused by name, and help fits a terminal', async (t) => {
  const refused = async (code: string, text: RegExp, ...argv: readonly string[]): Promise<void> => {
    const ended = await run(t, ...argv);
    t.equal(ended.code, `commander.${code}`);
    t.match(ended.lines.join('\n'), text);
  };
  await refused('invalidArgument', /Not a requirement id/, 'generate', '--accept', 'nonsense');
  await refused('conflictingOption', /cannot be used with/, 'generate', '--accept', 'all', '--out', 'x');
  await refused('unknownOption', /Did you mean --type\?/, 'validate', '--tpye', 'x');
  for (const command of ['generate', 'validate']) {
    const { code, lines } = await run(t, command, '--help');
    t.equal(code, 'commander.helpDisplayed');
    t.ok(
      Math.max(
        ...lines
          .join('\n')
          .split('\n')
          .map(({ length }) => length),
      ) <= 80,
      command,
    );
  }
});
