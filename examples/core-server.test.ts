import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../support/package-root.js';

interface Verdict {
  readonly id: string;
  readonly verdict: string;
  readonly profile: string;
}
interface Report {
  readonly target: { readonly profiles: readonly string[] };
  readonly requirements: readonly Verdict[];
  readonly cases: readonly Verdict[];
}

const server = join(packageRoot(), 'examples/core-server.mjs');
const kit = join(packageRoot(), 'bin/porthouse.ts');

/** The kit in a process of its own, which reads TypeScript as this one does; its exit code, and what it reported. */
async function conformance(file: string): Promise<{ readonly code: unknown; readonly report: Report }> {
  const exec = `"${process.execPath}" "${server}" --port 0`;
  const tokens = ['--token', 'alice.token=', '--token', 'bob.token'];
  const args = ['test', '--exec', exec, ...tokens, '--reporter', `json=${file}`];
  const env = { ...process.env, PORTHOUSE_TOKENS: 'alice.token==alice,bob.token=bob' };
  const run = spawn(process.execPath, [...process.execArgv, kit, ...args], {
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = (await once(run, 'exit')) as [unknown];
  return { code, report: JSON.parse(readFileSync(file, 'utf8')) as Report };
}

await t.test('the example that was made from the specification alone conforms to it', async (t) => {
  const { code, report } = await conformance(join(t.testdir(), 'report.json'));
  t.same(report.target.profiles, ['core', 'websocket'], 'it declares what it has, and nothing else');
  const bad = report.cases.filter(({ verdict }) => verdict === 'FAIL' || verdict === 'INCONCLUSIVE');
  t.same(bad, [], 'no case says otherwise');
  const passed = report.requirements.filter(({ verdict }) => verdict === 'PASS').map(({ profile }) => profile);
  t.ok(passed.filter((profile) => profile === 'core').length > 90, 'requirements of core were seen to hold');
  t.ok(passed.filter((profile) => profile === 'websocket').length > 15, 'and those of its transport');
  t.equal(code, 0);
});
