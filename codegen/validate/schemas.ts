import type { Ajv2020 } from 'ajv/dist/2020.js';
import { makeAjv } from '../schemas/ajv.js';
import { SCHEMA_BASE, type WireSchema } from '../schemas/load.js';
import { isObject, messageOf } from '../json.js';

const DIALECT = 'https://json-schema.org/draft/2020-12/schema';
const PASCAL = /^[A-Z][A-Za-z0-9]*$/;

/** What became of the wire types. */
export interface Checked {
  /** The Ajv that they are compiled in, explaining every error; none if they cannot be told apart. */
  readonly ajv: Ajv2020 | undefined;
  readonly problems: readonly string[];
}

/** Checks that every wire type compiles strictly, is named by the conventions, and explains itself. */
export function checkSchemas(schemas: readonly WireSchema[]): Checked {
  const ajv = attempt('', () => makeAjv(schemas, { explain: true }));
  const named = [...schemas.flatMap(checkNames), ...sameTitles(schemas), ...unpaired(schemas)];
  if (typeof ajv === 'string') return { ajv: undefined, problems: [...named, ajv] };
  return { ajv, problems: [...named, ...compileAll(ajv, schemas)] };
}

function checkNames({ file, key, schema }: WireSchema): readonly string[] {
  const problems = [...descriptions(schema, '')];
  if (schema['$schema'] !== DIALECT) problems.push(`$schema is not ${DIALECT}`);
  if (schema['$id'] !== `${SCHEMA_BASE}${key}.json`) problems.push(`$id is not ${SCHEMA_BASE}${key}.json`);
  if (!PASCAL.test(String(schema['title']))) problems.push('title is not in PascalCase');
  return problems.map((problem) => `${file}: ${problem}`);
}

/** A property may leave the description to the schema that it `$ref`s. */
function descriptions(node: unknown, at: string): readonly string[] {
  if (!isObject(node)) return [];
  const own = typeof node['description'] === 'string' || typeof node['$ref'] === 'string';
  const parts = ['properties', '$defs'].flatMap((keyword) => members(node[keyword], `${at}/${keyword}`));
  return [...(own ? [] : [`no description at ${at === '' ? 'the root' : at}`]), ...parts];
}

function members(map: unknown, at: string): readonly string[] {
  return Object.entries(isObject(map) ? map : {}).flatMap(([name, node]) => descriptions(node, `${at}/${name}`));
}

function sameTitles(schemas: readonly WireSchema[]): readonly string[] {
  const owners = new Map<string, string>();
  return schemas.flatMap(({ file, schema }) =>
    titlesIn(schema).flatMap((title) => {
      const owner = owners.get(title);
      owners.set(title, file);
      return owner === undefined ? [] : [`${file}: title ${title} is also used in ${owner}`];
    }),
  );
}

function titlesIn(node: unknown): readonly string[] {
  if (Array.isArray(node)) return node.flatMap(titlesIn);
  if (!isObject(node)) return [];
  const nested = Object.entries(node).flatMap(([keyword, value]) => nestedTitles(keyword, value));
  return typeof node['title'] === 'string' ? [node['title'], ...nested] : nested;
}

function nestedTitles(keyword: string, value: unknown): readonly string[] {
  if (['examples', 'default', 'const', 'enum'].includes(keyword)) return [];
  const named = ['properties', '$defs', 'patternProperties', 'dependentSchemas'].includes(keyword);
  return named && isObject(value) ? Object.values(value).flatMap(titlesIn) : titlesIn(value);
}

function unpaired(schemas: readonly WireSchema[]): readonly string[] {
  const keys = new Set(schemas.map(({ key }) => key));
  return schemas
    .filter(({ key }) => key.startsWith('calls/'))
    .flatMap(({ file, key }) => {
      const [, method, part] = /^calls\/(.+)\.(params|result)$/.exec(key) ?? [];
      if (method === undefined) return [`${file}: not named <method>.params.json or <method>.result.json`];
      const other = `calls/${method}.${part === 'params' ? 'result' : 'params'}`;
      return keys.has(other) ? [] : [`${file}: schemas/${other}.json is missing`];
    });
}

function compileAll(ajv: Ajv2020, schemas: readonly WireSchema[]): readonly string[] {
  return schemas.flatMap(({ file, id }) => {
    const compiled = attempt(`${file}: `, () => ajv.getSchema(id));
    return typeof compiled === 'string' ? [compiled] : [];
  });
}

/** What `make` makes, or its complaint behind `prefix`. */
function attempt<T>(prefix: string, make: () => T): T | string {
  try {
    return make();
  } catch (error) {
    return prefix + messageOf(error);
  }
}
