import type { OpenFailure, OpenResult } from '../websocket/opening.js';
import type { Opening, Way } from '../driver.js';
import { udpKeys } from './codec.js';
import { UdpDriver } from './socket.js';

const ASSOC_BYTES = 8;

const failure = (why: OpenFailure['why'], error: string): OpenFailure => ({
  type: 'failed',
  why,
  error,
  status: undefined,
  violations: [],
});

/** What makes it useless to try. */
function obstacle({ url, udpAssoc }: Way): string | undefined {
  if (url.protocol !== 'udp:' || url.port === '' || url.port === '0') return 'no_udp_address';
  return Buffer.from(udpAssoc ?? '', 'base64url').length === ASSOC_BYTES ? undefined : 'no_udp_assoc';
}

/** Opens a pipe over UDP (udp.md). A server that does not want it says nothing, which takes a while to tell. */
export function openUdp(way: Way): Opening {
  const { url, siblingSecret, ticket, udpAssoc, impairment, byHand = false, signal, onRecord } = way;
  const assoc = Buffer.from(udpAssoc ?? '', 'base64url');
  const driver = new UdpDriver({ url, assoc, keys: udpKeys(siblingSecret, ticket), impairment, byHand, onRecord });
  const hopeless = obstacle(way);
  if (hopeless !== undefined) {
    driver.cut();
    return { driver, protocols: [], result: Promise.resolve(failure('malformed', hopeless)) };
  }
  const result = driver.open(signal).then((opened): OpenResult => {
    signal.throwIfAborted();
    if (opened) return { type: 'opened', subprotocol: undefined, headers: [], violations: [] };
    driver.cut();
    return failure('eof', 'silence');
  });
  return { driver, protocols: [], result };
}
