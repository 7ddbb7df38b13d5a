import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../support/package-root.js';
import type { Load } from './load.js';

const ROUNDS = 3;
const RUN_MS = 1500;
const PAYLOAD_BYTES = 128;
const BURST = 100;
const MEMBERS = [1, 100, 500];
const SERVERS = {
  porthouse: ['reference-server/main.js', '--port', '0'],
  naive: ['bench/servers/naive.js'],
} as const;

type ServerName = keyof typeof SERVERS;

const root = packageRoot();
const program = (file: string): string => join(root, 'dist', file);

async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('no output to read');
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return line;
}

/** One server in a process of its own, one load generator in another, for as long as one run takes. */
async function measure(name: ServerName, members: number): Promise<number> {
  const [file, ...args] = SERVERS[name];
  const server = spawn(process.execPath, [program(file), ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const url = await firstLine(server);
    const load: Load = { url, server: name, members, payloadBytes: PAYLOAD_BYTES, burst: BURST, ms: RUN_MS };
    const generator = spawn(process.execPath, [program('bench/load.js'), JSON.stringify(load)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return Number(await firstLine(generator));
  } finally {
    server.kill();
  }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

const rows: { members: number; porthouse: number; naive: number; ratio: number }[] = [];
for (const members of MEMBERS) {
  const rates: Record<ServerName, number[]> = { porthouse: [], naive: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of ['porthouse', 'naive'] as const) rates[name].push(await measure(name, members));
  }
  const ratios = rates.porthouse.map((rate, round) => rate / (rates.naive[round] ?? 1));
  const row = { members, porthouse: median(rates.porthouse), naive: median(rates.naive), ratio: median(ratios) };
  rows.push(row);
  const [ours, theirs] = [row.porthouse, row.naive].map((rate) => Math.round(rate).toLocaleString('en'));
  process.stdout.write(
    `${String(members).padStart(4)} members  porthouse ${(ours ?? '').padStart(10)}/s` +
      `  naive ws ${(theirs ?? '').padStart(10)}/s  ratio ${row.ratio.toFixed(2)}\n`,
  );
}
writeFileSync(
  join(root, 'bench/results.json'),
  `${JSON.stringify({ payloadBytes: PAYLOAD_BYTES, burst: BURST, rounds: ROUNDS, rows }, null, 2)}\n`,
);
