import type { ErrorObject } from 'ajv';
import type { Ajv2020 } from 'ajv/dist/2020.js';
import { isObject } from '../json.js';

/** Keywords that fail as a whole; the errors of their subschemas only explain them. */
const SWALLOWS = new Set(['oneOf', 'anyOf', 'contains', 'propertyNames']);

/**
 * Reduces the errors of an `allErrors`, `verbose` Ajv to the ones that a reader of the schema would name:
 * - `oneOf`, `anyOf`, `contains` and `propertyNames` stand for themselves: errors from their branches, directly or
 *   through `$ref`, are dropped;
 * - `if` is dropped, because the `then` or `else` that failed has named its own error;
 * - `$ref`, `allOf`, `dependentSchemas` add none of their own.
 */
export function exactErrors(ajv: Ajv2020, errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const wrappers = errors.filter(({ keyword }) => SWALLOWS.has(keyword));
  return errors.filter((error) => error.keyword !== 'if' && !wrappers.some((wrapper) => explains(ajv, error, wrapper)));
}

/** The name that an invalid example of this error has, without `.json`: `<keyword>--<pointer>`. */
export function exampleName({ keyword, instancePath }: ErrorObject): string {
  return `${keyword}--${instancePath === '' ? 'root' : instancePath.replaceAll('/', '~')}`;
}

/** An error for people, on one line: where, if it is not the whole, and what. */
export function sentenceOf({ instancePath, message, keyword, params }: ErrorObject): string {
  const { allowedValues, allowedValue } = params as { allowedValues?: readonly unknown[]; allowedValue?: unknown };
  const allowed = allowedValues ?? (allowedValue === undefined ? [] : [allowedValue]);
  const list = allowed.length === 0 ? '' : `: ${allowed.map((value) => JSON.stringify(value)).join(', ')}`;
  return `${instancePath === '' ? '' : `${instancePath} `}${message ?? keyword}${list}`;
}

function explains(ajv: Ajv2020, error: ErrorObject, wrapper: ErrorObject): boolean {
  if (error === wrapper || !`${error.instancePath}/`.startsWith(`${wrapper.instancePath}/`)) return false;
  return reaches({ ajv, target: error.parentSchema, seen: new Set() }, wrapper.schema, baseOf(ajv, wrapper));
}

interface Search {
  readonly ajv: Ajv2020;
  readonly target: unknown;
  readonly seen: Set<unknown>;
}

function reaches(search: Search, node: unknown, base: string): boolean {
  if (node === search.target) return true;
  if (Array.isArray(node)) return node.some((item) => reaches(search, item, base));
  if (!isObject(node) || search.seen.has(node)) return false;
  search.seen.add(node);
  if (typeof node['$ref'] === 'string' && reachesReference(search, node['$ref'], base)) return true;
  return Object.values(node).some((value) => reaches(search, value, base));
}

function reachesReference(search: Search, ref: string, base: string): boolean {
  const { href } = new URL(ref, base);
  const target = search.ajv.getSchema(href);
  return target !== undefined && reaches(search, target.schema, href);
}

/** A `$ref` is relative to the schema file that holds it: the one whose body contains the wrapper's own schema. */
function baseOf(ajv: Ajv2020, wrapper: ErrorObject): string {
  const owner = Object.entries(ajv.schemas).find(([, env]) => env !== undefined && holds(env.schema, wrapper.schema));
  return owner?.[0] ?? 'https://porthouse.example/';
}

function holds(node: unknown, target: unknown): boolean {
  if (node === target) return true;
  return typeof node === 'object' && node !== null && Object.values(node).some((value) => holds(value, target));
}
