import type { Problem } from './cases.js';
import { BYSTANDER, NAKED_ROOM, expand } from './expand.js';
import { nameFaults } from './lint-names.js';
import { variableFaults } from './lint-variables.js';
import type { Case, CaseStep, Fields } from './model.js';
import { isFields } from './model.js';
import { requirementOf } from './register.js';
import type { Json } from './timeline.js';

/** What is wrong with a case, at which line. */
export interface LintFault {
  readonly line: number;
  readonly what: string;
}

/** What the linter cannot know by itself. */
export interface LintContext {
  /** Names of all mutants; undefined leaves them unchecked. */
  readonly mutants?: ReadonlySet<string>;
}

/** Refuses cases that could not prove anything, or that name what does not exist. */
export function lintCases(cases: readonly Case[], context: LintContext = {}): Problem[] {
  const seen = new Set<string>();
  const problems = cases.flatMap((each) => {
    const faults = lintCase(each, context);
    const twice = seen.has(each.id) ? [{ line: 1, what: `${each.id} is there twice` }] : [];
    seen.add(each.id);
    return [...faults, ...twice].map(({ line, what }) => ({ file: each.file, line, what }));
  });
  // Every row of a table has the faults of its file.
  return [...new Map(problems.map((each) => [JSON.stringify(each), each])).values()];
}

function lintCase(of: Case, context: LintContext): LintFault[] {
  return [
    ...identityFaults(of),
    ...proofFaults(of),
    ...controlFaults(of),
    ...timeFaults(of),
    ...restartFaults(of),
    ...nameFaults(of),
    ...variableFaults(of),
    ...mutantFaults(of, context),
  ];
}

function identityFaults(of: Case): LintFault[] {
  const path = of.file.replace(/\.yaml$/, '');
  const id = of.id.split('#')[0] ?? '';
  const wrong = id === path ? [] : [{ line: 1, what: `its id is ${path}, not ${id}` }];
  const members = Object.keys(of.given.members);
  const taken = members.filter((name) => name === BYSTANDER.first || name === BYSTANDER.second);
  const rooms = new Set([...Object.keys(of.given.rooms), ...(of.naked ? [NAKED_ROOM] : [])]);
  const homeless = Object.entries(of.given.members).filter(([, member]) => !rooms.has(member.room));
  return [
    ...wrong,
    ...taken.map((name) => ({ line: 1, what: `${name} is the name of a bystander` })),
    ...homeless.map(([name, { room }]) => ({ line: 1, what: `${name} is in room ${room}, which is not given` })),
  ];
}

function proofFaults(of: Case): LintFault[] {
  const steps = expand(of).filter((step) => step.part === 'main');
  const blind = steps.filter((step) => step.proves.length > 0 && !sees(step.verb, step.expect));
  const unknown = steps.flatMap(({ proves, line }) =>
    proves
      .filter((id) => requirementOf(id) === undefined)
      .map((id) => ({ line, what: `no requirement is called ${id}` })),
  );
  const nothing = steps.every((step) => step.proves.length === 0) ? [{ line: of.line, what: 'it proves nothing' }] : [];
  return [
    ...nothing,
    ...blind.map(({ line }) => ({ line, what: 'a step with proves must expect something' })),
    ...unknown,
  ];
}

const SEEING: ReadonlySet<string> = new Set(['exactly', 'none', 'control', 'retry', 'restart']);

const sees = (verb: string, expect: Fields | undefined): boolean => expect !== undefined || SEEING.has(verb);

function controlFaults(of: Case): LintFault[] {
  const pipes = Object.values(of.given.members).filter(({ pipe }) => pipe);
  const alive = of.steps.some(isLiveControl);
  const noControl = pipes.length >= 2 && !alive;
  const refusal = of.steps.find(isRefusal);
  const onePole = refusal !== undefined && !of.steps.some(isAcceptance);
  return [
    ...(noControl
      ? [{ line: of.line, what: 'no live control: it needs a control, an exactly on a pipe, or an expected message' }]
      : []),
    ...(onePole ? [{ line: refusal.line, what: 'it refuses without showing the accepted twin beside it' }] : []),
  ];
}

const isFull = (list: Json | undefined): boolean => Array.isArray(list) && list.length > 0;

function expectationOf({ verb, fields, expect }: CaseStep): Fields {
  if (verb === 'expect') return fields;
  return expect ?? (verb === 'retry' && isFields(fields['until']) ? fields['until'] : {});
}

function isLiveControl(step: CaseStep): boolean {
  if (step.verb === 'control') return true;
  // The nonce that closes a window of a pipe is a control too, whatever the window holds.
  if (step.verb === 'exactly' || step.verb === 'none') {
    const { messages, message, sentinel } = step.fields;
    return (messages !== undefined || message !== undefined) && sentinel !== 'none' && sentinel !== 'ping';
  }
  const { message, stream } = expectationOf(step);
  return message !== undefined || stream !== undefined;
}

const REFUSING_EVENTS: ReadonlySet<unknown> = new Set(['pipe.refused', 'pipe.undeliverable']);

function isRefusal(step: CaseStep): boolean {
  if (step.verb === 'none') return true;
  if (step.verb === 'exactly') return ['messages', 'events', 'frames'].some((key) => isEmpty(step.fields[key]));
  const { error, refused, status, closed, event } = expectationOf(step);
  const refusedByStatus = typeof status === 'number' && status >= 400;
  return (
    error !== undefined ||
    refused !== undefined ||
    closed !== undefined ||
    refusedByStatus ||
    REFUSING_EVENTS.has(event)
  );
}

const isEmpty = (list: Json | undefined): boolean => Array.isArray(list) && list.length === 0;

const OPENING: ReadonlySet<string> = new Set(['grant', 'open', 'bind', 'fence']);

function isAcceptance(step: CaseStep): boolean {
  if (isLiveControl(step)) return true;
  if (step.verb === 'exactly') return isFull(step.fields['events']) || isFull(step.fields['frames']);
  if (OPENING.has(step.verb) && step.expect === undefined) return true;
  const { reply, opened, status, event, alive, pong, lines } = expectationOf(step);
  const accepted = typeof status === 'number' && status < 400;
  const happened = event !== undefined && !REFUSING_EVENTS.has(event);
  return (
    lines !== undefined ||
    reply !== undefined ||
    opened !== undefined ||
    accepted ||
    happened ||
    alive === true ||
    pong !== undefined
  );
}

const LONGEST_PASS_MS = 2000;

function timeFaults(of: Case): LintFault[] {
  if (of.tags.includes('slow')) return [];
  const long = of.steps.filter(({ verb, fields }) => {
    const pass = verb === 'clock' ? fields['pass'] : undefined;
    return typeof pass === 'number' && pass > LONGEST_PASS_MS;
  });
  return long.map(({ line }) => ({ line, what: 'a case that waits over 2,000 ms is tagged slow' }));
}

function restartFaults(of: Case): LintFault[] {
  const late = of.steps.find(({ verb }) => verb === 'restart' || verb === 'drain');
  if (late === undefined || !of.canary) return [];
  return [{ line: late.line, what: 'a canary does not end the server' }];
}

function mutantFaults(of: Case, { mutants }: LintContext): LintFault[] {
  if (mutants === undefined) return [];
  const unknown = of.mutants.filter((name) => !mutants.has(name));
  return unknown.map((name) => ({ line: of.line, what: `no mutant is called ${name}` }));
}
