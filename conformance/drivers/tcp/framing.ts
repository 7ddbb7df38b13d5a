import type { MessageKind, Outgoing } from '../driver.js';

/** A message as it came; where the framing tells no kinds apart, text for a line and binary for raw bytes. */
export interface Incoming {
  readonly kind: MessageKind;
  readonly payload: Buffer;
}

/** What the bytes of a connection are, by its framing (tcp.md). */
export interface Codec {
  encode(message: Outgoing): Buffer;
  /** The messages that `bytes` make whole. */
  push(bytes: Buffer): Incoming[];
  /** Bytes of a message that is not whole yet. */
  readonly pendingBytes: number;
  /** The rule that the other side broke; nothing is read any more then. */
  readonly broken: string | undefined;
}

const KINDS: readonly (MessageKind | undefined)[] = [undefined, 'text', 'binary', 'json'];
const HEADER_BYTES = 4;

/** Collects bytes until something whole can be cut off their beginning. */
abstract class Cutting implements Codec {
  #rest = Buffer.alloc(0);
  broken: string | undefined;

  get pendingBytes(): number {
    return this.#rest.length;
  }

  abstract encode(message: Outgoing): Buffer;

  /** The first message of the bytes and where the next one begins; undefined where there is none yet. */
  protected abstract cut(bytes: Buffer): { readonly message: Incoming; readonly end: number } | undefined;

  push(bytes: Buffer): Incoming[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const found: Incoming[] = [];
    let next = this.cut(this.#rest);
    while (next !== undefined && this.broken === undefined) {
      found.push(next.message);
      this.#rest = this.#rest.subarray(next.end);
      next = this.cut(this.#rest);
    }
    return found;
  }
}

class Lines extends Cutting {
  encode({ payload }: Outgoing): Buffer {
    return Buffer.concat([payload, Buffer.from('\n')]);
  }

  protected cut(bytes: Buffer): { message: Incoming; end: number } | undefined {
    const at = bytes.indexOf(0x0a);
    return at < 0 ? undefined : { message: { kind: 'text', payload: bytes.subarray(0, at) }, end: at + 1 };
  }
}

class Frames extends Cutting {
  encode({ kind, payload }: Outgoing): Buffer {
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32BE(payload.length);
    header[0] = KINDS.indexOf(kind);
    return Buffer.concat([header, payload]);
  }

  protected cut(bytes: Buffer): { message: Incoming; end: number } | undefined {
    if (bytes.length < HEADER_BYTES) return undefined;
    const kind = KINDS[bytes[0] ?? 0];
    if (kind === undefined) this.broken = 'frame_kind';
    const end = HEADER_BYTES + (bytes.readUInt32BE(0) & 0xffffff);
    if (kind === undefined || bytes.length < end) return undefined;
    return { message: { kind, payload: bytes.subarray(HEADER_BYTES, end) }, end };
  }
}

const raw: Codec = {
  pendingBytes: 0,
  broken: undefined,
  encode: ({ payload }) => payload,
  push: (payload) => [{ kind: 'binary', payload }],
};

/** The codec of a framing; whatever is no framing is `raw`, so that a case can show what a server says to it. */
export function codecOf(framing: string): Codec {
  if (framing === 'line') return new Lines();
  return framing === 'frame' ? new Frames() : raw;
}
