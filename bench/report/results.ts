import type { Measured } from '../measure.js';
import type { Figure, Row, ServerName, Settings } from '../plan.js';

/** One server's share of one figure. */
export interface Cell {
  /** Median of the rounds. */
  readonly value: number;
  readonly rounds: readonly number[];
  /** How many times as good as the row's `base` in the same round, median; above 1 is better. Null without it. */
  readonly ratio: number | null;
  /** Microseconds of processor time for each delivery, message or opening; medians. */
  readonly serverCpu: number | null;
  readonly clientCpu: number;
}

/** Why there is nothing to show. */
export interface Absent {
  readonly absent: string;
}

export type ResultRow = Figure & {
  /** Whom the others are compared with. */
  readonly base: ServerName;
  readonly servers: Readonly<Partial<Record<ServerName, Cell | Absent>>>;
};

/** What `bench/results.json` holds; bench/README.md says what it means. */
export interface Results {
  readonly format: 1;
  readonly machine: {
    readonly node: string;
    readonly system: string;
    readonly cores: number;
    readonly processor: string;
    /** Whether server and load generator had a core each. */
    readonly pinned: boolean;
    /** Version of the package that unmasks in native code; null where it is not installed. */
    readonly bufferutil: string | null;
  };
  readonly versions: Readonly<Partial<Record<ServerName, string | null>>>;
  readonly settings: Settings;
  readonly rows: readonly ResultRow[];
}

/** What was measured of one row with one server, round by round, or why it was not. */
export type Rounds = readonly Measured[] | Absent;
export type Measurements = ReadonlyMap<Row, ReadonlyMap<ServerName, Rounds>>;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2;
}

const isAbsent = (rounds: Rounds | undefined): rounds is Absent | undefined => !rounds || 'absent' in rounds;

/** The reason for a server that the machine does not have. */
export const NOT_INSTALLED = 'not installed';

const NOT_TOLD: Absent = { absent: 'the system does not tell' };

/** Values of one figure in all rounds; null where the system does not tell one of them. */
function valuesOf(rounds: readonly Measured[], id: string): readonly number[] | null {
  const values = rounds.map(({ figures }) => figures[id] ?? null);
  return values.includes(null) ? null : (values as number[]);
}

function cellOf(figure: Figure, rounds: Rounds | undefined, base: Rounds | undefined): Cell | Absent {
  if (isAbsent(rounds)) return rounds ?? { absent: 'not measured' };
  const values = valuesOf(rounds, figure.id);
  if (!values) return NOT_TOLD;
  const others = isAbsent(base) ? null : valuesOf(base, figure.id);
  const ratio = (value: number, round: number): number => {
    const other = others?.[round] ?? NaN;
    return figure.better === 'more' ? value / other : other / value;
  };
  const server = rounds.map(({ outcome }) => outcome.serverCpu);
  return {
    value: median(values),
    rounds: values,
    ratio: others ? median(values.map(ratio)) : null,
    serverCpu: server.includes(null) ? null : median(server as number[]),
    clientCpu: median(rounds.map(({ outcome }) => outcome.clientCpu)),
  };
}

/** Medians and ratios of what was measured, in the order of the plan. */
export function resultRows(measurements: Measurements): ResultRow[] {
  return [...measurements].flatMap(([row, servers]) =>
    row.figures.map((figure) => ({
      ...figure,
      base: row.base,
      servers: Object.fromEntries(
        row.servers
          .filter((name) => servers.has(name))
          .map((name) => [name, cellOf(figure, servers.get(name), servers.get(row.base))]),
      ),
    })),
  );
}
