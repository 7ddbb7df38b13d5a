import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Job, Outcome, Report } from './load/job.js';
import type { Row, ServerName, Settings } from './plan.js';
import { CATALOGUE } from './servers/catalogue.js';
import { type Started, built, startOn } from './servers/started.js';

/** What one measurement of one server gave, figure by figure, and the processor time that it took. */
export interface Measured {
  /** By the id of the figure; null where the system does not tell. */
  readonly figures: Readonly<Record<string, number | null>>;
  readonly outcome: Outcome;
}

async function heard(load: ChildProcess): Promise<Report> {
  const over = once(load, 'exit').then(([code]) => {
    throw new Error(`the load generator ended with ${String(code)}`);
  });
  const [report] = (await Promise.race([once(load, 'message'), over])) as [Report];
  return report;
}

/** Runs a job to its end; `held` is asked each time the job holds what it holds. */
async function run(job: Job, held: () => Promise<void>): Promise<Outcome> {
  const load = startOn('load', { command: process.execPath, args: [built('bench/load/main.js'), JSON.stringify(job)] });
  for (;;) {
    const report = await heard(load);
    if ('held' in report) await held();
    load.send('go on');
    if ('outcome' in report) {
      await once(load, 'exit');
      return report.outcome;
    }
  }
}

/** One server in a process of its own, one load generator in another, for as long as one measurement takes. */
export async function measure(row: Row, name: ServerName, settings: Settings): Promise<Measured> {
  const { dialect, start, window = Infinity } = CATALOGUE[name];
  const server: Started = await start(row);
  try {
    const memory: (number | null)[] = [];
    const given = row.job(settings);
    const most = Math.min(given.window, window);
    const job = { ...given, window: most, dialect, url: server.url, serverPid: server.pid };
    const outcome = await run(job, async () => void memory.push(await server.memory()));
    return { outcome, figures: figuresOf(row, outcome, memory) };
  } finally {
    await server.stop();
  }
}

function figuresOf({ figures }: Row, outcome: Outcome, memory: readonly (number | null)[]): Measured['figures'] {
  const [before, after] = memory;
  const known = before !== undefined && before !== null && after !== undefined && after !== null;
  const each = known ? (after - before) / outcome.count : null;
  const value = (id: string, unit: string): number | null | undefined => {
    if (unit === 'ms') return id.endsWith('p50') ? outcome.p50 : outcome.p99;
    return unit === 'KiB' ? each : outcome.count / outcome.seconds;
  };
  return Object.fromEntries(figures.map(({ id, unit }) => [id, value(id, unit) ?? null]));
}
