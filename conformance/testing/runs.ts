import type { SuiteReport } from '../report.js';
import type { SuiteOptions } from '../suite.js';
import { runSuite } from '../suite.js';
import { DEVELOPMENT_TOKENS } from '../target.js';
import type { TimelineRecord } from '../timeline.js';

/** What a suite said, and all that it recorded. */
export interface Ran {
  readonly report: SuiteReport;
  readonly records: readonly TimelineRecord[];
}

/** Runs a part of the suite before a server in development mode. */
export async function run(options: Omit<SuiteOptions, 'tokens'> & Partial<SuiteOptions>): Promise<Ran> {
  const records: TimelineRecord[] = [];
  const report = await runSuite({
    tokens: DEVELOPMENT_TOKENS,
    partial: true,
    onTimeline: (each) => records.push(...each),
    ...options,
  });
  return { report, records };
}

/** Records as a timeline file would give them back. */
export function byRun(records: readonly TimelineRecord[]): Map<string, readonly TimelineRecord[]> {
  const runs = new Map<string, TimelineRecord[]>();
  for (const record of records) {
    const own = runs.get(record.run) ?? [];
    own.push(record);
    runs.set(record.run, own);
  }
  return runs;
}
