import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { packageRoot } from '../support/package-root.js';
import { TRANSPORTS } from './plan.js';
import type { Results } from './report/results.js';

const RUN = join(packageRoot(), 'dist/bench/run.js');
const bench = (args: readonly string[]) => promisify(execFile)(process.execPath, args);

void t.test('a run delivers everything in order and writes what it measured', async (t) => {
  const folder = t.testdir();
  const size = ['--quick', '--members', '3', '--ms', '20', '--servers', 'porthouse,naive'];
  const { stdout } = await bench([RUN, ...size, '--rows', 'fan-out-100', '--out', folder]);
  t.match(stdout, /porthouse +naive/);
  const results = JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')) as Results;
  t.match(results, { format: 1, settings: { rounds: 1, members: 3, ms: 20 }, machine: { node: String } });
  t.same(
    results.rows.map(({ id }) => id),
    ['fan-out-100'],
  );
  for (const name of ['porthouse', 'naive'] as const) {
    t.match(results.rows[0]?.servers[name], { value: Number, rounds: [Number], ratio: Number, clientCpu: Number });
  }
  t.match(readFileSync(join(folder, 'results.svg'), 'utf8'), /^<svg [^]+<\/svg>\n$/);
});

void t.test('a run delivers everything in order by every transport', async (t) => {
  const folder = t.testdir();
  await bench([RUN, '--quick', '--members', '3', '--ms', '20', '--rows', 'transports-fan-out-100', '--out', folder]);
  const { rows } = JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')) as Results;
  t.equal(rows[0]?.base, 'websocket');
  for (const name of TRANSPORTS.servers) t.match(rows[0]?.servers[name], { value: Number, ratio: Number }, name);
});

void t.test('a row or a server that nobody knows is refused', async (t) => {
  await t.rejects(bench([RUN, '--rows', 'fan-in']), /fan-in is none of fan-out-100/);
  await t.rejects(bench([RUN, '--servers', 'porthouse', '--rounds', '0']), /a whole number from 1 on/);
});
