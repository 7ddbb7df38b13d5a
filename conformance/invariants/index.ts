import { fenceViolations } from './fences.js';
import { bodyViolations, errorViolations, frameViolations, kitFaults } from './frames.js';
import { numberViolations } from './numbers.js';
import { pipeViolations } from './pipes.js';
import { secretViolations } from './secrets.js';
import { socketViolations } from './sockets.js';
import type { FinishedRun, Violation } from './violation.js';

export type { FinishedRun, Violation } from './violation.js';

/** What the invariants say of a run. `faults` are the kit's own. */
export interface InvariantReport {
  readonly violations: readonly Violation[];
  readonly faults: readonly string[];
}

/**
 * Ids of the requirements that the invariants prove where no run breaks them; others that they can find broken have
 * cases of their own.
 */
export const invariantRequirements: readonly string[] = [
  'FRAME-1',
  'ERR-1',
  'DELIV-7',
  'SEC-8',
  'TICKET-4',
  'WS-18',
  'WS-21',
];

const RULES: readonly ((run: FinishedRun) => Violation[])[] = [
  frameViolations,
  errorViolations,
  bodyViolations,
  pipeViolations,
  secretViolations,
  numberViolations,
  socketViolations,
  fenceViolations,
];

/** Holds a run against every invariant; of one requirement only the first violation is told. */
export function runInvariants(run: FinishedRun): InvariantReport {
  const seen = new Set<string>();
  const violations = RULES.flatMap((rule) => rule(run)).filter(({ requirement }) => {
    const isNew = !seen.has(requirement);
    seen.add(requirement);
    return isNew;
  });
  return { violations, faults: kitFaults(run) };
}
