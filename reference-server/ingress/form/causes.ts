import { errors, type ErrorName } from '../../../generated/errors.js';
import type { EndCause } from '../../../generated/types.js';
import type { Refusal } from '../../ports/refusal.js';

/** With what a pipe's account ends where the form was refused in the middle. */
export function causeOf({ refused }: Refusal): EndCause {
  if (refused === 'message_too_long' || refused === 'invalid_utf8' || refused === 'timeout') return refused;
  return refused === 'internal_error' || refused === 'busy' ? 'lost' : 'protocol_error';
}

const isError = (cause: string): cause is ErrorName => cause in errors;

/** What a form is answered whose pipe was ended from elsewhere. */
export function refusalFor(cause: EndCause): Refusal {
  return { refused: isError(cause) && errors[cause].http !== null ? cause : 'pipe_ended' };
}
