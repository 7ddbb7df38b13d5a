import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { LoadHookContext } from 'node:module';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'tap';
import { packageRoot } from '../../support/package-root.js';
import { initialize, load } from './hooks.js';
import type { Patch } from './patch.js';
import { PatchError, applyPatch, loadPatch, loadPatches } from './patch.js';

const root = packageRoot(import.meta.url);
const patch: Patch = {
  name: 'says-no',
  what: 'Says no.',
  file: 'somewhere.js',
  find: 'return\n  yes(a)',
  replace: "return '$&'",
  breaks: ['A-1'],
  also: [],
};

void test('a patch replaces the one place that it names, whatever the blanks', (t) => {
  const source = 'function ask(a) {\n        return yes(a);\n}';
  t.equal(applyPatch(patch, source), "function ask(a) {\n        return '$&';\n}");
  t.end();
});

void test('a patch without a match, or with two, is an error that says so', (t) => {
  t.throws(
    () => applyPatch(patch, 'return no(a)'),
    new PatchError('says-no: 0 places in somewhere.js match, need exactly one'),
  );
  t.throws(() => applyPatch(patch, 'return yes(a); return yes(a);'), /2 places/);
  t.end();
});

void test('a patch is found by its whole name alone', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'patches-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const listed = (name: string): string =>
    `- { name: ${name}, what: y, file: f, find: a, replace: b, breaks: [], also: [] }\n`;
  writeFileSync(join(folder, 'a.yaml'), `${listed('says-no-twice')}# says-no\n`);
  writeFileSync(join(folder, 'b.yaml'), listed('says-no'));
  t.equal(loadPatch('says-no', folder).name, 'says-no');
  t.throws(() => loadPatch('says', folder), /no patch is called says$/);
  t.throws(() => loadPatch('', folder), /no patch is called \(nothing\)/);
  t.end();
});

void test('a list of patches with a missing, wrong or unknown field is refused with its place', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'patches-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  writeFileSync(
    join(folder, 'a.yaml'),
    '- { name: x, what: y, file: f, find: a, replace: 1, breaks: A-1, also: [], more: 1 }\n',
  );
  t.throws(() => loadPatches(folder), /^a\.yaml, entry 1: missing, wrong or unknown: replace, breaks, more$|entry 1/);
  writeFileSync(join(folder, 'a.yaml'), 'name: x\n');
  t.throws(() => loadPatches(folder), /a\.yaml: not a list/);
  t.end();
});

void test('the loader hook patches the chosen module and no other', async (t) => {
  const url = 'file:///dist/somewhere.js';
  const next = () => Promise.resolve({ format: 'module', source: Buffer.from('return yes(a)') });
  const context = { conditions: [], format: 'module', importAttributes: {} } as unknown as LoadHookContext;
  const loaded = async (from: string) => Buffer.from((await load(from, context, next)).source as Uint8Array).toString();
  initialize({ source: "return '$&'", url });
  t.equal(await loaded(url), "return '$&'");
  t.equal(await loaded('file:///dist/other.js'), 'return yes(a)');
});

void test('every patch fits its compiled module exactly once, and has a name of its own', (t) => {
  const patches = loadPatches();
  for (const each of patches) {
    const file = join(root, 'dist', each.file);
    t.ok(existsSync(file), `${each.name}: ${each.file} is compiled`);
    t.doesNotThrow(() => applyPatch(each, readFileSync(file, 'utf8')), each.name);
    t.ok(each.breaks.length > 0, `${each.name} breaks something`);
  }
  t.equal(new Set(patches.map(({ name }) => name)).size, patches.length);
  t.end();
});

void test('a server whose patch does not exist ends before it listens', async (t) => {
  const register = pathToFileURL(join(root, 'dist', 'reference-server', 'mutants', 'register.js')).href;
  const main = join(root, 'dist', 'reference-server', 'main.js');
  const env = { ...process.env, PORTHOUSE_MUTANT: 'no-such-patch', NODE_OPTIONS: '' };
  const child = spawn(process.execPath, ['--import', register, main, '--port', '0'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stdout.on('data', () => child.kill());
  const [code] = (await once(child, 'close')) as readonly unknown[];
  t.equal(code, 1);
  t.match(said, /no patch is called no-such-patch/);
});

function sources(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => join(root, folder, name));
}

void test('no product file knows of mutants', (t) => {
  const product = [...sources('reference-server'), ...sources('support')].filter(
    (file) => !relative(root, file).startsWith(join('reference-server', 'mutants')),
  );
  t.ok(product.length > 10);
  for (const file of product) t.notMatch(readFileSync(file, 'utf8'), /mutant/i, relative(root, file));
  t.end();
});
