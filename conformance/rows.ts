import type { Fields } from './model.js';
import type { Json } from './timeline.js';

const WHOLE = /^\$([A-Za-z_][\w-]*)$/;
const INSIDE = /\$\{([A-Za-z_][\w-]*)\}/g;

/**
 * Puts a row's values into a case: `$key` alone becomes the value, `${key}` inside a string its text. Names that the
 * row does not have are left for the run.
 */
export function substituteRow(raw: Fields, row: Fields): Fields {
  return mapFields(raw, row);
}

function mapFields(fields: Fields, row: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, substitute(value, row)]));
}

function substitute(value: Json, row: Fields): Json {
  if (typeof value === 'string') return substituteText(value, row);
  if (Array.isArray(value)) return (value as readonly Json[]).map((each) => substitute(each, row));
  if (typeof value === 'object' && value !== null) return mapFields(value as Fields, row);
  return value;
}

function substituteText(text: string, row: Fields): Json {
  const whole = WHOLE.exec(text)?.[1];
  if (whole !== undefined) return Object.hasOwn(row, whole) ? (row[whole] ?? null) : text;
  return text.replace(INSIDE, (found, name: string) => {
    if (!Object.hasOwn(row, name)) return found;
    const value = row[name];
    return typeof value === 'string' ? value : JSON.stringify(value);
  });
}
