import type { Opening, Way } from '../driver.js';
import { codecOf } from './framing.js';
import { TcpDriver } from './socket.js';

/** Opens a pipe or a sibling over TCP (tcp.md). Nothing answers a preamble, so it is open as soon as it is said. */
export function openTcp({ kind, url, ticket, framing = 'frame', protocols, tls, signal, onRecord }: Way): Opening {
  const sibling = kind === 'sibling';
  const right = sibling ? 'PH1-SIBLING\n' : `PH1 ${ticket} ${framing}\n`;
  const preamble = protocols?.[0] ?? right;
  const driver = new TcpDriver({ url, tls, preamble, codec: codecOf(sibling ? 'line' : framing), onRecord });
  return { driver, protocols: [], result: driver.open(signal) };
}
