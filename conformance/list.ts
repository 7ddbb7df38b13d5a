import type { Case } from './model.js';
import { axesOf } from './permute/axes.js';
import { profilesOf } from './plan.js';
import { fit, wrap } from './reporters/lines.js';

const NARROW = 80;
const INDENT = 4;

/** The cases, file by file: what it proves, its title, its rows, and in what it can be permuted. */
export function listLines(cases: readonly Case[], columns = NARROW): readonly string[] {
  const files = new Map<string, Case[]>();
  for (const of of cases) files.set(of.file, [...(files.get(of.file) ?? []), of]);
  const listed = [...files.values()].flatMap((rows) => linesOf(rows, columns));
  return [...listed, '', `${String(cases.length)} cases in ${String(files.size)} files`];
}

function linesOf(rows: readonly Case[], columns: number): readonly string[] {
  const [first] = rows;
  if (first === undefined) return [];
  const proves = [...new Set(rows.flatMap(({ steps }) => steps.flatMap((step) => step.proves)))];
  const names = rows.flatMap(({ id }) => id.split('#')[1] ?? []);
  const profiles = [...new Set(rows.flatMap(profilesOf))];
  const axes = [...new Set(rows.flatMap(axesOf))];
  const facts = [
    `(${profiles.join(', ')})`,
    ...(first.tags.length === 0 ? [] : [first.tags.join(', ')]),
    ...(axes.length === 0 ? [] : [`permuted in ${axes.join(', ')}`]),
    ...(names.length === 0 ? [] : [`${String(names.length)} rows: ${names.join(' ')}`]),
  ];
  const indented = (text: string): string => `${' '.repeat(INDENT)}${text}`;
  return [
    fit(`${first.id.split('#')[0] ?? ''}  ${proves.join(' ')}`, columns),
    ...wrap(titleOf(rows), columns - INDENT).map(indented),
    fit(indented(facts.join('; ')), columns),
  ];
}

// A title that names a value of its row differs from row to row.
function titleOf(rows: readonly Case[]): string {
  const titles = [...new Set(rows.map(({ title }) => title))];
  return titles.length === 1 ? (titles[0] ?? '') : `${titles[0] ?? ''} (and so on)`;
}
