import { errors } from '../../generated/errors.js';
import { validate } from '../../generated/validate.js';
import type { Refusal } from '../ports/refusal.js';

export type CallId = string | number;

/** One JSON-RPC 2.0 call; without an id it is a notification and gets no answer (RPC-6). */
export interface Call {
  readonly id: CallId | undefined;
  readonly method: string;
  readonly params: unknown;
}

/** A text that is no call, with the id that its refusal goes to. */
export interface NoCall {
  readonly refusal: Refusal;
  readonly id: CallId | null;
}

const isId = validate['rpc/id'];

/** Reads one message of a sibling socket (RPC-1, RPC-2). Batches are not part of the protocol. */
export function readCall(text: string): Call | NoCall {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { refusal: { refused: 'parse_error' }, id: null };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { refusal: { refused: 'invalid_request' }, id: null };
  }
  const { jsonrpc, id, method, params } = value as Record<string, unknown>;
  const known = isId(id) ? id : null;
  if (jsonrpc !== '2.0' || typeof method !== 'string' || (id !== undefined && known === null)) {
    return { refusal: { refused: 'invalid_request' }, id: known };
  }
  return { id: known ?? undefined, method, params: params === undefined ? {} : params };
}

/** A notification to the client: an event. */
export function eventText(method: string, params: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ jsonrpc: '2.0', method, params });
}

/** The answer to a call: a result, or an error of the registry with its name in `data`. */
export function replyText(id: CallId | null, result: object): string {
  if (!('refused' in result)) return JSON.stringify({ jsonrpc: '2.0', id, result });
  const { refused, message, limit, pointer, data } = result as Refusal;
  const { code, meaning } = errors[refused];
  const facts = { name: refused, limit, pointer, ...data };
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code, message: message ?? meaning, data: facts } });
}
