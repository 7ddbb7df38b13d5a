import type { Ajv2020 } from 'ajv/dist/2020.js';
import standalone from 'ajv/dist/standalone/index.js';
import { Unusable } from '../json.js';
import { makeAjv } from '../schemas/ajv.js';
import type { WireSchema } from '../schemas/load.js';
import { BANNER } from './banner.js';
import { RUNTIME } from './runtime.js';

/** `const f = require("m").a.b;`, the only form in which Ajv's standalone code asks for a module. */
const REQUIRE = /const (\w+) = require\("([^"]+)"\)([^;]*);/g;

/** A constant of Ajv's that holds a whole schema, on a line of its own. */
const SCHEMA = /^const (schema\d+) = .*;\n/gm;

/** How Ajv's standalone code exports a validator. */
const EXPORT = /^export const (\w+) = (\w+);$/gm;

const GUARD = `/** Checks a value and leaves what is wrong with it in \`errors\`. */
interface Guard {
  (value: unknown): boolean;
  errors?: readonly object[] | null;
}
`;

/**
 * Writes `validators.js`: one function per wire type, stopping at the first error, free of `eval`, `require` and
 * imports. It is JavaScript because half a megabyte of it would otherwise be transpiled again by every test file.
 */
export function emitValidators(schemas: readonly WireSchema[]): string {
  return `${BANNER}${validatorCode(schemas)}\n`;
}

/** Writes `validators.ts`, the same in one file that a compiler carries along; there is nothing in it to be checked. */
export function emitOneFileValidators(schemas: readonly WireSchema[]): string {
  return `${BANNER}// @ts-nocheck\n${GUARD}\n${validatorCode(schemas).replaceAll(EXPORT, 'export const $1: Guard = $2;')}\n`;
}

function validatorCode(schemas: readonly WireSchema[]): string {
  if (schemas.length === 0) return 'export {};';
  const ajv = makeAjv(schemas, { source: true });
  const names = Object.fromEntries(schemas.map(({ key, id }) => [identifier(key), id]));
  return standaloneCode(ajv, names);
}

/**
 * The code of validators that needs no module beside it.
 *
 * @param ajv - One that keeps its sources.
 * @param names - Under which name each is exported, and the id of its schema.
 * @throws {Unusable} If it would import what there is no helper for.
 */
export function standaloneCode(ajv: Ajv2020, names: Readonly<Record<string, string>>): string {
  return withRuntime(withoutUnused(standalone.default(ajv, names)));
}

/** Writes `validators.d.ts`, the little that `validate.ts` needs to know of `validators.js`. */
export function emitValidatorTypes(schemas: readonly WireSchema[]): string {
  const guards = schemas.map(({ key }) => `export declare const ${identifier(key)}: Guard;\n`);
  return `${BANNER}\n${GUARD}${guards.join('')}export {};\n`;
}

/**
 * Writes `validate.ts`: the same validators by schema key, typed as guards.
 *
 * @param module - Where the validators are: a subpath import in the package, whose build moves only TypeScript.
 */
export function emitValidate(schemas: readonly WireSchema[], module: '#validators' | './validators.js'): string {
  const entries = schemas.map(({ key }) => `  '${key}': validators.${identifier(key)},\n`);
  return `${BANNER}
import type { WireTypes } from './types.js';
import * as validators from '${module}';

/** Path of a schema below schemas/, without its extension. */
export type SchemaKey = keyof WireTypes;

/** Why a value does not have its type: a JSON Schema keyword and the place where it fails. */
export interface ValidationError {
  /** JSON Pointer (RFC 6901) into the value; empty for the whole. */
  readonly instancePath: string;
  readonly schemaPath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
}

/** Checks a value; after a refusal, and until its next call, \`errors\` says why. */
export interface Validator<T> {
  (value: unknown): value is T;
  readonly errors?: readonly ValidationError[] | null;
}

type Validators = { readonly [Key in SchemaKey]: Validator<WireTypes[Key]> };

/** The validator of each wire type. */
export const validate = {
${entries.join('')}} as unknown as Validators;
`;
}

/** `calls/fence.params` as `calls_fence_params`. */
function identifier(key: string): string {
  return key.replaceAll(/[^A-Za-z0-9]/g, '_');
}

/** Ajv keeps every schema whole, although its code refers to few of them. */
function withoutUnused(code: string): string {
  const uses = (name: string): number => code.split(new RegExp(`\\b${name}\\b`)).length - 1;
  return code.replaceAll(SCHEMA, (line, name: string) => (uses(name) === 1 ? '' : line));
}

/** Puts our own helpers in the place of those that the code would import from Ajv. */
function withRuntime(code: string): string {
  const used = new Set<string>();
  const body = code.replace('"use strict";', '').replaceAll(REQUIRE, (all, ...[name, module]: string[]) => {
    const helper = RUNTIME[module ?? ''];
    if (helper === undefined) return all;
    used.add(helper.code);
    return `const ${name ?? ''} = ${helper.name};`;
  });
  const [foreign] = body.matchAll(REQUIRE);
  if (foreign !== undefined) throw new Unusable(`schemas/: a validator would import ${foreign[2] ?? ''}`);
  return [...used, body.trim()].join('\n');
}
