import type { Step } from '../model.js';
import type { TimelineRecord } from '../timeline.js';
import { evaluate } from './evaluate.js';
import { Ledger } from './ledger.js';
import type { Failed, Held, Outcome } from './outcome.js';
import { brief } from './outcome.js';
import { pointed } from './scope.js';

/** What became of one step. `outcome` is absent when the run did not come to its end. */
export interface StepResult {
  readonly step: Step;
  readonly outcome?: Held | Failed;
  /** Records between its begin and its end. */
  readonly records?: readonly [number, number];
}

/** A run, read again. */
export interface Replay {
  readonly ledger: Ledger;
  readonly results: readonly StepResult[];
}

/** `evaluate`, and what `save` asks for must be there. */
export function decide(step: Step, ledger: Ledger): Outcome {
  const outcome = evaluate(step, ledger);
  if (outcome.state !== 'held') return outcome;
  const missing = Object.values(step.save).find((pointer) => pointed(outcome.matched, pointer) === undefined);
  if (missing === undefined) return outcome;
  return {
    state: 'failed',
    why: 'WRONG',
    expected: `something at ${missing} to go on with`,
    received: brief(outcome.matched),
    ...(outcome.record === undefined ? {} : { record: outcome.record }),
  };
}

/** Takes what a step that holds has claimed, so that no later step finds it again. */
export function claim(outcome: Outcome): void {
  if (outcome.state !== 'held') return;
  for (const entry of outcome.claims) entry.claimed = true;
}

/** Reads a run's records and decides each of its steps at the moment at which the runner did. */
export function replay(steps: readonly Step[], records: readonly TimelineRecord[]): Replay {
  const ledger = new Ledger();
  const found = new Map<number, StepResult>();
  const begins = new Map<number, number>();
  for (const record of records) {
    ledger.add(record);
    if (record.type !== 'step') continue;
    if (record.phase === 'begin') begins.set(record.index, record.i);
    const step = steps[record.index];
    if (record.phase === 'begin' || step === undefined) continue;
    const outcome = close(decide(step, ledger), record.phase);
    claim(outcome);
    found.set(record.index, { step, outcome, records: [begins.get(record.index) ?? record.i, record.i] });
  }
  const results = steps.map((step) => found.get(step.index) ?? { step });
  return { ledger, results: results.map((result) => withLateness(result, ledger, records)) };
}

function close(outcome: Outcome, phase: 'end' | 'deadline' | 'fenced'): Held | Failed {
  if (outcome.state !== 'pending') return outcome;
  const why = outcome.why ?? (outcome.nearest === undefined ? 'SILENT' : 'WRONG');
  const nothing = phase === 'fenced' ? 'nothing, and the fences were answered' : 'nothing';
  return {
    state: 'failed',
    why,
    expected: outcome.expected,
    received: outcome.nearest ?? nothing,
    ...(outcome.record === undefined ? {} : { record: outcome.record }),
  };
}

function withLateness(result: StepResult, ledger: Ledger, records: readonly TimelineRecord[]): StepResult {
  const { outcome, step } = result;
  if (outcome?.state !== 'failed' || (outcome.why !== 'SILENT' && outcome.why !== 'WRONG')) return result;
  const later = decide(step, ledger);
  const end = records.find((record) => record.i === result.records?.[1]);
  if (later.state !== 'held' || later.at === undefined || end === undefined || later.at < end.t) return result;
  const received = `it came ${(later.at - end.t).toFixed(0)} ms after the deadline`;
  const late: Failed = {
    ...outcome,
    why: 'LATE',
    received,
    ...(later.record === undefined ? {} : { record: later.record }),
  };
  return { ...result, outcome: late };
}
