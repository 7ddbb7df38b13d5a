import type { Ledger } from '../judge/ledger.js';
import type { TimelineRecord } from '../timeline.js';

/** A rule that holds over every run, and was broken. */
export interface Violation {
  readonly requirement: string;
  readonly expected: string;
  readonly received: string;
  readonly records: readonly [number, number];
}

/** A run that is over: its records, and what they add up to. */
export interface FinishedRun {
  readonly ledger: Ledger;
  readonly records: readonly TimelineRecord[];
}

/** What was wrong with one record. */
export interface Finding {
  readonly requirement: string;
  readonly record: TimelineRecord;
  readonly expected: string;
  readonly received: string;
}

/** A violation that one record shows. */
export function violation({ record, ...finding }: Finding): Violation {
  return { ...finding, records: [record.i, record.i] };
}
