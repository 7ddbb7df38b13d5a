import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Output } from '../files.js';
import { isObject } from '../json.js';
import { propertiesOf, type WireSchema } from '../schemas/load.js';
import { namedRows } from './tables.js';

interface Table {
  /** Chapter below spec/protocol/, and the name in its markers. */
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/**
 * Writes the tables of `errors.md`, `limits.md` and `profiles.md` between `<!-- name -->` and `<!-- /name -->`, from
 * the registries. The rest of a chapter stays as it is.
 */
export function emitChapterTables(
  root: string,
  schemas: readonly WireSchema[],
): { readonly outputs: readonly Output[]; readonly problems: readonly string[] } {
  const written = [errorsTable(root), limitsTable(schemas), profilesTable(root)].map((table) => withTable(root, table));
  return {
    outputs: written.filter((one) => typeof one !== 'string'),
    problems: written.filter((one) => typeof one === 'string'),
  };
}

function withTable(root: string, table: Table): Output | string {
  const path = `spec/protocol/${table.name}.md`;
  if (!existsSync(join(root, path))) return `${path}: missing`;
  const text = readFileSync(join(root, path), 'utf8');
  const [begin, end] = [`<!-- ${table.name} -->\n`, `<!-- /${table.name} -->\n`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from === -1 || to < from) return `${path}: no table between ${begin.trim()} and ${end.trim()}`;
  return { path, text: `${text.slice(0, from)}${begin}\n${markdown(table)}\n${text.slice(to)}` };
}

function markdown({ columns, rows }: Table): string {
  return [columns, columns.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

function errorsTable(root: string): Table {
  const columns = ['name', 'code', 'scope', 'fatal', 'retry', 'wsClose', 'http', 'ftp', 'channel', 'meaning'];
  const rows = namedRows(root, 'errors').map(([name, row]) => [
    code(name),
    ...columns.slice(1).map((column) => cell(row[column])),
  ]);
  return { name: 'errors', columns, rows };
}

function profilesTable(root: string): Table {
  const rows = namedRows(root, 'profiles').map(([name, { transport, needs, meaning }]) => [
    code(name),
    cell(transport),
    (Array.isArray(needs) ? needs : []).map((need) => code(String(need))).join(', '),
    cell(meaning),
  ]);
  return { name: 'profiles', columns: ['profile', 'transport', 'needs', 'meaning'], rows };
}

function limitsTable(schemas: readonly WireSchema[]): Table {
  const limits = propertiesOf(schemas, 'common/limits');
  const ofRoom = propertiesOf(schemas, 'common/room-limits');
  const ofSession = propertiesOf(schemas, 'common/requested-limits');
  const rows = Object.entries(limits).map(([name, limit]) => {
    const asker = name in ofRoom ? 'room' : name in ofSession ? 'session' : 'server';
    const { default: value, minimum, maximum, description, 'x-unit': unit } = isObject(limit) ? limit : {};
    return [code(name), cell(unit), cell(value), cell(minimum), cell(maximum), asker, cell(description)];
  });
  return {
    name: 'limits',
    columns: ['limit', 'unit', 'default', 'least', 'greatest', 'asked for by', 'meaning'],
    rows,
  };
}

function code(name: string): string {
  return `\`${name}\``;
}

function cell(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value !== 'string' && typeof value !== 'number') return '';
  return String(value).replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
}
