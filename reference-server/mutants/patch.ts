import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { packageRoot } from '../../support/package-root.js';

/** One fault in one module of the reference server, made when Node loads it. */
export interface Patch {
  readonly name: string;
  /** The fault in one sentence. */
  readonly what: string;
  /** The compiled module, relative to dist/. */
  readonly file: string;
  /** Text that occurs exactly once in it; runs of blanks and line ends match any blanks. */
  readonly find: string;
  readonly replace: string;
  /** Requirement ids that the fault violates. */
  readonly breaks: readonly string[];
  /** Requirement ids that may fail besides. */
  readonly also: readonly string[];
}

/** A patch that cannot be applied as it is written. */
export class PatchError extends Error {}

const folder = join(packageRoot(import.meta.url), 'reference-server', 'mutants', 'patches');
const TEXTS = ['name', 'what', 'file', 'find', 'replace'] as const;
const LISTS = ['breaks', 'also'] as const;

function checked(value: unknown, place: string): Patch {
  const patch = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  const wrong = [
    ...TEXTS.filter((key) => typeof patch[key] !== 'string'),
    ...LISTS.filter((key) => !Array.isArray(patch[key]) || !patch[key].every((id) => typeof id === 'string')),
    ...Object.keys(patch).filter((key) => ![...TEXTS, ...LISTS].some((known) => known === key)),
  ];
  if (wrong.length > 0) throw new PatchError(`${place}: missing, wrong or unknown: ${wrong.join(', ')}`);
  return value as Patch;
}

const fileNames = (from: string): readonly string[] =>
  readdirSync(from)
    .filter((name) => name.endsWith('.yaml'))
    .sort();

function patchesIn(from: string, name: string, text = readFileSync(join(from, name), 'utf8')): readonly Patch[] {
  const list: unknown = parse(text) ?? [];
  if (!Array.isArray(list)) throw new PatchError(`${name}: not a list`);
  return list.map((value, i) => checked(value, `${name}, entry ${String(i + 1)}`));
}

/** Every patch of the folder `from` (default: the project's own), in the order of files and lists. */
export function loadPatches(from = folder): readonly Patch[] {
  return fileNames(from).flatMap((name) => patchesIn(from, name));
}

/** The patch called `wanted`; reads no more files as YAML than mention it, since a proof starts hundreds of servers. */
export function loadPatch(wanted: string, from = folder): Patch {
  for (const name of fileNames(from)) {
    const text = readFileSync(join(from, name), 'utf8');
    const found = text.includes(wanted) ? patchesIn(from, name, text).find((each) => each.name === wanted) : undefined;
    if (found !== undefined) return found;
  }
  throw new PatchError(`no patch is called ${wanted === '' ? '(nothing)' : wanted}`);
}

function pattern(find: string): RegExp {
  const words = find.trim().split(/\s+/);
  return new RegExp(words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('\\s+'), 'g');
}

/** `source` with the patch applied; a PatchError unless its `find` occurs exactly once. */
export function applyPatch(patch: Patch, source: string): string {
  const matches = source.match(pattern(patch.find)) ?? [];
  if (matches.length !== 1) {
    throw new PatchError(`${patch.name}: ${String(matches.length)} places in ${patch.file} match, need exactly one`);
  }
  return source.replace(pattern(patch.find), () => patch.replace);
}
