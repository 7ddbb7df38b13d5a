import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { packageRoot } from '../support/package-root.js';
import type { Case } from './model.js';

/** What turns a text into cases: another version of it makes everything that is kept worthless. */
const READERS = ['cases', 'case-shape', 'model', 'rows'] as const;

interface Kept {
  readonly hash: string;
  readonly cases: readonly Case[];
}

interface Content {
  readonly version: string;
  readonly files: Readonly<Record<string, Kept>>;
}

const hashOf = (...texts: readonly string[]): string => createHash('sha256').update(texts.join('\0')).digest('hex');

/** The place of what is kept in a working copy; undefined where the package has no modules of its own beside it. */
export function cachePlace(): string | undefined {
  const modules = join(packageRoot(import.meta.url), 'node_modules');
  const kind = extname(fileURLToPath(import.meta.url));
  return existsSync(modules) ? join(modules, '.cache', 'porthouse', `cases${kind}.json`) : undefined;
}

/**
 * The cases that files gave when they were last read, by the hash of their text: to read a few hundred files of YAML
 * takes longer than many a run. A place that cannot be read or written only costs that time.
 */
export class CaseCache {
  readonly #place: string | undefined;
  readonly #version: string;
  readonly #files: Map<string, Kept>;
  #isNew = false;

  /** @param place - file in which they are kept; undefined keeps nothing. */
  constructor(place: string | undefined) {
    this.#place = place;
    this.#version = place === undefined ? '' : versionOfReaders();
    this.#files = new Map(place === undefined ? [] : Object.entries(read(place, this.#version)));
  }

  /** The cases of a file with this text; undefined where they are not known. */
  get(file: string, text: string): readonly Case[] | undefined {
    const kept = this.#files.get(file);
    return kept?.hash === hashOf(text) ? kept.cases : undefined;
  }

  /** Keeps the cases of a file, unless JSON cannot say them. */
  put(file: string, text: string, cases: readonly Case[]): void {
    if (this.#place === undefined || !isDeepStrictEqual(JSON.parse(JSON.stringify(cases)), cases)) return;
    this.#files.set(file, { hash: hashOf(text), cases });
    this.#isNew = true;
  }

  /** Writes what is new, whole or not at all: others may be reading. */
  save(): void {
    if (this.#place === undefined || !this.#isNew) return;
    const content: Content = { version: this.#version, files: Object.fromEntries(this.#files) };
    const draft = `${this.#place}.${String(process.pid)}`;
    try {
      mkdirSync(dirname(this.#place), { recursive: true });
      writeFileSync(draft, JSON.stringify(content));
      renameSync(draft, this.#place);
    } catch {
      // Then they are read again next time.
    }
  }
}

function versionOfReaders(): string {
  const here = fileURLToPath(import.meta.url);
  const readers = READERS.map((name) => readFileSync(join(dirname(here), `${name}${extname(here)}`), 'utf8'));
  const schema = readFileSync(join(packageRoot(import.meta.url), 'conformance', 'case.schema.json'), 'utf8');
  const { version } = createRequire(import.meta.url)('yaml/package.json') as { readonly version: string };
  return hashOf(...readers, schema, version);
}

function read(place: string, version: string): Readonly<Record<string, Kept>> {
  try {
    const content = JSON.parse(readFileSync(place, 'utf8')) as Content;
    return content.version === version ? content.files : {};
  } catch {
    return {};
  }
}
