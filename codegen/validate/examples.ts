import { join } from 'node:path';
import type { ErrorObject } from 'ajv';
import type { Ajv2020 } from 'ajv/dist/2020.js';
import { filesBelow } from '../files.js';
import { messageOf, readJson } from '../json.js';
import type { WireSchema } from '../schemas/load.js';
import { exactErrors, exampleName, sentenceOf } from './exact-errors.js';
import { unregistered, type ErrorCodes } from './registered.js';

const WANTED = { valid: 2, invalid: 3 } as const;

/**
 * Checks `schemas/examples/<key>/{valid,invalid}/*.json`: enough of them, the valid ones valid, and each invalid one
 * failing with exactly the error that its name tells (`<keyword>--<pointer>[--<distinguisher>].json`).
 *
 * The valid ones may name only registered errors, if `codes` are given.
 */
export function checkExamples(
  root: string,
  schemas: readonly WireSchema[],
  { ajv, codes }: Against,
): readonly string[] {
  const folder = join(root, 'schemas/examples');
  const files = filesBelow(folder, '.json');
  const keys = new Set(schemas.map(({ key }) => key));
  return [
    ...schemas.flatMap(({ key }) => tooFew(key, files)),
    ...files.flatMap((file) => {
      const problem = checkExample({ folder, file, keys, ajv, codes });
      return problem === undefined ? [] : [`schemas/examples/${file}: ${problem}`];
    }),
  ];
}

function tooFew(key: string, files: readonly string[]): readonly string[] {
  return (['valid', 'invalid'] as const).flatMap((kind) => {
    const count = files.filter((file) => file.startsWith(`${key}/${kind}/`)).length;
    const wanted = WANTED[kind];
    return count >= wanted ? [] : [`schemas/${key}.json: ${String(count)} ${kind} examples of ${String(wanted)}`];
  });
}

/** What an example is held to. */
export interface Against {
  /** Holds the wire types, and explains every error. */
  readonly ajv: Ajv2020;
  /** What the name and code of each `error` have to be in; unless the registry itself is broken. */
  readonly codes: ErrorCodes | undefined;
}

interface Example extends Against {
  readonly folder: string;
  readonly file: string;
  readonly keys: ReadonlySet<string>;
}

function checkExample({ folder, file, keys, ajv, codes }: Example): string | undefined {
  const [, key, kind, name] = /^(.+)\/(valid|invalid)\/([^/]+)\.json$/.exec(file) ?? [];
  if (key === undefined || name === undefined || !keys.has(key)) return 'belongs to no schema';
  try {
    const value = readJson(join(folder, file));
    const errors = errorsOf(ajv, key, value);
    if (kind === 'invalid') return expectNamed(errors, name);
    return expectNone(errors) ?? (codes === undefined ? undefined : unregistered(codes, value)[0]);
  } catch (error) {
    return messageOf(error);
  }
}

function errorsOf(ajv: Ajv2020, key: string, value: unknown): readonly ErrorObject[] {
  const validate = ajv.getSchema(`https://porthouse.example/schemas/v1/${key}.json`);
  if (validate === undefined) throw new Error('its schema has another $id');
  return validate(value) === true ? [] : exactErrors(ajv, validate.errors ?? []);
}

function expectNone(errors: readonly ErrorObject[]): string | undefined {
  const [error] = errors;
  return error === undefined ? undefined : `not valid: ${sentenceOf(error)}`;
}

function expectNamed(errors: readonly ErrorObject[], name: string): string | undefined {
  if (errors.length === 0) return 'is valid';
  const found = errors.map(exampleName);
  const [only] = found;
  if (found.length === 1 && only !== undefined && (name === only || name.startsWith(`${only}--`))) return undefined;
  return `fails with ${found.join(' and ')}`;
}
