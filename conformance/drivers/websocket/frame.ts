import { randomFillSync } from 'node:crypto';
import { ByteQueue } from '../byte-queue.js';

/** Opcodes of RFC 6455 §5.2. */
export const OPCODE = { continuation: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const;

/** What a single frame can do wrong, whatever came before it (RFC 6455 §5.1, §5.2, §5.5). */
export type FrameViolation =
  | 'masked_by_server'
  | 'unmasked_by_client'
  | 'rsv_set'
  | 'unknown_opcode'
  | 'control_fragmented'
  | 'control_too_long'
  | 'length_not_minimal'
  | 'length_top_bit_set'
  | 'frame_over_driver_limit';

/** One frame as it stood on the wire. `rsv` is 0-7, RSV1 being 4; `payload` is unmasked. */
export interface Frame {
  readonly fin: boolean;
  readonly rsv: number;
  readonly opcode: number;
  readonly masked: boolean;
  readonly payload: Buffer;
}

/** A frame and what is wrong with it. */
export interface ParsedFrame extends Frame {
  readonly violations: readonly FrameViolation[];
}

/**
 * A frame to encode. The defaults make a legal unfragmented server frame; every field can be set to something illegal.
 *
 * `mask` is the 4-byte key, absent for an unmasked frame. `lengthForm` forces the 7, 16 or 64 bit form (a payload that
 * does not fit the form is a RangeError). `declaredLength` replaces the number of payload bytes in the header only.
 */
export interface FrameToEncode {
  readonly opcode: number;
  readonly payload?: Buffer | undefined;
  readonly fin?: boolean | undefined;
  readonly rsv?: number | undefined;
  readonly mask?: Buffer | undefined;
  readonly lengthForm?: 7 | 16 | 64 | undefined;
  readonly declaredLength?: number | bigint | undefined;
}

/** Whether `opcode` is of the control range 0x8-0xF (RFC 6455 §5.5). */
export const isControl = (opcode: number): boolean => (opcode & 0x8) !== 0;

const KNOWN_OPCODES: ReadonlySet<number> = new Set(Object.values(OPCODE));
const EMPTY = Buffer.alloc(0);

const pool = Buffer.alloc(4096);
let poolAt = pool.length;

/** A random masking key that is not zero: a zero key would hide a server that forgets to unmask. */
export function randomMask(): Buffer {
  for (;;) {
    if (poolAt === pool.length) {
      randomFillSync(pool);
      poolAt = 0;
    }
    const key = Buffer.from(pool.subarray(poolAt, poolAt + 4));
    poolAt += 4;
    if (key.readUInt32BE(0) !== 0) return key;
  }
}

/** `source` XOR the 4-byte `key` repeated (RFC 6455 §5.3), written to `target`, which may be `source` itself. */
export function applyMask(source: Buffer, key: Buffer, target: Buffer): void {
  for (let i = 0; i < source.length; i++) target[i] = (source[i] ?? 0) ^ (key[i & 3] ?? 0);
}

function formFor(length: number | bigint): 7 | 16 | 64 {
  if (length < 126) return 7;
  return length <= 0xffff ? 16 : 64;
}

function writeLength(header: Buffer, form: 7 | 16 | 64, length: number | bigint): void {
  const maskBit = header.readUInt8(1);
  if (form === 7) header.writeUInt8(maskBit | Number(length), 1);
  if (form === 16) header.writeUInt8(maskBit | 126, 1);
  if (form === 16) header.writeUInt16BE(Number(length), 2);
  if (form === 64) header.writeUInt8(maskBit | 127, 1);
  if (form === 64) header.writeBigUInt64BE(BigInt(length), 2);
}

const EXTRA = { 7: 0, 16: 2, 64: 8 } as const;

/** The bytes of one frame, header and payload in one buffer. */
export function encodeFrame(frame: FrameToEncode): Buffer {
  const payload = frame.payload ?? EMPTY;
  const length = frame.declaredLength ?? payload.length;
  const form = frame.lengthForm ?? formFor(length);
  if (form === 7 && length > 125) throw new RangeError('the 7 bit form holds at most 125');
  const lengthEnd = 2 + EXTRA[form];
  const headerLength = lengthEnd + (frame.mask === undefined ? 0 : 4);
  const out = Buffer.allocUnsafe(headerLength + payload.length);
  out.writeUInt8((frame.fin === false ? 0 : 0x80) | ((frame.rsv ?? 0) << 4) | frame.opcode, 0);
  out.writeUInt8(frame.mask === undefined ? 0 : 0x80, 1);
  writeLength(out, form, length);
  if (frame.mask === undefined) {
    payload.copy(out, headerLength);
  } else {
    frame.mask.copy(out, lengthEnd);
    applyMask(payload, frame.mask, out.subarray(headerLength));
  }
  return out;
}

/** Whose frames a parser reads: a server's must be unmasked, a client's masked (RFC 6455 §5.1). */
export type FrameSender = 'server' | 'client';

/** Settings of a `FrameParser`; `maxPayloadBytes` (default 256 MiB) bounds what one frame may make the driver hold. */
export interface FrameParserOptions {
  readonly sender?: FrameSender | undefined;
  readonly maxPayloadBytes?: number | undefined;
}

interface Header {
  readonly first: number;
  readonly masked: boolean;
  readonly bytes: number;
  readonly length: number;
  readonly violations: readonly FrameViolation[];
}

/**
 * Incremental parser of frames, indifferent to how the bytes were cut: `push` what arrives, then call `next` until it
 * is undefined. A frame with faults is still returned, with its faults. Two faults leave no way to find the next frame
 * (a length with its top bit set, one over `maxPayloadBytes`): `broken` then names the fault and `next` stays undefined.
 */
export class FrameParser {
  readonly #bytes = new ByteQueue();
  readonly #sender: FrameSender;
  readonly #maxPayloadBytes: number;
  #header: Header | undefined;
  #broken: FrameViolation | undefined;

  constructor(options: FrameParserOptions = {}) {
    this.#sender = options.sender ?? 'server';
    this.#maxPayloadBytes = options.maxPayloadBytes ?? 256 * 1024 * 1024;
  }

  /** The fault after which frames can no longer be told apart. */
  get broken(): FrameViolation | undefined {
    return this.#broken;
  }

  /** Bytes received that are not yet part of a whole frame. */
  get pendingBytes(): number {
    return this.#bytes.length + (this.#header?.bytes ?? 0);
  }

  /** Takes bytes from the connection; the caller must not change `chunk` afterwards. */
  push(chunk: Buffer): void {
    if (this.#broken === undefined) this.#bytes.push(chunk);
  }

  /** The next whole frame, or undefined until more bytes come. */
  next(): ParsedFrame | undefined {
    this.#header ??= this.#readHeader();
    const header = this.#header;
    if (header === undefined || this.#broken !== undefined) return undefined;
    const keyBytes = header.masked ? 4 : 0;
    const body = this.#bytes.take(keyBytes + header.length);
    if (body === undefined) return undefined;
    this.#header = undefined;
    return {
      fin: (header.first & 0x80) !== 0,
      rsv: (header.first >> 4) & 0x7,
      opcode: header.first & 0xf,
      masked: header.masked,
      payload: header.masked ? unmask(body) : body,
      violations: header.violations,
    };
  }

  #readHeader(): Header | undefined {
    const start = this.#bytes.peek(2);
    if (start === undefined) return undefined;
    const short = start.readUInt8(1) & 0x7f;
    const bytes = 2 + (short === 126 ? 2 : short === 127 ? 8 : 0);
    const whole = this.#bytes.take(bytes);
    if (whole === undefined) return undefined;
    const length = short === 126 ? whole.readUInt16BE(2) : short === 127 ? whole.readBigUInt64BE(2) : short;
    this.#broken = this.#fatal(length);
    const minimal = bytes === 2 + EXTRA[formFor(length)];
    const first = whole.readUInt8(0);
    const masked = (whole.readUInt8(1) & 0x80) !== 0;
    const violations = this.#faults({ first, masked, length, minimal });
    return { first, masked, bytes, length: Number(length), violations };
  }

  #fatal(length: number | bigint): FrameViolation | undefined {
    if (typeof length === 'bigint' && length >> 63n === 1n) return 'length_top_bit_set';
    return length > this.#maxPayloadBytes ? 'frame_over_driver_limit' : undefined;
  }

  #faults(head: { first: number; masked: boolean; length: number | bigint; minimal: boolean }): FrameViolation[] {
    const opcode = head.first & 0xf;
    const faults: FrameViolation[] = [];
    if (head.masked && this.#sender === 'server') faults.push('masked_by_server');
    if (!head.masked && this.#sender === 'client') faults.push('unmasked_by_client');
    if ((head.first & 0x70) !== 0) faults.push('rsv_set');
    if (!KNOWN_OPCODES.has(opcode)) faults.push('unknown_opcode');
    if (isControl(opcode) && (head.first & 0x80) === 0) faults.push('control_fragmented');
    if (isControl(opcode) && head.length > 125) faults.push('control_too_long');
    if (!head.minimal) faults.push('length_not_minimal');
    return faults;
  }
}

function unmask(keyAndPayload: Buffer): Buffer {
  const payload = Buffer.allocUnsafe(keyAndPayload.length - 4);
  // A new buffer, never in place: the same bytes may be forwarded or recorded as they came.
  applyMask(keyAndPayload.subarray(4), keyAndPayload, payload);
  return payload;
}
