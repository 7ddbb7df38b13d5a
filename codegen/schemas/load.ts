import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow } from '../files.js';
import { isObject, readJson, Unusable, type JsonObject } from '../json.js';

/** Every wire type's `$id` starts with this; nothing is ever fetched from it. */
export const SCHEMA_BASE = 'https://porthouse.example/schemas/v1/';

/** Folders below schemas/ that hold no wire types. */
const NOT_WIRE = /^(examples|registry)\//;

/** One wire type: a JSON Schema 2020-12 file. */
export interface WireSchema {
  /** Path below schemas/ without `.json`, such as `calls/fence.params`. */
  readonly key: string;
  /** Path from the package root, for messages. */
  readonly file: string;
  readonly id: string;
  /** The TypeScript name. */
  readonly title: string;
  readonly schema: JsonObject;
}

/**
 * Loads every wire type below `<root>/schemas`, sorted by key.
 *
 * @throws {Unusable} If there is no such folder, or a file is not a JSON object.
 */
export function loadSchemas(root: string): readonly WireSchema[] {
  const folder = join(root, 'schemas');
  if (!existsSync(folder)) throw new Unusable(`${folder}: no such folder`);
  return filesBelow(folder, '.json')
    .filter((file) => file.includes('/') && !NOT_WIRE.test(file))
    .map((file) => wireSchema(file, readJson(join(folder, file))));
}

function wireSchema(path: string, schema: unknown): WireSchema {
  const file = `schemas/${path}`;
  if (!isObject(schema)) throw new Unusable(`${file}: not a JSON object`);
  return {
    key: path.slice(0, -'.json'.length),
    file,
    id: typeof schema['$id'] === 'string' ? schema['$id'] : SCHEMA_BASE + path,
    title: typeof schema['title'] === 'string' ? schema['title'] : '',
    schema,
  };
}

/** The properties of a wire type by name; none if there is no such type. */
export function propertiesOf(schemas: readonly WireSchema[], key: string): JsonObject {
  const properties = schemas.find((schema) => schema.key === key)?.schema['properties'];
  return isObject(properties) ? properties : {};
}
