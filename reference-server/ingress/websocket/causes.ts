import type { EndCause } from '../../../generated/types.js';

/** The close code that says why the server ends a pipe; null where the connection is gone already. */
export const CLOSE_CODES: Readonly<Record<EndCause, number | null>> = {
  closed_by_peer: 1000,
  closed_by_session: 1000,
  stream_ended: 1000,
  lost: null,
  timeout: 4010,
  replaced: 4503,
  message_too_long: 1009,
  protocol_error: 1002,
  invalid_utf8: 1007,
  slow_consumer: 4008,
  draining: 4009,
  room_closed: 4505,
  switch_timeout: 4011,
  move_failed: 4012,
  numbers_exhausted: 4013,
};

/** Lengths, and the number of parts that a message comes in. */
const TOO_LONG: ReadonlySet<string> = new Set([
  'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
  'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH',
  'WS_ERR_TOO_MANY_BUFFERED_PARTS',
]);

/** What an error of the WebSocket parser means for the pipe's account; the library has sent the close code by then. */
export function causeOfError(error: Error & { code?: string }): EndCause {
  if (TOO_LONG.has(error.code ?? '')) return 'message_too_long';
  if (error.code === 'WS_ERR_INVALID_UTF8') return 'invalid_utf8';
  return error.code?.startsWith('WS_ERR_') ? 'protocol_error' : 'lost';
}
