import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { LineCounter, isMap, isSeq, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import { packageRoot } from '../support/package-root.js';
import type { Case, CaseStep, Fields, Given, Member, Verb } from './model.js';
import { asText, isFields } from './model.js';
import { CaseCache, cachePlace } from './case-cache.js';
import { checkCaseShape } from './case-shape.js';
import { substituteRow } from './rows.js';
import type { Json } from './timeline.js';

/** Cases found, and what is wrong with files that could not become one. */
export interface LoadedCases {
  readonly cases: readonly Case[];
  readonly problems: readonly Problem[];
}

/** A fault of a case file, with the place to look at. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly what: string;
}

/** A file's text and its path below the folder of cases. */
export interface CaseSource {
  readonly file: string;
  readonly text: string;
}

/** The kit's own cases. */
export const casesFolder = (): string => join(packageRoot(import.meta.url), 'conformance', 'cases');

/**
 * Reads the cases below `folder`, in the order of their paths.
 *
 * @param isWanted - by the id that a file's path gives; a file that is not wanted is not read as a case.
 */
export function loadCases(folder: string = casesFolder(), isWanted: (id: string) => boolean = () => true): LoadedCases {
  const wanted = caseSources(folder).filter(({ file }) => isWanted(file.replace(/\.yaml$/, '')));
  const cache = new CaseCache(folder === casesFolder() ? cachePlace() : undefined);
  const parsed = wanted.map((source) => readCase(source, cache));
  cache.save();
  return { cases: parsed.flatMap((each) => each.cases), problems: parsed.flatMap((each) => each.problems) };
}

function readCase(source: CaseSource, cache: CaseCache): LoadedCases {
  const known = cache.get(source.file, source.text);
  if (known !== undefined) return { cases: known, problems: [] };
  const parsed = parseCase(source);
  if (parsed.problems.length === 0) cache.put(source.file, source.text, parsed.cases);
  return parsed;
}

/** The texts of every case file below `folder`, in the order of their paths. */
export function caseSources(folder: string = casesFolder()): CaseSource[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'));
  return files.sort().map((name) => {
    const path = join(folder, name);
    return { file: relative(folder, path).split(sep).join('/'), text: readFileSync(path, 'utf8') };
  });
}

/** First 12 hex digits of SHA-256 over all case files: two runs with the same value ran the same suite. */
export function suiteHash(folder: string = casesFolder()): string {
  const hash = createHash('sha256');
  for (const { file, text } of caseSources(folder)) hash.update(`${file}\n${text}\n`);
  return hash.digest('hex').slice(0, 12);
}

/** Reads one file; a file that is no case gives problems and no cases. */
export function parseCase(source: CaseSource): LoadedCases {
  const lines = new LineCounter();
  const document = parseDocument(source.text, { lineCounter: lines });
  const lineOf = (offset: number): number => lines.linePos(offset).line;
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => {
      const what = error.message.split('\n')[0] ?? '';
      return { file: source.file, line: lineOf(error.pos[0]), what };
    });
    return { cases: [], problems };
  }
  let raw: unknown;
  try {
    raw = document.toJS();
  } catch (error) {
    // An alias of nothing is well-formed.
    return { cases: [], problems: [{ file: source.file, line: 1, what: (error as Error).message }] };
  }
  const faults = checkCaseShape(raw).map(({ path, what }) => ({
    file: source.file,
    line: lineAt(document, path, lineOf),
    what: `${path.length > 0 ? `${path.join('/')}: ` : ''}${what}`,
  }));
  if (faults.length > 0 || !isFields(raw)) return { cases: [], problems: faults };
  const stepLines = linesOfSteps(document, lineOf);
  return { cases: rowsOf(raw).map((row) => toCase({ raw, row, file: source.file, stepLines })), problems: [] };
}

function lineAt(document: Document, path: readonly string[], lineOf: (offset: number) => number): number {
  for (let depth = path.length; depth > 0; depth--) {
    const keys = path.slice(0, depth).map((key) => (/^\d+$/.test(key) ? Number(key) : key));
    const node: unknown = document.getIn(keys, true);
    const start = rangeStart(node);
    if (start !== undefined) return lineOf(start);
  }
  return 1;
}

function rangeStart(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) return undefined;
  const start: unknown = node.range[0];
  return typeof start === 'number' ? start : undefined;
}

function linesOfSteps(document: Document, lineOf: (offset: number) => number): number[] {
  const steps: unknown = document.get('steps', true);
  if (!isSeq(steps)) return [];
  return steps.items.map((item) => (isMap(item) ? lineOf(rangeStart(item) ?? 0) : 1));
}

function rowsOf(raw: Fields): readonly (Fields | undefined)[] {
  const rows = raw['rows'];
  return Array.isArray(rows) ? rows.filter(isFields) : [undefined];
}

interface RowOfCase {
  readonly raw: Fields;
  readonly row: Fields | undefined;
  readonly file: string;
  readonly stepLines: readonly number[];
}

function toCase({ raw, row, file, stepLines }: RowOfCase): Case {
  const whole = row === undefined ? raw : substituteRow(raw, row);
  const steps = list(whole['steps'])
    .filter(isFields)
    .map((step, index) => toStep(step, stepLines[index] ?? 1));
  const given = toGiven(isFields(whole['given']) ? whole['given'] : {});
  const profiles = list(whole['profile']).map(String);
  const axes = list(whole['axes']).map(String);
  return {
    id: row === undefined ? asText(raw['id']) : `${asText(raw['id'])}#${asText(row['name'])}`,
    title: asText(whole['title']),
    file,
    line: stepLines[0] ?? 1,
    ...(profiles.length > 0 ? { profiles } : {}),
    lacks: list(whole['lacks']).map(String),
    tags: list(whole['tags']).map(String),
    accounts: accountsOf(whole),
    ...placeOf(whole),
    hooks: JSON.stringify(whole).includes('hooks.token'),
    given,
    steps,
    mutants: list(whole['mutants']).map(String),
    // `none` is the name of no axis.
    ...(axes.length > 0 ? { axes } : {}),
    canary: whole['canary'] === true,
  };
}

const list = (value: Json | undefined): readonly Json[] =>
  value === undefined ? [] : Array.isArray(value) ? (value as readonly Json[]) : [value];

const BESIDE_THE_VERB: ReadonlySet<string> = new Set(['proves', 'save', 'within']);

function toStep(step: Fields, line: number): CaseStep {
  const keys = Object.keys(step).filter((key) => !BESIDE_THE_VERB.has(key));
  // With an action beside it `expect` is inline; alone it is the verb.
  const verb = keys.find((key) => key !== 'expect') ?? 'expect';
  const value = step[verb] ?? {};
  const fields = isFields(value) ? value : { of: value };
  const inline = verb === 'expect' ? undefined : step['expect'];
  return {
    verb: verb as Verb,
    fields,
    ...(isFields(inline) ? { expect: inline } : {}),
    proves: list(step['proves']).map(String),
    save: isFields(step['save'])
      ? Object.fromEntries(Object.entries(step['save']).map(([k, v]) => [k, asText(v)]))
      : {},
    line,
  };
}

function toGiven(given: Fields): Given {
  const main = given['room'] === 'none' ? {} : { main: isFields(given['room']) ? given['room'] : {} };
  const others = isFields(given['rooms']) ? given['rooms'] : {};
  const rooms = Object.fromEntries(Object.entries(others).map(([key, spec]) => [key, isFields(spec) ? spec : {}]));
  const members = given['members'];
  const entries = isFields(members)
    ? Object.entries(members)
    : list(members).map((name): [string, Json] => [asText(name), {}]);
  return {
    rooms: { ...main, ...rooms },
    members: Object.fromEntries(entries.map(([name, fields]) => [name, toMember(isFields(fields) ? fields : {})])),
  };
}

function toMember({ account, room, pipe, command, debug, siblings, ...request }: Fields): Member {
  return {
    account: typeof account === 'string' ? account : 'a',
    room: typeof room === 'string' ? room : 'main',
    pipe: pipe !== false,
    command: command !== false,
    debug: debug === true,
    ...(typeof siblings === 'string' ? { siblings } : {}),
    request,
  };
}

function placeOf({ needs }: Fields): Pick<Case, 'tls' | 'naked'> {
  const { tls, naked } = isFields(needs) ? needs : {};
  return { ...(typeof tls === 'string' ? { tls } : {}), ...(isFields(naked) ? { naked } : {}) };
}

function accountsOf(whole: Fields): number {
  const needs = whole['needs'];
  if (isFields(needs) && typeof needs['accounts'] === 'number') return needs['accounts'];
  return /"account":"b"|\$b\.token|\$\{b\.token\}/.test(JSON.stringify(whole)) ? 2 : 1;
}
