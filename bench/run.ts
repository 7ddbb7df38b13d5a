import { writeFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, platform } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { packageRoot } from '../support/package-root.js';
import { type Measured, measure } from './measure.js';
import { FULL, PEERS, QUICK, ROWS, type Row, SERVERS, type ServerName, type Settings } from './plan.js';
import { type Measurements, NOT_INSTALLED, type Results, type Rounds, resultRows } from './report/results.js';
import { plot } from './report/svg.js';
import { table } from './report/table.js';
import { CATALOGUE, bufferutil } from './servers/catalogue.js';
import { pinned } from './servers/started.js';
import { faults, streamResults, streamTable } from './streams/report.js';
import { type Streamed, stream } from './streams/stream.js';

interface Options {
  readonly quick?: true;
  readonly rows?: readonly string[];
  readonly servers?: readonly string[];
  readonly rounds?: number;
  readonly ms?: number;
  readonly members?: number;
  readonly streams?: true;
  readonly mib?: number;
  readonly out?: string;
}

const MIB = 2 ** 20;
const GIB_IN_MIB = 1024;

/** Servers of other people, except the one that all are compared with. */
const STRANGE: readonly ServerName[] = PEERS.servers.filter((name) => name !== 'porthouse' && name !== PEERS.base);

/** A strange server may fail, and a datagram may be lost, and the row says so; the others may not. */
async function attempt(row: Row, name: ServerName, settings: Settings): Promise<Measured | Error> {
  try {
    return await measure(row, name, settings);
  } catch (error) {
    if (!(STRANGE.includes(name) || name === 'udp') || !(error instanceof Error)) throw error;
    return error;
  }
}

function available(row: Row, name: ServerName): boolean {
  return CATALOGUE[name].version() !== null && (row.unmasking !== 'native' || bufferutil() !== null);
}

/** All rows with all servers, round by round, so that whatever else the machine does falls on everybody. */
async function measureAll(
  rows: readonly Row[],
  names: readonly ServerName[],
  settings: Settings,
): Promise<Measurements> {
  const measurements = new Map(rows.map((row) => [row, new Map<ServerName, Rounds>()]));
  for (let round = 0; round < settings.rounds; round++) {
    for (const [row, servers] of measurements) {
      for (const name of names.filter((each) => row.servers.includes(each))) {
        const before = servers.get(name) ?? [];
        if (!available(row, name)) servers.set(name, { absent: NOT_INSTALLED });
        if ('absent' in before || !available(row, name)) continue;
        process.stderr.write(`round ${String(round + 1)}: ${row.name} ${name}\n`);
        const measured = await attempt(row, name, settings);
        servers.set(
          name,
          measured instanceof Error ? { absent: `failed: ${measured.message}` } : [...before, measured],
        );
      }
    }
  }
  return measurements;
}

function machine(): Results['machine'] {
  return {
    node: process.version.slice(1),
    system: `${platform()} ${arch()}`,
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown',
    pinned,
    bufferutil: bufferutil(),
  };
}

function settingsOf({ quick, rounds, ms, members }: Options): Settings {
  const base = quick ? QUICK : FULL;
  const given = {
    ...(rounds === undefined ? {} : { rounds }),
    ...(ms === undefined ? {} : { ms, warmUpMs: ms, paceMs: ms, paceWarmUpMs: ms }),
    ...(members === undefined ? {} : { members, held: members, heldBefore: 1, opens: members }),
  };
  return { ...base, ...given };
}

async function bench(options: Options): Promise<void> {
  const { quick, rows: wanted, servers: named } = options;
  const names = SERVERS.filter((name) => named?.includes(name) ?? (!quick || !STRANGE.includes(name)));
  const rows = ROWS.filter(
    ({ name, servers, unmasking }) =>
      (wanted?.includes(name) ?? (!quick || unmasking === 'as installed')) &&
      servers.some((each) => names.includes(each)),
  );
  const settings = settingsOf(options);
  const peers = PEERS.servers.filter((name) => names.includes(name));
  const versions = Object.fromEntries(peers.map((name) => [name, CATALOGUE[name].version()]));
  const measurements = await measureAll(rows, names, settings);
  const results: Results = { format: 1, machine: machine(), versions, settings, rows: resultRows(measurements) };
  process.stdout.write(table(results));
  const whole = !quick && !wanted && !named;
  const folder = options.out ?? (whole ? join(packageRoot(), 'bench') : null);
  if (folder === null) return;
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(folder, 'results.svg'), plot(results));
}

/** A long stream by each way that has one; its figures are no speeds, and so a loaded machine does not spoil them. */
async function streams({ mib, out }: Options): Promise<void> {
  const done: Streamed[] = [];
  for (const through of ['ftp', 'form'] as const) {
    process.stderr.write(`stream: ${through}\n`);
    done.push(await stream(through, (mib ?? GIB_IN_MIB) * MIB));
  }
  process.stdout.write(streamTable(done));
  const found = done.flatMap(faults);
  for (const fault of found) process.stdout.write(`${fault}\n`);
  if (found.length > 0) process.exitCode = 1;
  const folder = out ?? (mib === undefined ? join(packageRoot(), 'bench') : null);
  if (folder === null) return;
  writeFileSync(join(folder, 'streams.json'), `${JSON.stringify(streamResults(done), null, 2)}\n`);
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('a whole number from 1 on');
  return value;
}

function list(known: readonly string[]): (text: string) => string[] {
  return (text) => {
    const names = text.split(',');
    const strange = names.find((name) => !known.includes(name));
    if (strange !== undefined) throw new InvalidArgumentError(`${strange} is none of ${known.join(', ')}`);
    return names;
  };
}

const rowNames = ROWS.map(({ name }) => name);
await new Command('bench')
  .description('measures the reference server beside its peers')
  .option('--quick', 'one short round, without the servers of others but naive ws, each as it is installed')
  .option('--rows <names>', rowNames.join(', '), list(rowNames))
  .option('--servers <names>', SERVERS.join(', '), list(SERVERS))
  .option('--rounds <count>', 'rounds, each with every row and server', count)
  .option('--ms <count>', 'how long each measurement goes on', count)
  .option('--members <count>', 'members of a room, and connections held and opened', count)
  .option('--out <folder>', 'where the results go as files; bench/ for a whole run, otherwise nowhere')
  .option('--streams', 'instead of all that: a GiB through a stream room with a slow member, by FTP and by a form')
  .option('--mib <count>', 'with --streams: how many MiB instead', count)
  .action((options: Options) => (options.streams ? streams(options) : bench(options)))
  .parseAsync();
