// The machine-readable half of the specification, the shapes, errors and limits in ../../schemas; and two small tools.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const SCHEMAS = new URL('../../schemas/', import.meta.url);
const read = (url) => JSON.parse(readFileSync(url, 'utf8'));

/** A schema with everything that it refers to in place. Those of Porthouse refer to files only, and never in a ring. */
function load(url) {
  const inline = (node) => {
    if (node === null || typeof node !== 'object') return node;
    if (Array.isArray(node)) return node.map(inline);
    if (typeof node.$ref === 'string') return load(new URL(node.$ref, url));
    return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, inline(value)]));
  };
  return inline(read(url));
}

const loaded = new Map();
const schema = (path) => loaded.get(path) ?? loaded.set(path, load(new URL(path, SCHEMAS))).get(path);

export const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const IS = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  integer: Number.isInteger,
};

/** Whether `value` itself, not counting its parts, breaks the schema. */
function breaks(rule, value) {
  if (rule.type && !IS[rule.type](value)) return true;
  if (rule.enum && !rule.enum.includes(value)) return true;
  if (typeof value === 'number') return value < rule.minimum || value > rule.maximum;
  if (Array.isArray(value)) return rule.uniqueItems === true && new Set(value).size < value.length;
  if (typeof value !== 'string') return false;
  const length = [...value].length;
  if (length < rule.minLength || length > rule.maxLength) return true;
  return rule.pattern !== undefined && !new RegExp(rule.pattern, 'u').test(value);
}

function* parts(rule, value, at) {
  for (const other of rule.allOf ?? []) yield [other, value, at];
  for (const [name, member] of Object.entries(rule.properties ?? {})) {
    if (Object.hasOwn(value, name)) yield [member, value[name], `${at}/${name}`];
  }
  if (rule.items) for (const [index, item] of value.entries()) yield [rule.items, item, `${at}/${index}`];
}

/** JSON Pointer of a value that breaks the schema, undefined if none does; of a missing member, where it would be. */
function faultIn(rule, value, at) {
  if (breaks(rule, value)) return at;
  const missing = rule.required?.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) return `${at}/${missing}`;
  for (const part of parts(rule, value, at)) {
    const fault = faultIn(...part);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** The same for a schema by its path, such as `http/session-request.json`. */
export const faultOf = (path, value) => faultIn(schema(path), value, '');

/** Every error of the registry by its name. */
export const ERRORS = new Map(read(new URL('errors.json', SCHEMAS)).errors.map((error) => [error.name, error]));

/** The answer to what is not done: a row of the registry, and what else is known (`limit`, `pointer`, `counters`). */
export class Refusal {
  constructor(name, data = {}) {
    const { code, http, meaning: message } = ERRORS.get(name);
    Object.assign(this, { name, code, http, message, data });
  }
}

/** Limits that only profiles use which this server does not declare (limits.md). */
const OF_OTHERS = ['maxAnonymousSessions', 'drainMs', 'debugEventsPerSecond'];
const defaults = (path) =>
  Object.fromEntries(
    Object.entries(schema(path).properties)
      .filter(([name, rule]) => rule.default !== undefined && !OF_OTHERS.includes(name))
      .map(([name, rule]) => [name, rule.default]),
  );

/** The limits of this server, those that a room can ask for, and the names of those that a session can. */
export const LIMITS = defaults('common/limits.json');
export const ROOM_LIMITS = defaults('common/room-limits.json');
export const SESSION_LIMITS = Object.keys(schema('common/requested-limits.json').properties).filter(
  (name) => name in LIMITS,
);

/** A timer that is never early; setTimeout alone may be, by a part of a millisecond (README.md, "Time"). */
export const after = (ms, action) => setTimeout(action, ms + 1);

/** Tokens and tickets are looked up by it, so that the time does not tell how much of a guess is right (SEC-2). */
export const digest = (secret) => createHash('sha256').update(secret).digest('hex');
