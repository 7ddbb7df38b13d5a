import type { SocketState } from './entries.js';

const CHARACTERS: readonly string[] = ['text', 'json'];

/**
 * How a message of `kind` may arrive on a socket; undefined where its transport tells no kinds apart. WebSocket carries
 * JSON as text. Frames of TCP, datagrams and FTP name all three, and there a text may have become JSON in its room.
 */
export function arrivingKinds(kind: string, { opening }: Pick<SocketState, 'opening'>): readonly string[] | undefined {
  const { transport = 'websocket', framing } = opening;
  if (transport === 'websocket') return [kind === 'binary' ? 'binary' : 'text'];
  if (transport !== 'udp' && transport !== 'ftp' && framing !== 'frame') return undefined;
  return kind === 'binary' ? ['binary'] : CHARACTERS;
}

/** How a message of which a case says that it is of `kind` may arrive. */
export function statedKinds(kind: string, socket: Pick<SocketState, 'opening'>): readonly string[] | undefined {
  const arriving = arrivingKinds(kind, socket);
  return arriving === CHARACTERS ? [kind] : arriving;
}
