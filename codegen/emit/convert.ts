import { isObject, Unusable, type JsonObject } from '../json.js';
import type { WireSchema } from '../schemas/load.js';

/** Keywords that say nothing about the TypeScript type, or that json-schema-to-typescript would misread. */
const DROPPED = new Set(['$id', '$schema', '$comment', '$defs', 'examples', 'default', 'if', 'then', 'else', 'not']);
const MAPS = new Set(['properties', 'patternProperties']);

/** One root schema whose `$defs` hold each wire type exactly once, and whose properties are their keys. */
export function syntheticRoot(schemas: readonly WireSchema[]): JsonObject {
  const names = new Map<string, string>();
  const bodies: { name: string; base: string; body: JsonObject }[] = [];
  for (const { id, title, schema } of schemas) {
    names.set(id, title);
    bodies.push({ name: title, base: id, body: schema });
    for (const [name, body] of Object.entries(isObject(schema['$defs']) ? schema['$defs'] : {})) {
      if (!isObject(body)) continue;
      const title2 = typeof body['title'] === 'string' ? body['title'] : title + pascal(name);
      names.set(`${id}#/$defs/${name}`, title2);
      bodies.push({ name: title2, base: id, body });
    }
  }
  const $defs = Object.fromEntries(
    bodies.map(({ name, base, body }) => [name, { ...convert(body, { base, names }), title: name }]),
  );
  return {
    title: 'WireTypes',
    description: 'Every wire type by the key of its schema.',
    type: 'object',
    properties: Object.fromEntries(schemas.map(({ key, title }) => [key, { $ref: `#/$defs/${title}` }])),
    required: schemas.map(({ key }) => key),
    additionalProperties: false,
    $defs,
  };
}

interface Place {
  readonly base: string;
  readonly names: ReadonlyMap<string, string>;
}

function convert(schema: JsonObject, place: Place): JsonObject {
  const out: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (DROPPED.has(keyword) || keyword.startsWith('x-') || keyword.startsWith('unevaluated')) continue;
    out[keyword] = MAPS.has(keyword) ? convertMap(value, place) : convertValue(value, place);
  }
  if (typeof schema['description'] === 'string') out['description'] = documentation(schema['description'], schema);
  if ('prefixItems' in out) return tuple(out);
  if (typeof out['$ref'] === 'string') return reference(out, place);
  return openObject(out);
}

const UNIT_WORDS: Readonly<Record<string, string>> = { ms: 'milliseconds', bytes: 'bytes' };

/** A reader of the types sees neither `x-unit` nor `default`, so the comment says them. */
function documentation(description: string, schema: JsonObject): string {
  const unit = UNIT_WORDS[String(schema['x-unit'])];
  const notes = [
    ...(unit === undefined || new RegExp(`\\b${unit}\\b`, 'i').test(description) ? [] : [`in ${unit}`]),
    ...('default' in schema ? [`default ${JSON.stringify(schema['default'])}`] : []),
  ].join(', ');
  return notes === '' ? description : `${description} ${notes.charAt(0).toUpperCase()}${notes.slice(1)}.`;
}

function convertValue(value: unknown, place: Place): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => convertValue(item, place));
  return isObject(value) ? convert(value, place) : value;
}

function convertMap(value: unknown, place: Place): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, body]) => [name, convertValue(body, place)]));
}

/** The tool knows tuples only in the draft-4 spelling. */
function tuple({ prefixItems, items, ...rest }: Record<string, unknown>): JsonObject {
  return { ...rest, items: prefixItems, additionalItems: items ?? true };
}

/** A `$ref` with words beside it would be merged into a second, numbered copy of the type. */
function reference({ $ref, ...rest }: Record<string, unknown>, { base, names }: Place): JsonObject {
  const target = new URL(String($ref), base).href.replace(/#$/, '');
  const name = names.get(target);
  if (name === undefined) throw new Unusable(`${base}: $ref to unknown schema ${String($ref)}`);
  const resolved = { $ref: `#/$defs/${name}` };
  return Object.keys(rest).length === 0 ? resolved : { ...rest, allOf: [resolved] };
}

/** An object without properties is any object, not the empty one. */
function openObject(schema: Record<string, unknown>): JsonObject {
  const bare = schema['type'] === 'object' && !('properties' in schema) && !('allOf' in schema);
  return bare && !('additionalProperties' in schema) ? { ...schema, additionalProperties: true } : schema;
}

function pascal(name: string): string {
  return name.replace(/(^|[^A-Za-z0-9]+)([a-z0-9])/g, (_all, _gap, letter: string) => letter.toUpperCase());
}
