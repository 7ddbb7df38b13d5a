import { join } from 'node:path';
import { isObject, readJson, type JsonObject } from '../json.js';

/** Code of each error in the registry, by name. */
export type ErrorCodes = ReadonlyMap<string, number>;

/**
 * Reads names and codes from `schemas/errors.json`, which `checkRegistries` has found good.
 *
 * @throws {Unusable} If it cannot be read.
 */
export function errorCodes(root: string): ErrorCodes {
  const content = readJson(join(root, 'schemas/errors.json'));
  const rows = isObject(content) && Array.isArray(content['errors']) ? content['errors'].filter(isObject) : [];
  return new Map(rows.map(({ name, code }) => [String(name), Number(code)]));
}

/** Names each `error` anywhere in a wire value whose name the registry lacks, or whose code is another's (ERR-1). */
export function unregistered(codes: ErrorCodes, value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item: unknown) => unregistered(codes, item));
  if (!isObject(value)) return [];
  const own = isObject(value['error']) ? checkError(codes, value['error']) : [];
  return [...own, ...Object.values(value).flatMap((member) => unregistered(codes, member))];
}

/** The name is in `data` of a JSON-RPC error, and beside the code everywhere else. */
function checkError(codes: ErrorCodes, error: JsonObject): readonly string[] {
  const data = isObject(error['data']) ? error['data'] : {};
  const name = String(error['name'] ?? data['name']);
  const code = codes.get(name);
  if (code === undefined) return [`errors.json has no ${name}`];
  const wrong = 'code' in error && error['code'] !== code;
  return wrong ? [`${name} has the code ${String(code)} in errors.json, not ${JSON.stringify(error['code'])}`] : [];
}
