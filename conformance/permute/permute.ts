import { defaultKind } from '../judge/expect-message.js';
import { isFields } from '../model.js';
import type { Case, CaseStep, Fields, Given, Member } from '../model.js';
import type { Json } from '../timeline.js';
import type { Axis, Combination } from './axes.js';
import { AXES, axesOf, axisNames, canDebug, canOpenFirst, valuesOf } from './axes.js';
import { contentOf } from './content.js';
import { byWay } from './ways.js';

/** How a permutation is written behind the id of its case: `[debug=on,frag=3]`; nothing for the case itself. */
export function suffixOf(combination: Combination): string {
  const parts = axisNames.flatMap((axis) => {
    const value = combination[axis];
    return value === undefined || value === AXES[axis][0] ? [] : [`${axis}=${value}`];
  });
  return parts.length === 0 ? '' : `[${parts.join(',')}]`;
}

const SUFFIX = /^(.*?)(?:\[([^\]]*)\])?$/s;

/** An id without its permutation: that of the case, or of one row of it. */
export const baseOf = (id: string): string => SUFFIX.exec(id)?.[1] ?? id;

/** The permutation that an id names; undefined where it is none. */
export function combinationOf(id: string): Combination | undefined {
  const written = SUFFIX.exec(id)?.[2];
  if (written === undefined) return {};
  const pairs = written.split(',').map((part) => part.split('='));
  const sound = pairs.every(([axis, value]) => isAxis(axis) && value !== undefined && isValue(axis, value));
  return sound ? Object.fromEntries(pairs.map(([axis = '', value = '']) => [axis, value])) : undefined;
}

const isAxis = (name: string | undefined): name is Axis => axisNames.some((axis) => axis === name);
const isValue = (axis: Axis, value: string): boolean => AXES[axis].some((each) => each === value);

/**
 * The case that `combination` makes of `of`: another id, the same requirements.
 *
 * @returns `of` itself for the first value of every axis; undefined where the case does not allow one of them.
 */
export function permute(of: Case, combination: Combination): Case | undefined {
  const suffix = suffixOf(combination);
  if (suffix === '') return of;
  const allowed = axesOf(of);
  const changed = axisNames.filter((axis) => combination[axis] !== undefined && combination[axis] !== AXES[axis][0]);
  const isAllowed = (axis: Axis): boolean =>
    allowed.includes(axis) && valuesOf(of, axis).includes(combination[axis] ?? '');
  if (!changed.every(isAllowed)) return undefined;
  const permuted = changed.reduce((made, axis) => CHANGES[axis](made, combination[axis] ?? ''), of);
  return { ...permuted, id: `${of.id}${suffix}` };
}

const CHANGES: { readonly [axis in Axis]: (of: Case, value: string) => Case } = {
  debug: (of, value) => {
    const debugged = withMembers(of, (member) => (canDebug(member) ? { ...member, debug: true } : member));
    return value === 'killed' ? killed(debugged, of) : debugged;
  },
  kind: (of) => ({ ...of, steps: of.steps.map(inOtherKind) }),
  frag: (of, value) => ({ ...of, steps: of.steps.map((step) => inFragments(step, Number(value))) }),
  order: (of) => withMembers(of, (member) => (canOpenFirst(member) ? { ...member, pipeFirst: true } : member)),
  in: (of, value) => byWay(of, 'in', value),
  out: (of, value) => byWay(of, 'out', value),
};

function withMembers(of: Case, change: (member: Member) => Member): Case {
  const members = Object.entries(of.given.members).map(([name, member]) => [name, change(member)] as const);
  const given: Given = { ...of.given, members: Object.fromEntries(members) };
  return { ...of, given };
}

// Cut one after the other, so that some members still have theirs for a while.
function killed(of: Case, original: Case): Case {
  const names = Object.entries(original.given.members).flatMap(([name, member]) => (canDebug(member) ? [name] : []));
  const line = of.steps[0]?.line ?? of.line;
  const first = of.steps.length > 1 ? 1 : 0;
  const steps = of.steps.flatMap((step, index) => {
    const at = names[index - first];
    return at === undefined ? [step] : [cut(`${at}.debug`, line), step];
  });
  return { ...of, steps };
}

const cut = (at: string, line: number): CaseStep => ({ verb: 'cut', fields: { at }, proves: [], save: {}, line });

function inFragments(step: CaseStep, fragments: number): CaseStep {
  if (step.verb !== 'send' || contentOf(step.fields)['fragments'] !== undefined) return step;
  return { ...step, fields: { ...step.fields, fragments } };
}

function inOtherKind(step: CaseStep): CaseStep {
  const { verb, fields, expect } = step;
  if (verb === 'send')
    return {
      ...step,
      fields: { ...fields, kind: other(contentOf(fields)) },
      ...(expect && { expect: expectation(expect) }),
    };
  return { ...step, fields: expectation(fields), ...(expect && { expect: expectation(expect) }) };
}

const other = (content: Fields): string => (defaultKind(content) === 'text' ? 'binary' : 'text');

function expectation(fields: Fields): Fields {
  const { message, messages } = fields;
  return {
    ...fields,
    ...(message === undefined ? {} : { message: matcher(message) }),
    ...(Array.isArray(messages) ? { messages: (messages as readonly Json[]).map(matcher) } : {}),
  };
}

// A matcher that names what was sent has its kind; one that says the content says the kind with it.
function matcher(of: Json): Json {
  if (!isFields(of) || (of['text'] === undefined && of['json'] === undefined)) return of;
  return { ...of, kind: other(of) };
}
