import { createHmac, timingSafeEqual } from 'node:crypto';
import type { CallParams, CallResults } from '../../generated/types.js';
import type { EventLog } from '../ports/sibling.js';

type BindParams = CallParams['sibling.bind'];

/**
 * The proof that a bind must carry: HMAC-SHA256 (RFC 2104) over label, sid, channel and both nonces, LF between
 * them and none at the end, keyed with the decoded sibling secret. `spec/vectors/bind.json` has examples.
 */
export function bindMac(
  secret: Buffer,
  bind: Pick<BindParams, 'sid' | 'channel' | 'cnonce'> & { nonce: string },
): Buffer {
  const text = ['porthouse-bind-v1', bind.sid, bind.channel, bind.nonce, bind.cnonce].join('\n');
  return createHmac('sha256', secret).update(text).digest();
}

/** Compares in constant time. */
export function proves(secret: Buffer, params: BindParams, nonce: string): boolean {
  const given = Buffer.from(params.mac, 'base64url');
  const wanted = bindMac(secret, { ...params, nonce });
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/**
 * What a client that has seen events up to `lastSeq` of `epoch` missed for good (SIB-4, SIB-5), and the last event
 * that it need not be sent.
 */
export function resume(
  log: EventLog,
  wanted: { lastSeq: number; foreign: boolean },
): { gap: CallResults['sibling.bind']['gap']; from: number } {
  const { headSeq, oldestSeq, ackedSeq } = log;
  if (wanted.foreign || wanted.lastSeq > headSeq) {
    return { gap: headSeq === 0 ? null : { from: 1, to: headSeq }, from: headSeq };
  }
  const seen = Math.max(wanted.lastSeq, ackedSeq);
  if (seen + 1 >= oldestSeq) return { gap: null, from: seen };
  return { gap: { from: seen + 1, to: oldestSeq - 1 }, from: oldestSeq - 1 };
}
