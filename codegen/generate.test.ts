import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import ts from 'typescript';
import { drifted, generate, generateClient, unexpected, write } from './generate.js';
import { chapter, LIMIT_1, smallHouse } from './testing/house.js';
import { schema, type Files } from './testing/wire.js';

async function textOf(root: string, path: string): Promise<string> {
  const { outputs } = await generate(root);
  return outputs.find((output) => output.path === `generated/${path}`)?.text ?? '';
}

interface Guard {
  (value: unknown): boolean;
  readonly errors?: readonly { readonly keyword: string; readonly instancePath: string }[] | null;
}

/** Writes the emitted validators, and imports them. */
async function validatorsOf(t: Test, changes: Files = {}): Promise<Readonly<Record<string, Guard>>> {
  const root = smallHouse(t.testdir(), changes);
  const file = join(root, 'validators.mjs');
  writeFileSync(file, await textOf(root, 'validators.js'));
  return (await import(pathToFileURL(file).href)) as Readonly<Record<string, Guard>>;
}

/** What a subcommand ended with: its exit code, or Commander's word, and the lines that it printed. */
/** The options of a project that leaves TypeScript no freedom. */
const STRICTEST: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2022.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: [],
  strict: true,
  declaration: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noPropertyAccessFromIndexSignature: true,
  noImplicitReturns: true,
  noUnusedLocals: true,
  noUnusedParameters: true,
  verbatimModuleSyntax: true,
  isolatedModules: true,
  erasableSyntaxOnly: true,
};

void t.test('each wire type is written once, and the method maps name it', async (t) => {
  const types = await textOf(smallHouse(t.testdir()), 'types.ts');
  t.equal(types.match(/export (interface|type) Position\b/g)?.length, 1);
  t.notMatch(types, /Position1|\bany\b/);
  t.match(types, /interface CallParams \{\n {2}'fence': FenceParams;\n\}/);
  t.match(types, /interface EventParams \{\n {2}'pipe.gone': PipeGone;\n {2}'pipe.mark': PipeMark;\n\}/);
  t.match(types, /after: Position;/);
});

void t.test('a local definition, a tuple and a constant keep their meaning as types', async (t) => {
  const odd = schema('common/odd', 'Odd', {
    type: 'object',
    properties: {
      kind: { description: 'Kind.', const: 'odd' },
      pair: {
        description: 'Pair.',
        type: 'array',
        prefixItems: [{ type: 'string' }, { type: 'integer' }],
        items: false,
        minItems: 2,
      },
      inner: { $ref: '#/$defs/inner' },
      free: { description: 'Anything.', type: 'object' },
    },
    required: ['kind', 'pair', 'inner'],
    $defs: { inner: { description: 'Inner.', type: 'object', properties: { a: { type: 'null' } } } },
  });
  const types = await textOf(smallHouse(t.testdir(), odd), 'types.ts');
  t.match(types, /kind: 'odd';/);
  t.match(types, /pair: \[string, number\];/);
  t.match(types, /inner: OddInner;/);
  t.match(types, /free\?: \{\n\s+\[k: string\]: unknown;/);
});

void t.test('validators accept and refuse without eval or require', async (t) => {
  const validators = await validatorsOf(t);
  const mark = validators['events_pipe_mark'];
  t.ok(mark);
  t.equal(mark?.({ mark: 'm1', at: { epoch: 1, dir: 's2c' } }), true);
  t.equal(mark?.({ mark: 'm1', at: { epoch: 0, dir: 's2c' } }), false);
  t.match(mark?.errors, [{ keyword: 'minimum', instancePath: '/at/epoch' }]);
  const code = readFileSync(join(t.testdirName, 'validators.mjs'), 'utf8');
  t.notMatch(code, /require\(|new Function|eval\(/);
});

void t.test('validators compare JSON and count characters without a package', async (t) => {
  const odd = schema('common/odd', 'Odd', {
    type: 'array',
    items: { anyOf: [{ type: 'object' }, { type: 'array' }, { type: 'string', maxLength: 2 }] },
    uniqueItems: true,
  });
  const { common_odd: check } = await validatorsOf(t, odd);
  for (const good of [
    [{ a: 1 }, { a: 2 }],
    [{ a: 1 }, { b: 1 }],
    [[], {}],
    [
      [1, 2],
      [2, 1],
    ],
    ['\u{1f6a2}x'],
    ['\ud83d\ud83d'],
  ])
    t.equal(check?.(good), true, JSON.stringify(good));
  for (const bad of [
    [
      { a: 1, b: [null] },
      { b: [null], a: 1 },
    ],
    [[], []],
    ['\u{1f6a2}xy'],
  ])
    t.equal(check?.(bad), false, JSON.stringify(bad));
  t.notMatch(readFileSync(join(t.testdirName, 'validators.mjs'), 'utf8'), /^import /m);
});

void t.test('what a user is given compiles under the strictest options and runs', async (t) => {
  const root = smallHouse(t.testdir());
  write(join(root, 'src/porthouse'), await generateClient(root));
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }');
  const main = `
    import { errors, eventMethods, limits, profiles, validate, type PipeMark } from './porthouse/index.js';
    export function told(value: unknown): string | undefined {
      if (!validate['events/pipe.mark'](value)) return validate['events/pipe.mark'].errors?.[0]?.instancePath;
      const { mark }: PipeMark = value;
      return mark;
    }
    export const facts = [errors.no_pipe.code, limits.maxMessageBytes.unit, profiles.tcp.transport, eventMethods.length];
  `;
  writeFileSync(join(root, 'src/main.ts'), main);
  const options = { ...STRICTEST, rootDir: join(root, 'src'), outDir: join(root, 'out') };
  const program = ts.createProgram([join(root, 'src/main.ts')], options);
  const { diagnostics } = program.emit();
  const faults = [...ts.getPreEmitDiagnostics(program), ...diagnostics];
  t.equal(ts.formatDiagnostics(faults, ts.createCompilerHost({})), '');
  const built = (await import(pathToFileURL(join(root, 'out/main.js')).href)) as {
    told: (value: unknown) => string | undefined;
    facts: readonly unknown[];
  };
  t.equal(built.told({ mark: 'm1', at: { epoch: 1, dir: 's2c' } }), 'm1');
  t.equal(built.told({ mark: 'm1', at: { epoch: 0, dir: 's2c' } }), '/at/epoch');
  t.strictSame(built.facts, [1001, 'bytes', true, 2]);
});

void t.test('limits, errors and profiles become tables', async (t) => {
  const root = smallHouse(t.testdir());
  t.match(await textOf(root, 'limits.ts'), '"maxMessageBytes": {"unit":"bytes","default":64,"minimum":1,"maximum":99}');
  t.match(await textOf(root, 'errors.ts'), '"no_pipe": {"name":"no_pipe","code":1001');
  t.match(await textOf(root, 'profiles.ts'), '"tcp": {"name":"tcp","transport":true');
});

void t.test('the same tables are written into the chapters, and the rest of a chapter stays', async (t) => {
  const root = smallHouse(t.testdir());
  write(root, (await generate(root)).outputs);
  const read = (name: string): string => readFileSync(join(root, `spec/protocol/${name}.md`), 'utf8');
  const row = '| `no_pipe` | 1001 | call | no | yes |  | 409 |  | command | No pipe is open. |';
  t.match(read('errors'), `# Errors\n\n<!-- errors -->\n\n| name |`);
  t.match(read('errors'), `\n${row}\n\n<!-- /errors -->\n\nAfter.\n`);
  t.match(read('limits'), '| `maxMessageBytes` | bytes | 64 | 1 | 99 | server | As named. |');
  t.match(read('profiles'), '| `tcp` | yes | `core` | Over TCP \\| IP. |');
  writeFileSync(join(root, 'spec/protocol/errors.md'), read('errors').replace('1001', '1002'));
  t.strictSame(drifted(root, (await generate(root)).outputs), ['spec/protocol/errors.md']);
  smallHouse(root, { 'spec/protocol/limits.md': '# Limits\n' });
  rmSync(join(root, 'spec/protocol/profiles.md'));
  t.strictSame((await generate(root)).problems, [
    'spec/protocol/limits.md: no table between <!-- limits --> and <!-- /limits -->',
    'spec/protocol/profiles.md: missing',
  ]);
});

void t.test('what was written has not drifted, and a second run writes nothing', async (t) => {
  const root = smallHouse(t.testdir());
  const first = await generate(root);
  t.equal(write(root, first.outputs).length, first.outputs.length);
  t.strictSame(drifted(root, (await generate(root)).outputs), []);
  t.strictSame(write(root, (await generate(root)).outputs), []);
  t.strictSame(unexpected(root, first.outputs), []);
});

void t.test('an edited, a missing and a stray generated file are each found', async (t) => {
  const root = smallHouse(t.testdir());
  const { outputs } = await generate(root);
  write(
    root,
    outputs.filter(({ path }) => path !== 'generated/limits.ts'),
  );
  writeFileSync(join(root, 'generated/errors.ts'), '// by hand\n');
  writeFileSync(join(root, 'generated/stray.ts'), '');
  t.strictSame(drifted(root, outputs), ['generated/errors.ts', 'generated/limits.ts']);
  t.strictSame(unexpected(root, outputs), ['generated/stray.ts']);
});

void t.test('a changed sentence is named with its cases until it is accepted', async (t) => {
  const root = smallHouse(t.testdir());
  write(root, (await generate(root)).outputs);
  smallHouse(root, { 'spec/protocol/rooms.md': chapter(LIMIT_1.replace('longer', 'larger')) });
  const { problems } = await generate(root);
  t.strictSame(problems, [
    "ROOM-LIMIT-1's sentence changed: read rooms/limit again, then generate --accept ROOM-LIMIT-1",
  ]);
  const accepted = await generate(root, ['ROOM-LIMIT-1']);
  t.strictSame(accepted.problems, []);
  write(root, accepted.outputs);
  t.strictSame((await generate(root)).problems, []);
});
