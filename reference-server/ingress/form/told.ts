import { errors } from '../../../generated/errors.js';
import type { FormMessage } from '../../../generated/types.js';
import type { Posted, Settled } from './receipts.js';

/** What became of a message, as it is told. */
export type MessageAnswer = FormMessage;

/** What became of the messages of a form, as far as it is known. */
export function told(messages: readonly Posted[]): MessageAnswer[] {
  return messages.flatMap((message) => (message.settled ? [answerFor(message, message.settled)] : []));
}

function answerFor({ kind, bytes }: Posted, { sid, epoch, outcome }: Settled): MessageAnswer {
  const place = { sid, epoch, n: outcome.n, kind, bytes };
  if ('id' in outcome) return { ...place, id: outcome.id, members: outcome.members };
  const { name, limit } = outcome.error;
  return { ...place, error: { name, code: errors[name].code, ...(limit !== undefined && { limit }) } };
}
