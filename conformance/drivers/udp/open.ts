import type { OpenResult } from '../websocket/opening.js';
import type { Opening, Way } from '../driver.js';
import { udpKeys } from './codec.js';
import { UdpDriver } from './socket.js';

/** Opens a pipe over UDP (udp.md). A server that does not want it says nothing, which takes a while to tell. */
export function openUdp({ url, siblingSecret, ticket, udpAssoc, impairment, byHand, signal, onRecord }: Way): Opening {
  const assoc = Buffer.from(udpAssoc ?? '', 'base64url');
  if (assoc.length !== 8) throw new Error('the grant has no udpAssoc of 8 bytes');
  const driver = new UdpDriver({ url, assoc, keys: udpKeys(siblingSecret, ticket), impairment, byHand, onRecord });
  const result = driver.open(signal).then((opened): OpenResult => {
    signal.throwIfAborted();
    if (opened) return { type: 'opened', subprotocol: undefined, headers: [], violations: [] };
    return { type: 'failed', why: 'eof', error: 'silence', status: undefined, violations: [] };
  });
  return { driver, protocols: [], result };
}
