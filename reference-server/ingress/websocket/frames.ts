import type { Message } from '../../ports/message.js';

const FIN = 0x80;
const TEXT = 0x1;
const BINARY = 0x2;

/** Up to here a payload is copied behind its header, so that a message is one buffer; above, a copy costs more than it saves. */
const COPY_BYTES = 4 * 1024;

function headerLength(bytes: number): number {
  return bytes < 126 ? 2 : bytes < 65536 ? 4 : 10;
}

/** Writes the header of an unmasked, unfragmented data frame (RFC 6455, section 5.2) and returns where it ends. */
function writeHeader(target: Buffer, at: number, message: Message): number {
  const bytes = message.payload.length;
  target[at] = FIN | (message.kind === 'binary' ? BINARY : TEXT);
  if (bytes < 126) {
    target[at + 1] = bytes;
  } else if (bytes < 65536) {
    target[at + 1] = 126;
    target.writeUInt16BE(bytes, at + 2);
  } else {
    target[at + 1] = 127;
    target.writeBigUInt64BE(BigInt(bytes), at + 2);
  }
  return at + headerLength(bytes);
}

let latest: { readonly kind: Message['kind']; readonly bytes: number; readonly header: Buffer } | undefined;

/** The header of a message alone; what is long often comes in pieces of one length, whose headers are the same. */
function headerOf(message: Message): Buffer {
  const { kind, payload } = message;
  if (latest?.kind === kind && latest.bytes === payload.length) return latest.header;
  const header = Buffer.allocUnsafe(headerLength(payload.length));
  writeHeader(header, 0, message);
  latest = { kind, bytes: payload.length, header };
  return header;
}

/** Small messages as one run of frames in one buffer. */
function packed(messages: readonly Message[]): Buffer {
  let size = 0;
  for (const { payload } of messages) size += headerLength(payload.length) + payload.length;
  const run = Buffer.allocUnsafe(size);
  let at = 0;
  for (const message of messages) {
    at = writeHeader(run, at, message);
    at += message.payload.copy(run, at);
  }
  return run;
}

/** The messages of a batch as buffers to be written one behind the other; a large payload stays where it is. */
export function encodeFrames(messages: readonly Message[]): readonly Buffer[] {
  if (messages.every(({ payload }) => payload.length <= COPY_BYTES)) return [packed(messages)];
  const buffers: Buffer[] = [];
  let from = 0;
  messages.forEach((message, index) => {
    if (message.payload.length <= COPY_BYTES) return;
    if (index > from) buffers.push(packed(messages.slice(from, index)));
    buffers.push(headerOf(message), message.payload);
    from = index + 1;
  });
  if (from < messages.length) buffers.push(packed(messages.slice(from)));
  return buffers;
}
