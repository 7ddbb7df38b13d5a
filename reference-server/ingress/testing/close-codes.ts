import type { EndCause } from '../../../generated/types.js';

/** How pipes end over WebSocket, and over UDP, which has taken its codes from there. */
export const CLOSE_CODES: Readonly<Partial<Record<EndCause, string>>> = {
  closed_by_session: '1000',
  replaced: '4503',
  room_closed: '4505',
  slow_consumer: '4008',
  draining: '4009',
  timeout: '4010',
};
