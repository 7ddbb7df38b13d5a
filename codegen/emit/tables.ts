import { join } from 'node:path';
import { existsSync } from 'node:fs';
import { isObject, readJson, Unusable, type JsonObject } from '../json.js';
import { propertiesOf, type WireSchema } from '../schemas/load.js';
import { BANNER } from './banner.js';

interface Table {
  readonly constant: string;
  readonly says: string;
  readonly entry: string;
  readonly entryType: string;
  readonly nameType: string;
  readonly rows: readonly (readonly [name: string, row: JsonObject])[];
}

/** Writes `errors.ts` from `schemas/errors.json`. */
export function emitErrors(root: string): string {
  return table({
    constant: 'errors',
    says: 'The error registry, by name.',
    entry: 'ErrorEntry',
    entryType: `{
  readonly name: string;
  readonly code: number;
  readonly scope: string;
  readonly fatal: boolean;
  readonly retry: boolean;
  readonly wsClose: number | null;
  readonly http: number | null;
  readonly ftp: number | null;
  readonly bridge: number | string | null;
  readonly channel: string | null;
  readonly meaning: string;
}`,
    nameType: 'ErrorName',
    rows: namedRows(root, 'errors'),
  });
}

/** Writes `profiles.ts` from `schemas/profiles.json`. */
export function emitProfiles(root: string): string {
  return table({
    constant: 'profiles',
    says: 'The closed table of profiles, by name.',
    entry: 'ProfileEntry',
    entryType: `{
  readonly name: string;
  /** Whether it is a way for pipes to be opened; \`core\` needs at least one of these. */
  readonly transport: boolean;
  readonly needs: readonly string[];
  readonly meaning: string;
}`,
    nameType: 'ProfileName',
    rows: namedRows(root, 'profiles'),
  });
}

/** Writes `limits.ts` from `schemas/common/limits.json`. */
export function emitLimits(schemas: readonly WireSchema[]): string {
  const rows = Object.entries(propertiesOf(schemas, 'common/limits')).map(([name, limit]) => limitRow(name, limit));
  return table({
    constant: 'limits',
    says: 'Every limit, with its unit, default and range.',
    entry: 'LimitEntry',
    entryType: `{
  readonly unit: 'ms' | 'bytes' | 'count';
  readonly default: number;
  readonly minimum: number;
  readonly maximum: number;
}`,
    nameType: 'LimitName',
    rows,
  });
}

function limitRow(name: string, limit: unknown): readonly [string, JsonObject] {
  const from = isObject(limit) ? limit : {};
  const row = { unit: from['x-unit'], default: from['default'], minimum: from['minimum'], maximum: from['maximum'] };
  const missing = Object.entries(row).find(([, value]) => value === undefined);
  if (missing !== undefined) throw new Unusable(`schemas/common/limits.json: ${name} has no ${missing[0]}`);
  return [name, row];
}

/** The rows of `schemas/<what>.json`, each with its name; none if there is no such file. */
export function namedRows(root: string, what: 'errors' | 'profiles'): readonly (readonly [string, JsonObject])[] {
  const file = join(root, 'schemas', `${what}.json`);
  if (!existsSync(file)) return [];
  const content = readJson(file);
  const rows = isObject(content) ? content[what] : undefined;
  if (!Array.isArray(rows)) throw new Unusable(`schemas/${what}.json: no array "${what}"`);
  return rows.filter(isObject).map((row) => [String(row['name']), row]);
}

function table({ constant, says, entry, entryType, nameType, rows }: Table): string {
  const members = rows.map(([name, row]) => `  ${JSON.stringify(name)}: ${JSON.stringify(row)},\n`);
  return `${BANNER}
/** One row of \`${constant}\`. */
export interface ${entry} ${entryType}

/** ${says} */
export const ${constant} = {
${members.join('')}} as const satisfies Readonly<Record<string, ${entry}>>;

export type ${nameType} = keyof typeof ${constant};
`;
}
