import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { packageRoot } from '../../support/package-root.js';
import { isObject, stringAt } from '../mutants/json.js';
import type { WireMutant } from '../mutants/mutant.js';
import { wireMutants } from '../mutants/registry.js';

/** A mutant of either kind, as far as proving needs to know it. `wire` is absent where it is a patch. */
export interface Mutant {
  readonly name: string;
  readonly kind: 'wire' | 'patch';
  readonly what: string;
  readonly breaks: readonly string[];
  readonly also: readonly string[];
  readonly wire?: WireMutant;
}

/** Where the patches of the reference server are. The kit reads what they break; only the server can apply them. */
const patchFolder = (): string => join(packageRoot(import.meta.url), 'reference-server', 'mutants', 'patches');

const strings = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];

function asMutant(value: unknown): Mutant | undefined {
  const patch = isObject(value) ? value : {};
  const [name, what] = [stringAt(patch, 'name'), stringAt(patch, 'what')];
  if (name === undefined || what === undefined) return undefined;
  return { name, kind: 'patch', what, breaks: strings(patch['breaks']), also: strings(patch['also']) };
}

/** The wire mutants, which work before any server. */
export const wireCatalogue = (): readonly Mutant[] => wireMutants.map((wire) => ({ ...wire, kind: 'wire', wire }));

/** The patches of the reference server; none where its sources are not at hand. */
export function patchCatalogue(folder: string = patchFolder()): readonly Mutant[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  return files.sort().flatMap((name) => {
    const list: unknown = parse(readFileSync(join(folder, name), 'utf8'));
    return (Array.isArray(list) ? list : []).map(asMutant).filter((each) => each !== undefined);
  });
}

/** Which mutants to take: both given, both must fit. `*` stands for any characters. */
export interface Choice {
  readonly mutant?: string | undefined;
  readonly requirement?: string | undefined;
}

/** Whether `text` fits `glob`, in which `*` stands for any characters. */
export function fits(glob: string, text: string): boolean {
  const escaped = glob.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
  return new RegExp(`^${escaped}$`).test(text);
}

/** The mutants that `choice` names. */
export function choose(mutants: readonly Mutant[], { mutant, requirement }: Choice): readonly Mutant[] {
  return mutants
    .filter(({ name }) => mutant === undefined || fits(mutant, name))
    .filter(({ breaks }) => requirement === undefined || breaks.some((id) => fits(requirement, id)));
}
