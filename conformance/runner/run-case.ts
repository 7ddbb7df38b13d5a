import { nakedOf } from '../endpoints.js';
import { BYSTANDER, NAKED_ROOM, expand } from '../expand.js';
import { controlPair } from '../judge/evaluate.js';
import { resultOf } from '../judge/entries.js';
import type { Outcome } from '../judge/outcome.js';
import { claim, decide } from '../judge/replay.js';
import { pointed, quantity } from '../judge/scope.js';
import { isExclusive } from '../plan.js';

import { asText, fullAt } from '../model.js';
import type { Case, Fields, Step } from '../model.js';
import type { RunBody, TimelineRecord } from '../timeline.js';
import { act, raceLabel } from './actions.js';
import type { RunSetting } from './run.js';
import { Run } from './run.js';

/** Runs one case and returns its timeline. It says no verdict: the judge reads it from the records. */
export async function runCase(of: Case, setting: RunSetting): Promise<readonly TimelineRecord[]> {
  const run = new Run(of, setting);
  run.append(runRecord(of, setting));
  let broken = false;
  let harmed = of.canary || isExclusive(of);
  for (const step of expand(of)) {
    // The bystanders go on after a failure: whether they still can is what they are there for.
    if (broken && step.part !== 'bystander') continue;
    const held = await runStep(run, step);
    if (!held && step.part === 'bystander') harmed = true;
    else if (!held) broken = true;
  }
  if (harmed) setting.bystanders?.end(of);
  else setting.bystanders?.keep(run);
  run.end();
  return run.records;
}

function runRecord(of: Case, { prefix, seed, target, tokens, deadlineMs, bystanders }: RunSetting): RunBody {
  const again = isExclusive(of) ? { [BYSTANDER.again]: {} } : {};
  const keys = of.canary ? { main: {} } : { [BYSTANDER.room]: {}, ...again };
  const specs: { readonly [key: string]: Fields } = { ...keys, ...of.given.rooms };
  const kept = isExclusive(of) ? undefined : bystanders?.roomFor(of);
  const nameOf = (key: string): string =>
    (key === BYSTANDER.room ? kept : undefined) ?? `${prefix}-${key.toLowerCase()}`;
  const naked = of.naked && nakedOf(target, of.naked);
  const rooms = Object.entries(specs).map(([key, spec]) => [key, { name: nameOf(key), spec }] as const);
  return {
    type: 'run',
    case: of.id,
    seed,
    prefix,
    url: target.wellKnown.href,
    discovery: target.discovery,
    rooms: { ...Object.fromEntries(rooms), ...(naked && { [NAKED_ROOM]: { name: asText(naked['room']), spec: {} } }) },
    ...(naked && { naked }),
    tokens,
    deadlineMs: deadlineMs(),
  };
}

async function runStep(run: Run, step: Step): Promise<boolean> {
  run.append({ type: 'step', index: step.index, verb: step.verb, phase: 'begin' });
  try {
    const fields = run.resolve(step.fields);
    const look = lookAt(run, step);
    if (run.setting.bystanders?.retell(run, step) !== true)
      await act({ run, fields, step, decided: () => look().state !== 'pending' });
    requirePlace(run, step);
    const phase = await wait(run, step, look);
    const outcome = look();
    run.append({ type: 'step', index: step.index, verb: step.verb, phase });
    return finish(run, step, outcome);
  } catch (error) {
    run.append({ type: 'fault', what: `${run.of.id} line ${String(step.line)}: ${(error as Error).message}` });
    return false;
  }
}

/** Says what is known of a step now; without a new record it is what was known before. */
function lookAt(run: Run, step: Step): () => Outcome {
  let known: { readonly records: number; readonly outcome: Outcome } | undefined;
  return () => {
    const records = run.records.length;
    if (known?.records !== records) known = { records, outcome: decide(step, run.ledger) };
    return known.outcome;
  };
}

// To look where nothing ever was is a fault of the case, not silence of the server.
function requirePlace(run: Run, step: Step): void {
  const at = step.verb === 'control' ? controlPair(step.fields).to : step.expect?.['at'];
  if (at === undefined || step.verb === 'fence' || run.ledger.exchanges.has(asText(at))) return;
  if (!run.ledger.sockets.has(fullAt(asText(at)))) throw new Error(`${asText(at)} was never opened`);
}

type Phase = 'end' | 'deadline' | 'fenced';

async function wait(run: Run, step: Step, look: () => Outcome): Promise<Phase> {
  const decided = (): boolean => look().state !== 'pending';
  const fenced = (): boolean => wasFenced(run, step);
  const within = withinOf(run, step);
  let patience = run.setting.deadlineMs() + within;
  const start = performance.now();
  const rest = (): number => patience - (performance.now() - start);
  if (await run.until(() => decided() || fenced(), rest())) return decided() ? 'end' : 'fenced';
  // A slow moment of machine or network is no fault of the server: measure again before giving up.
  patience = (await run.setting.measure()) + within;
  if (await run.until(() => decided() || fenced(), rest())) return decided() ? 'end' : 'fenced';
  return 'deadline';
}

function withinOf(run: Run, step: Step): number {
  const fields = step.verb === 'exactly' ? step.fields : (step.expect ?? {});
  if (fields['within'] === undefined) return 0;
  const at = asText(fields['at']).split('.')[0];
  return quantity(run.resolve({ within: fields['within'] })['within'], run.ledger, at);
}

function wasFenced(run: Run, step: Step): boolean {
  if (step.verb !== 'expect') return false;
  const socket = run.ledger.sockets.get(fullAt(asText(step.fields['at'])));
  const answer = socket?.calls.find((call) => call.label === raceLabel(step))?.answer;
  return answer !== undefined && resultOf(answer) !== undefined;
}

function finish(run: Run, step: Step, outcome: Outcome): boolean {
  claim(outcome);
  if (outcome.state !== 'held') return false;
  for (const [name, pointer] of Object.entries(step.save)) {
    const value = pointed(outcome.matched, pointer);
    if (value !== undefined) run.append({ type: 'save', name, value });
  }
  return true;
}
