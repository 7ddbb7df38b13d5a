import type { Grant, SessionRequest } from '../../generated/types.js';
import type { Result } from './refusal.js';

/** Who asks: an account, or null for an anonymous client. */
export type Account = string | null;

/** Where grants are given. */
export interface GrantDoor {
  /** At once, except for a new room that has to be kept first (PERSIST-1). */
  grant(request: SessionRequest, account: Account): Result<Grant> | Promise<Result<Grant>>;
}

/** What a stranger may know of the rooms that there are. */
export interface RoomNames {
  /** The names of the public rooms that admit anonymous clients, in order, at most so many. */
  admitting(most: number): readonly string[];
}

/** Tells who a bearer token (RFC 6750) speaks for; null means that it is not valid. */
export interface Authenticator {
  authenticate(token: string): Promise<{ readonly account: string } | null>;
}

/** How JSON Web Tokens are checked: against a shared secret or against a set of public keys. */
export interface TokenRules {
  /** Shared secret for HS256, at least 32 bytes of UTF-8. */
  readonly secret?: string;
  /** Path of a JWK Set (RFC 7517) with the public keys of whoever issues tokens. */
  readonly jwksFile?: string;
  readonly issuer?: string;
  readonly audience?: string;
}
