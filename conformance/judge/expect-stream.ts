import { asText, isFields } from '../model.js';
import type { MessageBody, TimelineRecord } from '../timeline.js';
import { literalContent, openMessages } from './expect-message.js';
import { arrivingKinds } from './kinds.js';
import type { Outcome } from './outcome.js';
import { brief, heldBy, received } from './outcome.js';
import { quantity } from './scope.js';
import type { Subject } from './subject.js';

/**
 * `stream`: what comes next is these bytes, of the kind binary where the transport tells kinds apart, in whatever chunks, none of them empty nor longer than `most`. Records hold
 * the first 256 bytes of a message only, so that longer chunks than that cannot be looked at.
 */
export function expectStream({ ledger, socket, expect }: Subject): Outcome {
  const matcher = isFields(expect['stream']) ? expect['stream'] : {};
  const wanted = literalContent(matcher) ?? Buffer.alloc(0);
  const most = matcher['most'] === undefined ? Infinity : quantity(matcher['most'], ledger, socket.member);
  const expected = `at ${socket.at}: a stream of ${brief(matcher)}`;
  const binary = arrivingKinds('binary', socket); // STREAM-3
  const chunks = openMessages(socket.inbound);
  let at = 0;
  for (const [index, entry] of chunks.entries()) {
    const { record } = entry;
    const content = contentOf(record);
    const isBinary = binary === undefined || (record.type === 'message' && binary.includes(record.kind));
    const fits = isBinary && content.length > 0 && content.length <= most && wanted.subarray(at).indexOf(content) === 0;
    if (!fits) return { state: 'failed', why: 'WRONG', expected, received: received(record), record: record.i };
    at += content.length;
    if (at === wanted.length) return heldBy(chunks.slice(0, index + 1));
  }
  return { state: 'pending', expected, nearest: `${String(at)} of ${String(wanted.length)} bytes` };
}

function contentOf(record: TimelineRecord): Buffer {
  const { text, hex } = record as TimelineRecord & Partial<MessageBody>;
  return hex === undefined ? Buffer.from(asText(text ?? ''), 'utf8') : Buffer.from(hex, 'hex');
}
