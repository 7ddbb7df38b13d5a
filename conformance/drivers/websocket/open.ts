import type { Opening, Way } from '../driver.js';
import { WebSocketDriver } from './socket.js';

const PIPE_PROTOCOL = 'porthouse.pipe.v1';
const SIBLING_PROTOCOL = 'porthouse.sibling.v1';
const TICKET_PREFIX = 'porthouse.ticket.';

/** Opens a pipe or a sibling over WebSocket (websocket.md). */
export function openWebSocket(way: Way): Opening {
  const { kind, url, ticket, headers, omit, tls, signal, onRecord } = way;
  const offered = kind === 'sibling' ? [SIBLING_PROTOCOL] : [PIPE_PROTOCOL, `${TICKET_PREFIX}${ticket}`];
  const protocols = way.protocols ?? offered;
  const driver = new WebSocketDriver({ onRecord });
  return { driver, protocols, result: driver.open({ url, subprotocols: protocols, headers, omit, tls, signal }) };
}
