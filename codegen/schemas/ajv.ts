import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { messageOf, Unusable } from '../json.js';
import type { WireSchema } from './load.js';

/** Units that a limit may have (`x-unit`). */
export const UNITS = ['ms', 'bytes', 'count'] as const;

/** How an Ajv instance is to behave. */
export interface AjvUse {
  /** Report every error and keep the schema beside it: for examples and for people, never for input from a peer. */
  readonly explain?: boolean;
  /** Keep the code, for standalone output. */
  readonly source?: boolean;
}

/**
 * Makes the one strict Ajv (2020-12) that everything here uses, with the wire types added and compiled lazily.
 *
 * `strictRequired` is off because `required` inside `anyOf` names properties of the parent.
 *
 * @throws {Unusable} If a schema is not one; the message starts with its file.
 */
export function makeAjv(schemas: readonly WireSchema[], use: AjvUse = {}): Ajv2020 {
  const ajv = new Ajv2020({
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
    allErrors: use.explain ?? false,
    verbose: use.explain ?? false,
    code: use.source === true ? { source: true, esm: true, lines: true } : {},
  });
  addFormats.default(ajv);
  ajv.addKeyword({ keyword: 'x-unit', metaSchema: { enum: [...UNITS] } });
  ajv.addKeyword({ keyword: 'x-requirements', metaSchema: { type: 'array', items: { type: 'string' } } });
  for (const schema of schemas) add(ajv, schema);
  return ajv;
}

function add(ajv: Ajv2020, { id, file, schema }: WireSchema): void {
  try {
    ajv.addSchema(schema, id);
  } catch (error) {
    throw new Unusable(`${file}: ${messageOf(error)}`, { cause: error });
  }
}
