import { isUtf8 } from 'node:buffer';
import type { FrameViolation, ParsedFrame } from './frame.js';
import { OPCODE, isControl } from './frame.js';

/** What a sequence of frames can do wrong (RFC 6455 §5.4, §5.5.1, §7.4, §8.1). */
export type MessageViolation =
  | 'continuation_without_start'
  | 'message_inside_message'
  | 'invalid_utf8'
  | 'close_payload_of_one_byte'
  | 'close_code_reserved'
  | 'close_reason_not_utf8'
  | 'data_after_close'
  | 'message_over_driver_limit';

/** Every fault of the peer that the driver reports as a record. */
export type WebSocketViolation = FrameViolation | MessageViolation;

/** What frames add up to. `fragments` is the number of data frames, 1 for a message in one piece. */
export type FrameRecord =
  | { readonly type: 'message'; readonly kind: 'text' | 'binary'; readonly payload: Buffer; readonly fragments: number }
  | { readonly type: 'ping'; readonly payload: Buffer }
  | { readonly type: 'pong'; readonly payload: Buffer }
  | { readonly type: 'close'; readonly code: number; readonly reason: string }
  | { readonly type: 'violation'; readonly what: WebSocketViolation };

/** The code that a close frame without payload stands for (RFC 6455 §7.1.5). */
export const NO_STATUS_RECEIVED = 1005;

/** Whether a peer may send `code` (RFC 6455 §7.4 and the IANA registry: 1012-1014 were added later). */
export function isSendableCloseCode(code: number): boolean {
  if (code >= 3000 && code <= 4999) return true;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}

interface OpenMessage {
  readonly kind: 'text' | 'binary';
  readonly parts: Buffer[];
  bytes: number;
}

/**
 * Joins frames to messages and checks what only the sequence shows. Calls `emit` synchronously, violations of a frame
 * before what the frame brought. A faulty frame is still delivered where that has a meaning, so that a message is not
 * called missing when it came with a fault: only unknown opcodes, stray continuations and what follows a close frame
 * deliver nothing.
 */
export class MessageAssembler {
  readonly #emit: (record: FrameRecord) => void;
  readonly #maxMessageBytes: number;
  #open: OpenMessage | undefined;
  #closed = false;

  constructor(emit: (record: FrameRecord) => void, maxMessageBytes = 256 * 1024 * 1024) {
    this.#emit = emit;
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** Whether the peer's close frame came. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Takes the next frame in order. */
  accept(frame: ParsedFrame): void {
    for (const what of frame.violations) this.#violation(what);
    if (this.#closed) return this.#violation('data_after_close');
    if (frame.violations.includes('unknown_opcode')) return;
    if (isControl(frame.opcode)) this.#control(frame);
    else this.#data(frame);
  }

  #violation(what: WebSocketViolation): void {
    this.#emit({ type: 'violation', what });
  }

  #control(frame: ParsedFrame): void {
    if (frame.opcode === OPCODE.close) this.#close(frame.payload);
    else this.#emit({ type: frame.opcode === OPCODE.ping ? 'ping' : 'pong', payload: frame.payload });
  }

  #close(payload: Buffer): void {
    this.#closed = true;
    if (payload.length === 1) this.#violation('close_payload_of_one_byte');
    const code = payload.length < 2 ? NO_STATUS_RECEIVED : payload.readUInt16BE(0);
    if (payload.length >= 2 && !isSendableCloseCode(code)) this.#violation('close_code_reserved');
    const reason = payload.subarray(2);
    if (!isUtf8(reason)) this.#violation('close_reason_not_utf8');
    this.#emit({ type: 'close', code, reason: reason.toString('utf8') });
  }

  #data(frame: ParsedFrame): void {
    const starts = frame.opcode !== OPCODE.continuation;
    if (!starts && this.#open === undefined) return this.#violation('continuation_without_start');
    if (starts && this.#open !== undefined) this.#violation('message_inside_message');
    if (starts) this.#open = { kind: frame.opcode === OPCODE.text ? 'text' : 'binary', parts: [], bytes: 0 };
    const message = this.#open;
    if (message !== undefined) this.#append(message, frame);
  }

  #append(message: OpenMessage, frame: ParsedFrame): void {
    message.parts.push(frame.payload);
    message.bytes += frame.payload.length;
    if (message.bytes > this.#maxMessageBytes) {
      this.#open = undefined;
      this.#violation('message_over_driver_limit');
    } else if (frame.fin) {
      this.#open = undefined;
      this.#deliver(message);
    }
  }

  #deliver({ kind, parts }: OpenMessage): void {
    const single = parts.length === 1 ? parts[0] : undefined;
    const payload = single ?? Buffer.concat(parts);
    if (kind === 'text' && !isUtf8(payload)) this.#violation('invalid_utf8');
    this.#emit({ type: 'message', kind, payload, fragments: parts.length });
  }
}
