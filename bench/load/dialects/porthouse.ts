import type { Dialect, Line, Role } from '../dialect.js';
import { ROOM, Sessions } from './sessions.js';
import { FrameParser, maskedFrame, openWebSocket } from './web-socket.js';

/** A pipe over WebSocket, and where it is asked for a sibling bound beside it. */
export async function openPipe(sessions: Sessions, role: Role): Promise<Line> {
  const grant = await sessions.grant({ transport: 'websocket' });
  if (role === 'member with sibling') (await sessions.sibling(grant)).follow(() => undefined);
  const protocols = ['porthouse.pipe.v1', `porthouse.ticket.${grant.pipeTicket}`];
  return openWebSocket(sessions.at(sessions.discovery.endpoints.pipe), protocols);
}

/** Porthouse over WebSocket. */
export const porthouse: Dialect = {
  parser: new FrameParser(),
  frame: (payload) => maskedFrame(payload, 'binary'),
  async start(url) {
    const sessions = await Sessions.of(url);
    return (role) => openPipe(sessions, role);
  },
};

/** Where forms for the room are posted. */
export const formPath = ({ discovery }: Sessions): string =>
  String(discovery.endpoints.pipe.form).replace('{room}', ROOM);
