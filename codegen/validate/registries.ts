import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Ajv2020 } from 'ajv/dist/2020.js';
import { isObject, messageOf, readJson } from '../json.js';
import { makeAjv } from '../schemas/ajv.js';
import { sentenceOf } from './exact-errors.js';

const REGISTRIES = ['errors', 'profiles'] as const;

/** Checks `schemas/errors.json` and `profiles.json` against `schemas/registry/*.schema.json`, and for double names. */
export function checkRegistries(root: string, ajv = makeAjv([], { explain: true })): readonly string[] {
  return REGISTRIES.flatMap((name) => {
    try {
      return checkRegistry(root, name, ajv);
    } catch (error) {
      return [messageOf(error)];
    }
  });
}

function checkRegistry(root: string, name: (typeof REGISTRIES)[number], ajv: Ajv2020): readonly string[] {
  const file = `schemas/${name}.json`;
  const meta = `schemas/registry/${name}.schema.json`;
  const missing = [file, meta].filter((path) => !existsSync(join(root, path)));
  if (missing.length > 0) return missing.map((path) => `${path}: missing`);
  const content = readJson(join(root, file));
  const schema = readJson(join(root, meta));
  if (!isObject(schema)) return [`${meta}: not a JSON object`];
  const validate = ajv.compile(schema);
  if (!validate(content)) {
    return (validate.errors ?? []).map((error) => `${file}: ${sentenceOf(error)}`);
  }
  const rows = isObject(content) ? content[name] : [];
  return consistent(file, Array.isArray(rows) ? rows.filter(isObject) : []);
}

function consistent(file: string, rows: readonly Readonly<Record<string, unknown>>[]): readonly string[] {
  const names = rows.map(({ name }) => String(name));
  const needed = rows.flatMap(({ needs }) => (Array.isArray(needs) ? needs.map(String) : []));
  return [
    ...names.filter((name, at) => names.indexOf(name) !== at).map((name) => `${file}: ${name} is listed twice`),
    ...needed.filter((name) => !names.includes(name)).map((name) => `${file}: needs unknown ${name}`),
  ];
}
