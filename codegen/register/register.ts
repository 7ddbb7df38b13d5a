import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { byCodeUnit, filesBelow } from '../files.js';
import { readProofs } from './cases.js';
import { readChapter, type Stated } from './chapter.js';
import { readExclusions, type Exclusion } from './exclusions.js';

/** One row of `generated/requirements.json`. */
export interface Requirement extends Stated {
  readonly cases: readonly string[];
  readonly exclusion?: Exclusion;
}

export interface Register {
  readonly requirements: readonly Requirement[];
  /** One line each; empty when every sentence has its case and every case its sentence. */
  readonly problems: readonly string[];
}

/** At most this share of the MUSTs may go without a case. */
const MAX_EXCLUDED = 0.15;

/** Extracts the register from `spec/protocol/*.md`, the cases and the exclusions, in the order of the chapters. */
export function readRegister(root: string): Register {
  const { stated, problems } = readChapters(root);
  const proofs = readProofs(root);
  const exclusions = readExclusions(root);
  const requirements = stated.map((one): Requirement => {
    const exclusion = exclusions.byRequirement.get(one.id);
    const cases = proofs.byRequirement.get(one.id) ?? [];
    return exclusion === undefined ? { ...one, cases } : { ...one, cases, exclusion };
  });
  const known = new Set(stated.map(({ id }) => id));
  return {
    requirements,
    problems: [
      ...problems,
      ...proofs.problems,
      ...exclusions.problems,
      ...twice(stated),
      ...requirements.flatMap(uncovered),
      ...unknownProofs(proofs.byRequirement, known),
      ...[...exclusions.byRequirement.keys()].filter((id) => !known.has(id)).map((id) => `exclusion of unknown ${id}`),
      ...tooManyExcluded(requirements),
    ],
  };
}

/** Reads the requirements of every chapter, without looking for their cases. */
export function readChapters(root: string): { stated: readonly Stated[]; problems: readonly string[] } {
  const chapters = filesBelow(join(root, 'spec/protocol'), '.md').map((name) => {
    const file = `spec/protocol/${name}`;
    return readChapter(file, readFileSync(join(root, file), 'utf8'));
  });
  return {
    stated: chapters.flatMap(({ requirements }) => requirements),
    problems: chapters.flatMap(({ problems }) => problems),
  };
}

function twice(stated: readonly Stated[]): readonly string[] {
  const seen = new Map<string, string>();
  return stated.flatMap(({ id, section }) => {
    const first = seen.get(id);
    seen.set(id, section);
    return first === undefined ? [] : [`${id} is stated twice, in ${first} and ${section}`];
  });
}

function uncovered({ id, level, cases, exclusion }: Requirement): readonly string[] {
  if (cases.length > 0 && exclusion !== undefined) return [`${id} is excluded although ${cases.join(', ')} proves it`];
  if (level === 'MAY' || cases.length > 0 || exclusion !== undefined) return [];
  return [`${id} (${level}) has no case and no exclusion`];
}

function unknownProofs(proofs: ReadonlyMap<string, readonly string[]>, known: ReadonlySet<string>): readonly string[] {
  return [...proofs]
    .filter(([id]) => !known.has(id))
    .sort(([a], [b]) => byCodeUnit(a, b))
    .map(([id, cases]) => `${cases.join(', ')} proves ${id}, which no chapter states`);
}

function tooManyExcluded(requirements: readonly Requirement[]): readonly string[] {
  const musts = requirements.filter(({ level }) => level.startsWith('MUST'));
  const excluded = musts.filter(({ exclusion }) => exclusion !== undefined).length;
  if (excluded <= musts.length * MAX_EXCLUDED) return [];
  return [
    `${String(excluded)} of ${String(musts.length)} MUSTs are excluded, more than ${String(MAX_EXCLUDED * 100)} %`,
  ];
}
