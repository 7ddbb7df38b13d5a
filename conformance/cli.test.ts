import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { packageRoot } from '../support/package-root.js';
import { casesFolder, loadCases } from './cases.js';
import type { SuiteReport } from './report.js';
import { parseTap } from './testing/tap.js';

const ROOT = packageRoot(import.meta.url);
const PORTHOUSE = join(ROOT, 'dist', 'bin', 'porthouse.js');
const some = loadCases(casesFolder(), (id) => id === 'canary/opening' || id === 'delivery/unaltered').cases;

interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function porthouse(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, PORTHOUSE_TOKEN: '', ...env }, encoding: 'utf8' } as const;
    const child = execFile(process.execPath, [PORTHOUSE, ...args], options, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, stdout, stderr });
    });
  });
}

test('porthouse test on a command line', (t) => {
  const folder = t.testdir({});
  const file = (name: string): string => join(folder, name);

  t.test('starts the reference server itself, and keeps stdout clean for machines', async (t) => {
    const args = [
      'test',
      '--case',
      'delivery/unaltered*',
      '--permute',
      'none',
      '--reporter',
      'tap',
      '--reporter',
      'pretty',
      '--reporter',
      `json=${file('r.json')}`,
    ];
    const { code, stdout, stderr } = await porthouse([...args, '--timeline', file('run.ndjson')]);
    t.equal(code, 0, stderr);
    t.same([parseTap(stdout).ok, parseTap(stdout).count], [true, some.length]);
    t.match(stderr, `${String(some.length)} cases, seed `);
    t.equal((JSON.parse(readFileSync(file('r.json'), 'utf8')) as SuiteReport).exitCode, 0);
    const again = await porthouse(['judge', file('run.ndjson')]);
    t.equal(again.code, 0, again.stderr);
    t.match(again.stdout, `${String(some.length)} PASS`);
  });

  t.test('starts any implementation by a command, with tokens from the environment', async (t) => {
    const command = `"${process.execPath}" "${join(ROOT, 'dist', 'reference-server', 'main.js')}" --port 0`;
    const { code, stdout } = await porthouse(['test', '--exec', command, '--case', 'delivery/unaltered#text'], {
      PORTHOUSE_TOKEN: 'dev.x,dev.y',
    });
    t.equal(code, 0, stdout);
  });

  t.test('lists the cases with what they prove', async (t) => {
    const { code, stdout } = await porthouse(['test', '--list', '--case', 'delivery/unaltered']);
    t.equal(code, 0);
    t.match(stdout, /^delivery\/unaltered {2}DELIV-1$/m);
    t.match(stdout, /^ {4}What a member sends/m);
    t.ok(
      stdout.split('\n').every((line) => line.length <= 80),
      'within 80 columns',
    );
  });

  const unusable: readonly (readonly [name: string, args: readonly string[], said: RegExp])[] = [
    ['an unreachable server', ['http://127.0.0.1:9', '--token', 'x'], /ECONNREFUSED/],
    ['a missing token', ['http://127.0.0.1:9'], /a bearer token is needed/],
    ['a wrong number', ['--jobs', '0'], /a whole number from 1/],
    [
      'a command that prints no URL',
      ['--exec', 'echo oops >&2; exit 1', '--token', 'x'],
      /printed no URL; it said: oops/,
    ],
    ['a baseline that is not there', ['--baseline', file('none.yaml')], /ENOENT/],
  ];
  t.test('exits with 3 and one line for what its user can put right', async (t) => {
    const finished = await Promise.all(unusable.map(([, args]) => porthouse(['test', '--case', 'canary/*', ...args])));
    finished.forEach(({ code, stderr }, index) => {
      const [name, , said] = unusable[index] ?? ['', [], /./];
      t.equal(code, 3, name);
      t.match(stderr, said, name);
      t.ok(stderr.trim().split('\n').length <= 2, stderr);
    });
  });
  t.end();
});
