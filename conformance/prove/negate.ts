import type { Case, CaseStep, Fields } from '../model.js';
import { isFields } from '../model.js';
import type { Json } from '../timeline.js';

/** A case in which one expectation is turned into one that the good run does not fulfil. */
export interface Negation {
  readonly of: Case;
  /** Index of the step among the case's own. */
  readonly step: number;
  /** JSON pointer below the expectation, and what was done there. */
  readonly what: string;
}

/** Matches nothing. */
const NEVER: Json = { $in: [] };
const STRANGER: Json = { text: 'nobody ever sent this' };

/** Keys of an expectation that say where and when to look, not what must be seen. */
const PLACES = new Set(['at', 'as', 'to', 'within', 'sentinel', 'anyOrder', 'proves', 'save', 'data', 'code']);

type Edit = readonly [what: string, value: Json];

/** Every version of `value` in which one leaf matches nothing. */
function leaves(value: Json, path: string): readonly Edit[] {
  const operator = isFields(value) && Object.keys(value).some((key) => key.startsWith('$'));
  if (!isFields(value) || operator || Object.keys(value).length === 0) return [[path, NEVER]];
  return Object.entries(value).flatMap(([key, inner]) =>
    leaves(inner, `${path}/${key}`).map(([what, edited]): Edit => [what, { ...value, [key]: edited }]),
  );
}

const elementwise = (list: readonly Json[], edit: (value: Json, i: number) => readonly Edit[]): readonly Edit[] =>
  list.flatMap((value, i) => edit(value, i).map(([what, edited]): Edit => [what, list.with(i, edited)]));

function lists(key: string, list: readonly Json[]): readonly Edit[] {
  const extra = key === 'messages' ? STRANGER : { event: NEVER };
  const shorter: readonly Edit[] = list.length === 0 ? [] : [[`${key}: one less`, list.slice(0, -1)]];
  const inner =
    key === 'messages'
      ? elementwise(list, (_, i) => [[`${key}/${String(i)}`, STRANGER]])
      : elementwise(list, (value, i) =>
          members(isFields(value) ? value : {}).map(([what, edited]): Edit => [`${key}/${String(i)}/${what}`, edited]),
        );
  return [...shorter, [`${key}: one more`, [...list, extra]], ...inner];
}

// No chunk is as short as none at all.
function streams(value: Fields): readonly Edit[] {
  const shorter: readonly Edit[] = value['most'] === undefined ? [] : [['stream/most', { ...value, most: 0 }]];
  return [['stream', STRANGER], ...shorter];
}

/** The versions of one member of an expectation. */
function memberEdits(key: string, value: Json): readonly Edit[] {
  if (Array.isArray(value) && ['messages', 'events', 'frames'].includes(key))
    return lists(key, value as readonly Json[]);
  if (key === 'message') return [['message', STRANGER]];
  if (key === 'stream' && isFields(value)) return streams(value);
  if (key === 'alive') return [['alive', NEVER]];
  if (key === 'pong') return [['pong', 'another text']];
  if (key === 'opened') return isEmpty(value) ? [['opened', { protocol: NEVER }]] : leaves(value, 'opened');
  if (key === 'refused') return isEmpty(value) ? [['refused', { status: NEVER }]] : leaves(value, 'refused');
  if (key === 'closed')
    return value === 'any' || isEmpty(value) ? [['closed', { code: NEVER }]] : leaves(value, 'closed');
  if (key === 'reply')
    return value === 'any' || isEmpty(value) ? [['reply', { nothingOfTheKind: true }]] : leaves(value, 'reply');
  if (key === 'schema') return [['schema', value === 'http/refusal' ? 'http/grant' : 'http/refusal']];
  return leaves(value, key);
}

const isEmpty = (value: Json): boolean => isFields(value) && Object.keys(value).length === 0;

function members(expectation: Fields): readonly (readonly [what: string, edited: Fields])[] {
  return Object.entries(expectation)
    .filter(([key]) => !PLACES.has(key) || (key === 'data' && expectation['error'] !== undefined))
    .flatMap(([key, value]) =>
      memberEdits(key, value).map(([what, edited]) => [what, { ...expectation, [key]: edited }] as const),
    );
}

type StepEdit = readonly [what: string, step: CaseStep];

/** Every negation of one step; none where it expects nothing that the judge could see otherwise. */
function negateStep(step: CaseStep): readonly StepEdit[] {
  const { verb, fields, expect } = step;
  if (verb === 'none') return [['none', { ...step, verb: 'expect' }]];
  if (verb === 'expect' || verb === 'exactly')
    return members(fields).map(([what, edited]): StepEdit => [what, { ...step, fields: edited }]);
  if (verb === 'retry' && isFields(fields['until'])) {
    const edits = members(fields['until']);
    return edits.map(([what, until]): StepEdit => [`until/${what}`, { ...step, fields: { ...fields, until } }]);
  }
  return expect === undefined
    ? []
    : members(expect).map(([what, edited]): StepEdit => [what, { ...step, expect: edited }]);
}

/** Every version of a case in which one thing that it expects is negated. */
export function negations(of: Case): readonly Negation[] {
  return of.steps.flatMap((step, i) =>
    negateStep(step).map(([what, edited]) => ({ of: { ...of, steps: of.steps.with(i, edited) }, step: i, what })),
  );
}
