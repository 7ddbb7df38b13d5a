import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BANNER, CLIENT_BANNER } from './emit/banner.js';
import { emitChapterTables } from './emit/chapter-tables.js';
import { emitIndex } from './emit/entry.js';
import { emitRequirements, emitRequirementsJson } from './emit/requirements.js';
import { emitSettings } from './emit/settings.js';
import { emitErrors, emitLimits, emitProfiles } from './emit/tables.js';
import { emitTypes } from './emit/types.js';
import { emitOneFileValidators, emitValidate, emitValidators, emitValidatorTypes } from './emit/validators.js';
import { filesBelow, type Output } from './files.js';
import { reasonOf, Unusable } from './json.js';
import { readRegister } from './register/register.js';
import { reconcile, SENTENCES_FILE } from './register/sentences.js';
import { loadSchemas, type WireSchema } from './schemas/load.js';

export interface Generated {
  readonly outputs: readonly Output[];
  /** One line for each thing that the register, or a chapter with a table, has wrong. */
  readonly problems: readonly string[];
}

/**
 * Makes every file of `generated/`, the sentence lock, and the chapters whose tables come from a registry; from
 * `<root>/spec`, `schemas` and `conformance/cases`.
 *
 * @param accept - Requirement ids whose changed sentence was read, or `all`.
 * @throws {Unusable} If a schema or a registry cannot be read.
 */
export async function generate(root: string, accept: readonly string[] = []): Promise<Generated> {
  const schemas = loadSchemas(root);
  const register = readRegister(root);
  const lock = reconcile(root, register.requirements, accept);
  const chapters = emitChapterTables(root, schemas);
  const generated: readonly Output[] = [
    ...(await emitCommon(root, schemas)),
    { path: 'validators.js', text: emitValidators(schemas) },
    { path: 'validators.d.ts', text: emitValidatorTypes(schemas) },
    { path: 'validate.ts', text: emitValidate(schemas, '#validators') },
    ...emitSettings(root),
    { path: 'requirements.json', text: emitRequirementsJson(register.requirements) },
    { path: 'requirements.ts', text: emitRequirements(register.requirements) },
  ];
  return {
    outputs: [
      ...generated.map(({ path, text }) => ({ path: `generated/${path}`, text })),
      { path: SENTENCES_FILE, text: lock.text },
      ...chapters.outputs,
    ],
    problems: [...register.problems, ...lock.problems, ...chapters.problems],
  };
}

/**
 * Makes the files that a user of the protocol needs: types, validators and tables, all of them TypeScript, so that the
 * user's own compiler carries them wherever it puts its output.
 *
 * @throws {Unusable} If a schema or a registry cannot be read.
 */
export async function generateClient(root: string): Promise<readonly Output[]> {
  const schemas = loadSchemas(root);
  const files: readonly Output[] = [
    ...(await emitCommon(root, schemas)),
    { path: 'validators.ts', text: emitOneFileValidators(schemas) },
    { path: 'validate.ts', text: emitValidate(schemas, './validators.js') },
  ];
  return files.map(({ path, text }) => ({ path, text: text.replace(BANNER, CLIENT_BANNER) }));
}

async function emitCommon(root: string, schemas: readonly WireSchema[]): Promise<readonly Output[]> {
  return [
    { path: 'index.ts', text: emitIndex() },
    { path: 'types.ts', text: await emitTypes(schemas) },
    { path: 'errors.ts', text: emitErrors(root) },
    { path: 'limits.ts', text: emitLimits(schemas) },
    { path: 'profiles.ts', text: emitProfiles(root) },
  ];
}

/** The paths whose content on disk is not what would be written. */
export function drifted(folder: string, outputs: readonly Output[]): readonly string[] {
  return outputs.filter(({ path, text }) => textOf(join(folder, path)) !== text).map(({ path }) => path);
}

/**
 * Writes the files that differ, and says which.
 *
 * @throws {Unusable} If one cannot be written.
 */
export function write(folder: string, outputs: readonly Output[]): readonly string[] {
  const paths = drifted(folder, outputs);
  for (const { path, text } of outputs.filter((output) => paths.includes(output.path))) {
    const file = join(folder, path);
    try {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    } catch (error) {
      throw new Unusable(`${dirname(file)}: ${reasonOf(error)}`, { cause: error });
    }
  }
  return paths;
}

function textOf(file: string): string | undefined {
  return existsSync(file) && statSync(file).isFile() ? readFileSync(file, 'utf8') : undefined;
}

/** The files in `generated/` that nothing writes any more. */
export function unexpected(root: string, outputs: readonly Output[]): readonly string[] {
  const known = new Set(outputs.map(({ path }) => path));
  return filesBelow(join(root, 'generated'), '')
    .map((file) => `generated/${file}`)
    .filter((path) => !known.has(path));
}
