import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import ts from 'typescript';
import { packageRoot } from '../support/package-root.js';

const root = packageRoot();

/** The files of the package as npm would publish it. */
function packed(): readonly string[] {
  const npm = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const [report] = JSON.parse(execFileSync('npm', npm, { cwd: root, encoding: 'utf8', stdio: 'pipe' })) as [
    { readonly files: readonly { readonly path: string }[] },
  ];
  return report.files.map(({ path }) => path);
}

const files = packed();

/** A project that has installed what `npm pack` makes of this one, and no other package. */
function project(folder: string): string {
  const installed = join(folder, 'node_modules/porthouse');
  for (const path of files.filter((file) => /^(package\.json|generated\/|schemas\/|dist\/generated\/)/.test(file))) {
    mkdirSync(join(installed, path, '..'), { recursive: true });
    cpSync(join(root, path), join(installed, path));
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  return folder;
}

const MAIN = `
  import { callMethods, errors, limits, profiles, validate, type Position } from 'porthouse';
  import sid from 'porthouse/schemas/common/sid.json' with { type: 'json' };
  import requirements from 'porthouse/requirements.json' with { type: 'json' };
  const at: Position = { epoch: 1, dir: 'c2s', unit: 'msg', n: 5 };
  const unknown: unknown = { ...at, n: -1 };
  export const seen = {
    good: validate['common/position'](at),
    bad: validate['common/position'](unknown) ? unknown.n : validate['common/position'].errors?.[0]?.instancePath,
    tables: [errors.bind_refused.code, limits.fenceMs.unit, profiles.udp.transport, callMethods.includes('fence')],
    files: [sid.title, requirements.some(({ id }) => id === 'BIND-1')],
  };
`;

void t.test('a program that installed the package imports types, validators, tables and schemas', async (t) => {
  const folder = project(t.testdir({ 'main.ts': MAIN }));
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    resolveJsonModule: true,
    types: [],
    strict: true,
    outDir: join(folder, 'out'),
    rootDir: folder,
  };
  const program = ts.createProgram([join(folder, 'main.ts')], options);
  program.emit();
  t.equal(ts.formatDiagnostics(ts.getPreEmitDiagnostics(program), ts.createCompilerHost({})), '');
  const { seen } = (await import(pathToFileURL(join(folder, 'out/main.js')).href)) as { seen: unknown };
  t.strictSame(seen, {
    good: true,
    bad: '/n',
    tables: [1014, 'ms', true, true],
    files: ['Sid', true],
  });
});

void t.test('the package has every wire type and example, and no test', (t) => {
  for (const path of ['schemas/events/debug.log.json', 'schemas/examples/events/debug.log/valid/pipe-opened.json'])
    t.ok(files.includes(path), path);
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { exports: object };
  const targets = Object.values(exports).flatMap((target: string | object) =>
    typeof target === 'string' ? [target] : (Object.values(target) as string[]),
  );
  for (const target of targets.filter((one) => !one.includes('*')))
    t.ok(files.includes(target.replace('./', '')), `${target} is packed`);
  t.strictSame(
    files.filter((file) => /\.test\.|\/testing\/|tsbuildinfo/.test(file)),
    [],
  );
  t.end();
});
