import { isFields } from './model.js';

/** Which strings are meant, and what is to stand in their place. */
export interface Replacement {
  readonly holds: (text: string) => boolean;
  readonly change: (text: string) => string;
}

/** Whether `holds` is true of any string in a value of JSON, names of fields included. */
export function someString(value: unknown, holds: (text: string) => boolean): boolean {
  if (typeof value === 'string') return holds(value);
  if (Array.isArray(value)) return value.some((each) => someString(each, holds));
  if (!isFields(value)) return false;
  // Looked through for every record of a run: a list of entries would have to be made only to be thrown away.
  for (const key in value) if (holds(key) || someString(value[key], holds)) return true;
  return false;
}

/** A value of JSON with its strings replaced, names of fields included. What holds none of them stays the same object. */
export function replaceStrings(value: unknown, replacement: Replacement): unknown {
  const { holds, change } = replacement;
  if (typeof value === 'string') return holds(value) ? change(value) : value;
  if (!someString(value, holds)) return value;
  if (Array.isArray(value)) return value.map((each) => replaceStrings(each, replacement));
  const fields = isFields(value) ? Object.entries(value) : [];
  return Object.fromEntries(fields.map(([key, each]) => [change(key), replaceStrings(each, replacement)]));
}
