import { COMPANIES, PEERS, type ServerName } from '../plan.js';
import { short, times } from './figures.js';
import { type Absent, type Cell, NOT_INSTALLED, type ResultRow, type Results } from './results.js';

const LABEL = 20;
const COLUMN = 12;
const TIMES = 6;

const line = (label: string, cells: readonly string[]): string =>
  `${label.padEnd(LABEL)}${cells.map((cell) => cell.padStart(COLUMN)).join('')}`.trimEnd();

function figureCell(cell: Cell | Absent | undefined): string {
  if (!cell || 'absent' in cell) return '-';
  return short(cell.value) + (cell.ratio === null ? '' : times(cell.ratio).padStart(TIMES));
}

function processorCell(cell: Cell | Absent | undefined): string {
  if (!cell || 'absent' in cell || cell.serverCpu === null) return '-';
  return `${short(cell.serverCpu)}/${short(cell.clientCpu)}`;
}

function rowLines(row: ResultRow, names: readonly ServerName[]): string[] {
  const figures = line(
    row.short,
    names.map((name) => figureCell(row.servers[name])),
  );
  if (row.unit === 'ms' || row.unit === 'KiB') return [figures];
  return [
    figures,
    line(
      '  us server/client',
      names.map((name) => processorCell(row.servers[name])),
    ),
  ];
}

const SAYS = [
  'Medians; behind each how many times as good as naive ws in the same round.',
  'us server/client: processor time of both sides for each delivery or opening.',
];
const BY_TRANSPORT = 'Porthouse by transport; how many times as good as a WebSocket in the same round.';

/** Why there is a dash, once for each reason. */
function reasons(rows: readonly ResultRow[]): string[] {
  const all = rows.flatMap((row) =>
    Object.entries(row.servers).map(([name, cell]) => {
      const known = !('absent' in cell) || cell.absent === NOT_INSTALLED;
      return known ? [] : [`${row.short.trim()}, ${name}: ${cell.absent}`];
    }),
  );
  return [...new Set(all.flat())];
}

/** The results as a table of at most 80 columns; below it, why something is not in it. */
export function table({ machine, settings, versions, rows }: Results): string {
  const peers = PEERS.servers.filter((name) => name in versions);
  const missing = peers.filter((name) => versions[name] === null);
  const versionOf = (name: ServerName): string => versions[name] ?? '-';
  const { node, cores, pinned, bufferutil } = machine;
  const native = bufferutil === null ? 'bufferutil not installed' : `bufferutil ${bufferutil}`;
  const sides = pinned ? 'server and load generator on one each' : 'server and load generator not pinned';
  return [
    `Rounds: ${String(settings.rounds)}; Node ${node}, ${native}.`,
    `${String(cores)} cores, ${sides}.`,
    ...SAYS,
    ...COMPANIES.flatMap(({ servers, base }) => {
      const shown = rows.filter((row) => row.base === base);
      const names = servers.filter((name) => shown.some((row) => name in row.servers));
      if (names.length === 0) return [];
      const head =
        base === PEERS.base
          ? ['', line('', names), line('', names.map(versionOf))]
          : ['', BY_TRANSPORT, line('', names)];
      return [...head, ...shown.flatMap((row) => rowLines(row, names))];
    }),
    ...missing.map((name) => `${name}: ${NOT_INSTALLED}`),
    ...reasons(rows),
    '',
  ].join('\n');
}
