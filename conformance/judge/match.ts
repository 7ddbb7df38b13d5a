import { asText } from '../model.js';
import { profileOf } from '../register.js';
import type { Json } from '../timeline.js';

/** Where a value is not what was expected; `path` is a JSON pointer, empty for the whole. */
export interface Mismatch {
  readonly path: string;
  readonly expected: string;
  readonly received: string;
}

type Operator = (operand: Json, actual: Json | undefined, path: string) => Mismatch | undefined;

const show = (value: Json | undefined): string => (value === undefined ? 'nothing' : JSON.stringify(value));

const isObject = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

/** Whether two JSON values are the same; the order of keys does not count. */
export function same(a: Json | undefined, b: Json | undefined): boolean {
  if (isList(a) && isList(b)) return a.length === b.length && a.every((each, i) => same(each, b[i]));
  if (isObject(a) && isObject(b)) {
    const keys = Object.keys(a);
    return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
  }
  return a === b;
}

function typeName(value: Json | undefined): string {
  if (value === undefined) return 'absent';
  if (value === null) return 'null';
  if (isList(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

const compare =
  (sign: string, holds: (actual: number, operand: number) => boolean): Operator =>
  (operand, actual, path) =>
    typeof actual === 'number' && typeof operand === 'number' && holds(actual, operand)
      ? undefined
      : { path, expected: `${sign} ${show(operand)}`, received: show(actual) };

const test =
  (say: (operand: Json) => string, holds: (operand: Json, actual: Json | undefined) => boolean): Operator =>
  (operand, actual, path) =>
    holds(operand, actual) ? undefined : { path, expected: say(operand), received: show(actual) };

function sizeOf(value: Json | undefined): number | undefined {
  if (typeof value === 'string' || isList(value)) return value.length;
  return undefined;
}

function isBase64url(actual: Json | undefined, bytes: Json): boolean {
  if (typeof actual !== 'string' || !/^[A-Za-z0-9_-]*$/.test(actual)) return false;
  const decoded = Buffer.from(actual, 'base64url');
  return decoded.length === bytes && decoded.toString('base64url') === actual;
}

function missingProfile(actual: Json | undefined): string | undefined {
  if (!isList(actual)) return 'a list';
  const odd = actual.find((name) => typeof name !== 'string');
  if (odd !== undefined) return `only names, not ${show(odd)}`;
  // A later minor version may know more profiles: what an unknown one needs, nobody here can say.
  const needed = ['core', ...actual.flatMap((name) => profileOf(asText(name))?.needs ?? [])];
  return needed.find((name) => !actual.includes(name));
}

function some(operand: Json, actual: Json | undefined, path: string): Mismatch | undefined {
  if (isList(actual) && actual.some((each) => match(operand, each) === undefined)) return undefined;
  return { path, expected: `an element like ${show(operand)}`, received: show(actual) };
}

function every(operand: Json, actual: Json | undefined, path: string): Mismatch | undefined {
  if (!isList(actual)) return { path, expected: 'an array', received: show(actual) };
  return first(actual.map((each, i) => match(operand, each, `${path}/${String(i)}`)));
}

const OPERATORS: Readonly<Record<string, Operator>> = {
  $type: test(
    (name) => `a value of type ${show(name)}`,
    (name, actual) => typeName(actual) === name || (name === 'number' && typeof actual === 'number'),
  ),
  $match: test(
    (pattern) => `text like ${show(pattern)}`,
    (pattern, actual) => typeof actual === 'string' && new RegExp(asText(pattern), 'u').test(actual),
  ),
  $gt: compare('>', (actual, operand) => actual > operand),
  $gte: compare('>=', (actual, operand) => actual >= operand),
  $lt: compare('<', (actual, operand) => actual < operand),
  $lte: compare('<=', (actual, operand) => actual <= operand),
  $ne: test(
    (value) => `anything but ${show(value)}`,
    (value, actual) => actual !== undefined && !same(value, actual),
  ),
  $in: test(
    (values) => `one of ${show(values)}`,
    (values, actual) => isList(values) && values.some((each) => same(each, actual)),
  ),
  $absent: test(
    (absent) => (absent === true ? 'nothing' : 'something'),
    (absent, actual) => (actual === undefined) === (absent === true),
  ),
  $len: test(
    (length) => `length ${show(length)}`,
    (length, actual) => sizeOf(actual) === length,
  ),
  $exact: test(
    (value) => `exactly ${show(value)}`,
    (value, actual) => same(value, actual),
  ),
  $base64url: test(
    (bytes) => `${show(bytes)} bytes in unpadded base64url`,
    (bytes, actual) => isBase64url(actual, bytes),
  ),
  $profiles: (_operand, actual, path) => {
    const missing = missingProfile(actual);
    return missing === undefined ? undefined : { path, expected: missing, received: show(actual) };
  },
  $some: some,
  $every: every,
};

/** The names of the operators that a matcher may use. */
export const operatorNames: readonly string[] = Object.keys(OPERATORS);

/**
 * Holds `actual` against a matcher: objects as a subset, arrays exactly, operators as CASES.md says.
 *
 * @returns The first mismatch, or undefined when it fits.
 */
export function match(expected: Json, actual: Json | undefined, path = ''): Mismatch | undefined {
  if (isList(expected)) return matchList(expected, actual, path);
  if (!isObject(expected)) {
    return expected === actual ? undefined : { path, expected: show(expected), received: show(actual) };
  }
  const keys = Object.keys(expected);
  if (keys.some((key) => key.startsWith('$'))) return matchOperators(expected, actual, path);
  if (!isObject(actual)) return { path, expected: show(expected), received: show(actual) };
  return first(keys.map((key) => match(expected[key] ?? null, member(actual, key), `${path}/${key}`)));
}

// An own field only: `constructor` is no field of what a server sent.
const member = (of: { readonly [key: string]: Json }, key: string): Json | undefined =>
  Object.hasOwn(of, key) ? of[key] : undefined;

function matchList(expected: readonly Json[], actual: Json | undefined, path: string): Mismatch | undefined {
  if (!isList(actual) || actual.length !== expected.length) {
    return { path, expected: show(expected), received: show(actual) };
  }
  return first(expected.map((each, i) => match(each, actual[i], `${path}/${String(i)}`)));
}

function matchOperators(expected: { readonly [key: string]: Json }, actual: Json | undefined, path: string) {
  return first(
    Object.entries(expected).map(([name, operand]) => {
      const operator = OPERATORS[name];
      if (operator === undefined) return { path, expected: `an operator, not ${name}`, received: show(actual) };
      return operator(operand, actual, path);
    }),
  );
}

function first(found: readonly (Mismatch | undefined)[]): Mismatch | undefined {
  return found.find((each) => each !== undefined);
}
