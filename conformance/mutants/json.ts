/** A JSON value as parsed; never changed in place, so that a message that nobody altered keeps its bytes. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/** Whether `value` is a JSON object, neither null nor an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The JSON object that `bytes` hold, or undefined where they hold anything else. */
export function parseObject(bytes: Buffer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The member `key` of `value` where both are objects, else an empty object. */
export function objectAt(value: Json | undefined, key: string): JsonObject {
  const inner = isObject(value) ? value[key] : undefined;
  return isObject(inner) ? inner : {};
}

/** The member `key` of `value` where it is a string. */
export function stringAt(value: Json | undefined, key: string): string | undefined {
  const inner = isObject(value) ? value[key] : undefined;
  return typeof inner === 'string' ? inner : undefined;
}

/** The member `key` of `value` where it is a number. */
export function numberAt(value: Json | undefined, key: string): number | undefined {
  const inner = isObject(value) ? value[key] : undefined;
  return typeof inner === 'number' ? inner : undefined;
}

/** A copy of `value` with the members of `changes` below `path`; a change to undefined removes the member. */
export function withAt(value: JsonObject, path: readonly string[], changes: JsonObject): JsonObject {
  const [first, ...rest] = path;
  if (first === undefined) return withoutUndefined({ ...value, ...changes });
  const inner = value[first];
  return { ...value, [first]: withAt(isObject(inner) ? inner : {}, rest, changes) };
}

function withoutUndefined(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined));
}

/** The member `key` of `value` where it is a boolean. */
export function booleanAt(value: Json | undefined, key: string): boolean | undefined {
  const inner = isObject(value) ? value[key] : undefined;
  return typeof inner === 'boolean' ? inner : undefined;
}
