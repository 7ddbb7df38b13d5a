import { expand } from '../expand.js';
import type { Check } from '../judge/judge.js';
import { judge } from '../judge/judge.js';
import { replay } from '../judge/replay.js';
import type { Case } from '../model.js';
import { requirementOf } from '../register.js';
import type { TimelineRecord } from '../timeline.js';
import type { Negation } from './negate.js';
import { negations } from './negate.js';
import { tamperings } from './tamper.js';

/** A recorded run of the good server. */
export interface GoodRun {
  readonly of: Case;
  readonly records: readonly TimelineRecord[];
}

/** How often the judge was put to the proof, and where it did not notice. */
export interface JudgeResult {
  readonly tried: number;
  readonly unnoticed: readonly { readonly case: string; readonly line: number; readonly what: string }[];
}

/** The judge's checks; none where the records are so wrong that it has no words. */
function says(of: Case, records: readonly TimelineRecord[]): readonly Check[] {
  try {
    return judge(of, records, requirementOf).checks;
  } catch {
    return [];
  }
}

const isRejection = ({ verdict }: Check): boolean => verdict === 'FAIL' || verdict === 'WARN';

/** A negated step must fail where it proves something, and let nothing behind it pass where it does not. */
function isNoticed({ of, step }: Negation, records: readonly TimelineRecord[]): boolean {
  const edited = of.steps[step];
  const index = expand(of).findIndex(({ part }) => part === 'main') + step;
  const checks = says(of, records);
  const own = checks.filter((check) => check.step === index);
  if (edited !== undefined && edited.proves.length > 0) return own.length > 0 && own.every(isRejection);
  return !checks.some((check) => check.step > index && check.verdict === 'PASS' && check.requirement !== 'ISOL-1');
}

function isGood({ of, records }: GoodRun): boolean {
  const checks = says(of, records);
  return checks.length > 0 && checks.every(({ verdict }) => verdict === 'PASS');
}

const lineOf = ({ of, step }: Negation): number => of.steps[step]?.line ?? of.line;

/** Negates every expectation of every good run: the judge must see that it does not hold. */
export function tryNegations(runs: readonly GoodRun[]): JudgeResult {
  const tried = runs
    .filter(isGood)
    .flatMap(({ of, records }) => negations(of).map((negation) => ({ negation, records })));
  const unnoticed = tried
    .filter(({ negation, records }) => !isNoticed(negation, records))
    .map(({ negation }) => ({ case: negation.of.id, line: lineOf(negation), what: `negated ${negation.what}` }));
  return { tried: tried.length, unnoticed };
}

/** Drops, changes and swaps what the server sent in every good run: the judge must not be content any more. */
export function tryTamperings(runs: readonly GoodRun[]): JudgeResult {
  const tried = runs.filter(isGood).flatMap((run) => {
    const { results } = replay(expand(run.of), run.records);
    return tamperings(run.records, results).map((tampering) => ({ run, tampering }));
  });
  const unnoticed = tried
    .filter(({ run, tampering }) => isGood({ of: run.of, records: tampering.records }))
    .map(({ run, tampering }) => ({ case: run.of.id, line: run.of.line, what: tampering.what }));
  return { tried: tried.length, unnoticed };
}
