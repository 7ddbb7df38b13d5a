import { operatorNames } from './judge/match.js';
import type { LintFault } from './lint.js';
import type { Case, CaseStep, Fields } from './model.js';
import { asText, isFields } from './model.js';
import { errorOf, hasSchema, isEvent, isMethod, limitOf, profileOf } from './register.js';
import type { Json } from './timeline.js';

/** Names of errors, codes, events, methods, schemas, limits, profiles and operators that do not exist. */
export function nameFaults(of: Case): LintFault[] {
  const steps = of.steps.flatMap((step) => stepNames(step).map((what) => ({ line: step.line, what })));
  const profiles = (of.profiles ?? []).filter((name) => profileOf(name) === undefined);
  return [...steps, ...profiles.map((name) => ({ line: 1, what: `no profile is called ${name}` }))];
}

function stepNames(step: CaseStep): string[] {
  const { verb, fields, expect } = step;
  const matchers: Fields[] = [
    ...(SEEING.has(verb) ? [fields] : []),
    ...(expect === undefined ? [] : [expect]),
    ...(isFields(fields['until']) ? [fields['until']] : []),
  ];
  return [...matchers.flatMap((each) => matcherNames(each)), ...methodNames(step), ...quantityNames(step)];
}

const SEEING: ReadonlySet<string> = new Set(['expect', 'exactly', 'none']);

/** Walks a matcher: everything in it that is a name of the registers. */
function matcherNames(value: Json): string[] {
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap(matcherNames);
  if (!isFields(value)) return [];
  const own = [...errorNames(value), ...eventNames(value), ...schemaNames(value)];
  const operators = Object.keys(value).filter((key) => key.startsWith('$') && !operatorNames.includes(key));
  return [
    ...own,
    ...operators.map((name) => `no operator is called ${name}`),
    ...Object.values(value).flatMap(matcherNames),
  ];
}

const isVariable = (text: string): boolean => text.includes('$');

function errorNames(value: Fields): string[] {
  const { error, code } = value;
  const name = isFields(error) ? error['name'] : error;
  if (typeof name !== 'string' || isVariable(name)) return [];
  const entry = errorOf(name);
  if (entry === undefined) return [`no error is called ${name}`];
  const literal = code ?? (isFields(error) ? error['code'] : undefined);
  const wrong = typeof literal === 'number' && literal !== entry.code;
  return wrong ? [`${name} has code ${String(entry.code)}, not ${String(literal)}`] : [];
}

function eventNames({ event }: Fields): string[] {
  if (typeof event !== 'string' || isVariable(event) || isEvent(event)) return [];
  return [`no event is called ${event}`];
}

function schemaNames({ schema }: Fields): string[] {
  return typeof schema !== 'string' || hasSchema(schema) ? [] : [`there is no schema ${schema}`];
}

function methodNames({ verb, fields }: CaseStep): string[] {
  const { method, invalid } = fields;
  if (verb !== 'call' || invalid === true || typeof method !== 'string' || isVariable(method)) return [];
  return isMethod(method) ? [] : [`no call is called ${method}; write invalid: true where that is the point`];
}

const QUANTITIES = ['bytes', 'pass', 'pad', 'count', 'within'] as const;

function quantityNames({ verb, fields, expect }: CaseStep): string[] {
  const all = [fields, expect ?? {}, isFields(fields['message']) ? fields['message'] : {}];
  const values = all.flatMap((each) => QUANTITIES.map((key) => each[key]));
  return values.flatMap((value) => {
    const name = typeof value === 'string' && !isVariable(value) ? (value.split(/[*+-]/)[0] ?? '') : '';
    const known = ['', 'limit', 'naked'].includes(name) || /^\d+$/.test(name) || limitOf(name) !== undefined;
    return known ? [] : [`no limit is called ${name} (${verb} ${asText(value)})`];
  });
}
