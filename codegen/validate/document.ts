import { readJson, Unusable } from '../json.js';
import { makeAjv } from '../schemas/ajv.js';
import type { WireSchema } from '../schemas/load.js';
import { exactErrors, sentenceOf } from './exact-errors.js';
import { nearest } from './nearest.js';

/**
 * Checks a JSON document of a user's against a wire type.
 *
 * @param type - Key of the schema, such as `events/pipe.refused`.
 * @returns One line per error, `<file>: <pointer> <message>`; empty when it is valid.
 * @throws {Unusable} If the file cannot be read or there is no such type.
 */
export function checkDocument(file: string, type: string, schemas: readonly WireSchema[]): readonly string[] {
  const wire = schemas.find(({ key }) => key === type);
  if (wire === undefined) throw new Unusable(unknownType(type, schemas));
  const ajv = makeAjv(schemas, { explain: true });
  const validate = ajv.getSchema(wire.id);
  if (validate === undefined || validate(readJson(file)) === true) return [];
  return exactErrors(ajv, validate.errors ?? []).map((error) => `${file}: ${sentenceOf(error)}`);
}

function unknownType(type: string, schemas: readonly WireSchema[]): string {
  const near = nearest(
    type,
    schemas.map(({ key }) => key),
  );
  return near.length === 0
    ? `no wire type ${type}; a type is a path below schemas/, such as ${schemas[0]?.key ?? ''}`
    : `no wire type ${type}; did you mean ${near.join(' or ')}?`;
}
