import type { ErrorEntry } from '../generated/errors.js';
import { errors } from '../generated/errors.js';
import type { LimitEntry } from '../generated/limits.js';
import { limits } from '../generated/limits.js';
import type { ProfileEntry } from '../generated/profiles.js';
import { profiles } from '../generated/profiles.js';
import type { Requirement } from '../generated/requirements.js';
import { requirements } from '../generated/requirements.js';
import { callMethods, eventMethods } from '../generated/types.js';
import type { ValidationError, Validator } from '../generated/validate.js';
import { validate } from '../generated/validate.js';

// The generated tables have literal keys; the kit asks them with what a case or a server says.
const errorTable: Readonly<Record<string, ErrorEntry>> = errors;
const limitTable: Readonly<Record<string, LimitEntry>> = limits;
const profileTable: Readonly<Record<string, ProfileEntry>> = profiles;
const validators = validate as unknown as Readonly<Record<string, Validator<unknown> | undefined>>;
const methodNames: ReadonlySet<string> = new Set(callMethods);
const eventNames: ReadonlySet<string> = new Set(eventMethods);
const byId: ReadonlyMap<string, Requirement> = new Map(requirements.map((each) => [each.id, each]));

/** The registry's row of an error name. */
export const errorOf = (name: string): ErrorEntry | undefined => own(errorTable, name);

/** The row of a limit. */
export const limitOf = (name: string): LimitEntry | undefined => own(limitTable, name);

/** The row of a profile. */
export const profileOf = (name: string): ProfileEntry | undefined => own(profileTable, name);

/** The names of all profiles. */
export const allProfiles = (): readonly string[] => Object.keys(profileTable);

/** The requirement with this id. */
export const requirementOf = (id: string): Requirement | undefined => byId.get(id);

/** Every requirement, in the order of the chapters. */
export const allRequirements = (): readonly Requirement[] => requirements;

/** Whether the sibling has such a call. */
export const isMethod = (name: string): boolean => methodNames.has(name);

/** Whether the sibling has such an event. */
export const isEvent = (name: string): boolean => eventNames.has(name);

/** Whether there is a schema with this key, such as `http/grant` or `calls/fence.params`. */
export const hasSchema = (key: string): boolean => own(validators, key) !== undefined;

/**
 * Holds `value` against a schema. Undefined when it fits (or no such schema exists), else the first fault as
 * `<JSON pointer>: <what>`.
 */
export function schemaFault(key: string, value: unknown): string | undefined {
  const check = own(validators, key);
  if (check === undefined || check(value)) return undefined;
  const first: ValidationError | undefined = check.errors?.[0];
  return `${first?.instancePath ?? ''}: ${first?.message ?? first?.keyword ?? 'does not fit'}`;
}

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
