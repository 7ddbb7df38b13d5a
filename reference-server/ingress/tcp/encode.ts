import type { Framing } from '../../../generated/types.js';
import type { Kind, Message } from '../../ports/message.js';

const LF = Buffer.from('\n');
const KIND_BYTE: Readonly<Record<Kind, number>> = { text: 1, binary: 2, json: 3 };
const MOST_FRAMED = 2 ** 24 - 1;
/** Up to here a payload is copied into one buffer with its neighbours; above, a copy costs more than it saves. */
const COPY_BYTES = 4 * 1024;

/** Whether a message can be carried whole by a framing (TCP-10, TCP-12). */
export function carries(framing: Framing, { payload }: Pick<Message, 'payload'>): boolean {
  if (framing === 'line') return !payload.includes(LF);
  return framing === 'raw' || payload.length <= MOST_FRAMED;
}

function header({ kind, payload }: Message): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes[0] = KIND_BYTE[kind];
  bytes.writeUIntBE(payload.length, 1, 3);
  return bytes;
}

function parts(framing: Framing, message: Message): readonly Buffer[] {
  if (framing === 'raw') return [message.payload];
  return framing === 'line' ? [message.payload, LF] : [header(message), message.payload];
}

/** The messages of a batch as buffers to be written one behind the other; none of them is empty. */
export function encode(framing: Framing, messages: readonly Message[]): readonly Buffer[] {
  const buffers: Buffer[] = [];
  let small: Buffer[] = [];
  const pack = (): void => {
    if (small.length > 0) buffers.push(Buffer.concat(small));
    small = [];
  };
  for (const part of messages.flatMap((message) => parts(framing, message))) {
    if (part.length === 0) continue;
    if (part.length <= COPY_BYTES) small.push(part);
    else {
      pack();
      buffers.push(part);
    }
  }
  pack();
  return buffers;
}
