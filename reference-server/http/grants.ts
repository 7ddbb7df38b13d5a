import type { IncomingMessage } from 'node:http';
import type { Grant } from '../../generated/types.js';
import { validate } from '../../generated/validate.js';
import { faultPointer } from '../../support/fault.js';
import type { Account, Authenticator, GrantDoor } from '../ports/access.js';
import type { Result } from '../ports/refusal.js';
import { readJson } from './body.js';

export interface GrantServices {
  readonly grants: GrantDoor;
  readonly authenticator: Authenticator;
  readonly httpBodyBytes: number;
}

/** Who sends the request: an account, anonymous without a token, refused with a bad one (OPEN-7). */
export async function caller(
  request: IncomingMessage,
  authenticator: Authenticator,
): Promise<Result<{ account: Account }>> {
  const { authorization } = request.headers;
  if (authorization === undefined) return { account: null };
  const token = /^Bearer +([\w~+/.-]+=*) *$/i.exec(authorization)?.[1];
  const identity = token === undefined ? null : await authenticator.authenticate(token);
  return identity ?? { refused: 'unauthenticated' };
}

/** `POST /porthouse/v1/sessions`: a grant, or why not. */
export async function grantFor(request: IncomingMessage, services: GrantServices): Promise<Result<Grant>> {
  const body = await readJson(request, services.httpBodyBytes);
  if ('refused' in body) return body;
  const who = await caller(request, services.authenticator);
  if ('refused' in who) return who;
  const check = validate['http/session-request'];
  if (!check(body.value)) {
    return { refused: 'invalid_params', pointer: faultPointer(check.errors) };
  }
  return services.grants.grant(body.value, who.account);
}
