import { ByteQueue } from '../../drivers/byte-queue.js';
import { applyMask, encodeFrame, randomMask } from '../../drivers/websocket/frame.js';
import type { WireFrame } from '../mutant.js';

/** A frame and the bytes that it was read from. */
export interface FrameAndBytes {
  readonly frame: WireFrame;
  readonly raw: Buffer;
}

/** A frame longer than this is not worth holding: the connection is relayed unread from there on. */
const MAX_FRAME_BYTES = 8 * 1024 * 1024;

/** Cuts one direction of a WebSocket connection into frames and keeps their bytes (RFC 6455 §5.2). */
export class FrameSplitter {
  readonly #bytes = new ByteQueue();
  #broken = false;

  /** Whether frames can no longer be told apart; `takeRest` then has what was not returned as a frame. */
  get broken(): boolean {
    return this.#broken;
  }

  /** Bytes of a frame that is not whole yet. */
  get pendingBytes(): number {
    return this.#bytes.length;
  }

  /** Takes bytes from the connection; the caller must not change `chunk` afterwards. */
  push(chunk: Buffer): void {
    this.#bytes.push(chunk);
  }

  /** Removes and returns what is not yet a frame. */
  takeRest(): Buffer {
    return this.#bytes.takeAll();
  }

  /** The next whole frame, or undefined until more bytes come. */
  next(): FrameAndBytes | undefined {
    const size = this.#broken ? undefined : this.#frameSize();
    const raw = size === undefined ? undefined : this.#bytes.take(size.head + size.length);
    return raw === undefined || size === undefined ? undefined : { frame: readFrame(raw, size.head), raw };
  }

  #frameSize(): { head: number; length: number } | undefined {
    const start = this.#bytes.peek(2);
    if (start === undefined) return undefined;
    const short = start.readUInt8(1) & 0x7f;
    const lengthEnd = short === 126 ? 4 : short === 127 ? 10 : 2;
    const head = this.#bytes.peek(lengthEnd);
    if (head === undefined) return undefined;
    const length = short === 126 ? head.readUInt16BE(2) : short === 127 ? Number(head.readBigUInt64BE(2)) : short;
    this.#broken = length > MAX_FRAME_BYTES;
    const keyBytes = (start.readUInt8(1) & 0x80) === 0 ? 0 : 4;
    return this.#broken ? undefined : { head: lengthEnd + keyBytes, length };
  }
}

function readFrame(raw: Buffer, head: number): WireFrame {
  const first = raw.readUInt8(0);
  const masked = (raw.readUInt8(1) & 0x80) !== 0;
  const body = raw.subarray(head);
  const payload = masked ? Buffer.allocUnsafe(body.length) : body;
  if (masked) applyMask(body, raw.subarray(head - 4, head), payload);
  return { fin: (first & 0x80) !== 0, rsv: (first >> 4) & 7, opcode: first & 0xf, masked, payload };
}

/** The bytes of a frame that a mutant made. */
export function frameBytes({ fin, rsv, opcode, payload, masked }: WireFrame): Buffer {
  return encodeFrame({ fin, rsv, opcode, payload, mask: masked ? randomMask() : undefined });
}
