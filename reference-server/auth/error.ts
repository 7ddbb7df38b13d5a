/** A mistake in what the operator wrote about tokens. */
export class AuthError extends Error {}
