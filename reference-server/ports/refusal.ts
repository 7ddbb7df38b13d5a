import type { ErrorName } from '../../generated/errors.js';

/** A refusal is a value: what the registry calls it, and the facts that its sender needs to do better. */
export interface Refusal {
  readonly refused: ErrorName;
  readonly message?: string;
  /** The limit in force, in its own unit. */
  readonly limit?: number;
  /** JSON Pointer (RFC 6901) to the first member at fault. */
  readonly pointer?: string;
  /** Further members of the error's `data`, such as the counters of a fence that timed out. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** Either the value or the reason why there is none; tell them apart with `'refused' in result`. */
export type Result<T extends object> = T | Refusal;
