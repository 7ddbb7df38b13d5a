import { expand } from '../expand.js';
import type { Violation } from '../invariants/index.js';
import { runInvariants } from '../invariants/index.js';
import type { Case, Step } from '../model.js';
import type { Requirement } from '../../generated/requirements.js';
import type { TimelineRecord } from '../timeline.js';
import type { Failed, Why } from './outcome.js';
import type { StepResult } from './replay.js';
import { replay } from './replay.js';

/** Verdict of a check. */
export type Verdict = 'PASS' | 'FAIL' | 'WARN' | 'NOT_APPLICABLE' | 'NOT_TESTED' | 'INCONCLUSIVE';

/** One `proves` in one run, or one invariant over it. */
export interface Check {
  readonly case: string;
  readonly run: string;
  /** Index of the step; -1 for what holds over a whole run. */
  readonly step: number;
  readonly requirement: string;
  readonly verdict: Verdict;
  readonly why?: Why | 'INVARIANT';
  readonly expected?: string;
  readonly received?: string;
  /** Records of the timeline to look at. */
  readonly records?: readonly [number, number];
  /** Those records and their neighbours, on checks that failed. */
  readonly timeline?: readonly TimelineRecord[];
  /** Line of the case file. */
  readonly line?: number;
  /** Why nothing could be said: a requirement to repair first, or a reason. */
  readonly waitsFor?: string;
}

/** What the judge must know of a requirement. */
export type Register = (id: string) => Requirement | undefined;

/** What a run came to. `faults` are the kit's own. */
export interface Judgement {
  readonly checks: readonly Check[];
  readonly faults: readonly string[];
}

/** Requirement that the last nonce of the bystanders proves. */
export const ISOLATION = 'ISOL-1';

/**
 * Says what a run proves. Pure: the same records give the same checks, offline too.
 *
 * PASS needs that the step and all before it held, and that the kit's own nonce went from one bystander to the other
 * both before and after; whatever lacks that evidence is INCONCLUSIVE. A FAIL needs no such help.
 */
export function judge(of: Case, records: readonly TimelineRecord[], register: Register): Judgement {
  const steps = expand(of);
  const run = records[0]?.run ?? '';
  const { ledger, results } = replay(steps, records);
  const broken = results.find((each) => each.step.part !== 'bystander' && each.outcome?.state !== 'held');
  // The canary runs without bystanders: its own nonce is its control.
  const missing = results.find(
    (each) => (of.canary || each.step.part === 'bystander') && each.outcome?.state !== 'held',
  );
  // Nor is it known what a step would have shown that fails and proves nothing, such as a control at the end.
  const bystander = missing ?? (broken?.step.proves.length === 0 ? broken : undefined);
  const context: Context = { case: of.id, run, register, broken, bystander };
  const invariants = runInvariants({ ledger, records });
  return {
    checks: [
      ...results.flatMap((result) => result.step.proves.map((id) => checkOf(result, id, context))),
      ...isolation(results, context),
      ...invariants.violations.map((violation) => broke(violation, context)),
    ],
    faults: [...ledger.faults, ...invariants.faults],
  };
}

function broke(violation: Violation, context: Context): Check {
  const { requirement } = violation;
  const verdict = failing(requirement, context.register);
  return { ...base(context, requirement), ...violation, why: 'INVARIANT', verdict };
}

interface Context {
  readonly case: string;
  readonly run: string;
  readonly register: Register;
  /** The first step of the case that does not hold. */
  readonly broken: StepResult | undefined;
  /** The first of the bystanders' that does not, or `broken` where it accuses nobody. */
  readonly bystander: StepResult | undefined;
}

const base = (context: Context, requirement: string) => ({
  case: context.case,
  run: context.run,
  step: -1,
  requirement,
});

/** FAIL for a MUST, WARN for a SHOULD: the register says which. */
export function failing(id: string, register: Register): Verdict {
  const level = register(id)?.level ?? 'MUST';
  return level.startsWith('MUST') ? 'FAIL' : 'WARN';
}

function checkOf(result: StepResult, id: string, context: Context): Check {
  const { step, outcome, records } = result;
  const check = {
    ...base(context, id),
    step: step.index,
    line: step.line,
    ...(records === undefined ? {} : { records }),
  };
  const { broken, bystander } = context;
  const isAfter = broken !== undefined && broken.step.index < step.index;
  if (isAfter || outcome === undefined) return { ...check, verdict: 'INCONCLUSIVE', waitsFor: reasonOf(broken, step) };
  if (outcome.state === 'failed') return { ...check, ...failure(outcome), verdict: failing(id, context.register) };
  if (bystander !== undefined) return { ...check, verdict: 'INCONCLUSIVE', waitsFor: reasonOf(bystander, step) };
  return { ...check, verdict: 'PASS' };
}

function failure({ why, expected, received, record }: Failed) {
  return { why, expected, received, ...(record === undefined ? {} : { records: [record, record] as const }) };
}

function reasonOf(broken: StepResult | undefined, step: Step): string {
  if (broken === undefined || broken.step.index === step.index) return 'the run ended before it';
  const { proves, needs, line, part } = broken.step;
  if (broken.outcome === undefined) return 'the run ended before it';
  return proves[0] ?? needs ?? (part === 'bystander' ? ISOLATION : `line ${String(line)}`);
}

// The bystanders exchanged a nonce before and cannot after: the case cost them something.
function isolation(results: readonly StepResult[], context: Context): Check[] {
  const bystanders = results.filter(({ step }) => step.part === 'bystander');
  const last = bystanders.at(-1);
  if (last?.outcome === undefined) return [];
  const check = {
    ...base(context, ISOLATION),
    step: last.step.index,
    ...(last.records ? { records: last.records } : {}),
  };
  const before = bystanders.slice(0, -1).find(({ outcome }) => outcome?.state !== 'held');
  if (before !== undefined) return [{ ...check, verdict: 'INCONCLUSIVE', waitsFor: before.step.needs ?? 'DELIV-1' }];
  if (last.outcome.state === 'held') return [{ ...check, verdict: 'PASS' }];
  return [{ ...check, ...failure(last.outcome), verdict: failing(ISOLATION, context.register) }];
}
