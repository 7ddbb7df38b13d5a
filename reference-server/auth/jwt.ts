import { readFileSync } from 'node:fs';
import { type JSONWebKeySet, type JWTVerifyOptions, createLocalJWKSet, jwtVerify } from 'jose';
import type { Authenticator, TokenRules } from '../ports/access.js';
import { AuthError } from './error.js';

/** Signature algorithms taken with a key set; none that a public key could be misused for as a shared secret. */
const ASYMMETRIC = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

type Verify = (token: string, options: JWTVerifyOptions) => Promise<{ payload: { sub?: string } }>;

function verifier(rules: TokenRules): Verify {
  if (rules.secret !== undefined) {
    const key = new TextEncoder().encode(rules.secret);
    return (token, options) => jwtVerify(token, key, { ...options, algorithms: ['HS256'] });
  }
  const keys = keySet(rules.jwksFile ?? '');
  return (token, options) => jwtVerify(token, keys, { ...options, algorithms: ASYMMETRIC });
}

/** Reads a key set; whoever wrote the settings is told what is wrong with it. */
function keySet(file: string): ReturnType<typeof createLocalJWKSet> {
  try {
    return createLocalJWKSet(JSON.parse(readFileSync(file, 'utf8')) as JSONWebKeySet);
  } catch (error) {
    throw new AuthError(`auth.jwksFile: ${file}: ${(error as Error).message}`);
  }
}

/** Takes JSON Web Tokens (RFC 7519) that carry `sub` and `exp`; the subject is the account. */
export function jwtAuthenticator(rules: TokenRules): Authenticator {
  const verify = verifier(rules);
  const options: JWTVerifyOptions = {
    requiredClaims: ['sub', 'exp'],
    ...(rules.issuer === undefined ? {} : { issuer: rules.issuer }),
    ...(rules.audience === undefined ? {} : { audience: rules.audience }),
  };
  return {
    async authenticate(token) {
      try {
        const { payload } = await verify(token, options);
        return payload.sub ? { account: payload.sub } : null;
      } catch {
        return null;
      }
    },
  };
}
