import type { Requirement } from '../register/register.js';
import { BANNER } from './banner.js';

/** Writes `requirements.json`, the register for other programs. */
export function emitRequirementsJson(requirements: readonly Requirement[]): string {
  return `${JSON.stringify(requirements, null, 2)}\n`;
}

/** Writes `requirements.ts`, the same register for our own, without reading a file at start-up. */
export function emitRequirements(requirements: readonly Requirement[]): string {
  const rows = requirements.map((row) => `  ${JSON.stringify(row)},\n`);
  return `${BANNER}
export type RequirementLevel = 'MUST' | 'MUST NOT' | 'SHOULD' | 'SHOULD NOT' | 'MAY';

/** One rule of the specification, as its chapter states it. */
export interface Requirement {
  readonly id: string;
  readonly level: RequirementLevel;
  /** Name of the profile (profiles.ts) that a server declares to be held to it. */
  readonly profile: string;
  /** Chapter file and heading below spec/protocol/. */
  readonly section: string;
  readonly sentence: string;
  /** First 12 hex digits of SHA-256 of \`sentence\`. */
  readonly hash: string;
  /** Ids of the cases that prove it. */
  readonly cases: readonly string[];
  /** Why it has no case. */
  readonly exclusion?: { readonly reason: string; readonly why: string };
}

/** Every requirement, in the order of the chapters. */
export const requirements: readonly Requirement[] = [
${rows.join('')}];
`;
}
