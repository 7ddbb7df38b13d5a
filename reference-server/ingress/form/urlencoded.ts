import type { Refusal } from '../../ports/refusal.js';
import { BROKEN, type FormParser, type Parts } from './parts.js';

const [AMPERSAND, EQUALS, PLUS, PERCENT, SPACE] = [0x26, 0x3d, 0x2b, 0x25, 0x20];
const MOST_NAME_BYTES = 256;

const digit = (byte: number): number => {
  const value = parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(value) ? -1 : value;
};

/**
 * application/x-www-form-urlencoded as it comes, as the URL standard reads it: a percent sign that no two hexadecimal
 * digits follow is one.
 */
export class UrlencodedParser implements FormParser {
  readonly swells = 3;
  readonly #parts: Parts;
  /** The name so far; null once the value has begun. */
  #name: number[] | null = [];
  /** A percent sign and what followed it so far. */
  #held: number[] = [];

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  write(chunk: Buffer): Refusal | null {
    let from = 0;
    for (let at = 0; at <= chunk.length; at++) {
      const byte = at < chunk.length ? chunk[at] : undefined;
      const ends = byte === AMPERSAND || (byte === EQUALS && this.#name !== null);
      if (byte !== undefined && !ends) continue;
      const fault = this.#take(this.#decoded(chunk.subarray(from, at), ends)) ?? this.#separator(byte);
      if (fault) return fault;
      from = at + 1;
    }
    return null;
  }

  end(): Refusal | null {
    return this.#take(this.#decoded(Buffer.alloc(0), true)) ?? this.#pairEnds();
  }

  #separator(byte: number | undefined): Refusal | null {
    if (byte === undefined) return null;
    return byte === AMPERSAND ? this.#pairEnds() : this.#valueBegins();
  }

  #valueBegins(): Refusal | null {
    const name = Buffer.from(this.#name ?? []).toString('latin1');
    this.#name = null;
    return this.#parts.begin({ name, filename: null, type: null, charset: null });
  }

  #pairEnds(): Refusal | null {
    if (this.#name?.length === 0) return null; // nothing between two ampersands
    const fault = this.#name ? this.#valueBegins() : null;
    this.#name = [];
    return fault ?? this.#parts.end();
  }

  #take(bytes: Buffer): Refusal | null {
    if (bytes.length === 0) return null;
    if (this.#name === null) return this.#parts.data(bytes);
    this.#name.push(...bytes.subarray(0, MOST_NAME_BYTES));
    return this.#name.length + bytes.length > 2 * MOST_NAME_BYTES ? BROKEN : null;
  }

  /** The bytes that are meant; what may be the beginning of an escape waits for the rest, unless this is all. */
  #decoded(raw: Buffer, all: boolean): Buffer {
    const out = Buffer.allocUnsafe(raw.length + 2);
    let length = 0;
    for (const byte of raw) {
      if (this.#held.length > 0 && digit(byte) >= 0) {
        this.#held.push(byte);
        if (this.#held.length < 3) continue;
        out[length++] = digit(this.#held[1] ?? 0) * 16 + digit(byte);
        this.#held = [];
        continue;
      }
      for (const held of this.#held.splice(0)) out[length++] = held;
      if (byte === PERCENT) this.#held = [byte];
      else out[length++] = byte === PLUS ? SPACE : byte;
    }
    if (all) for (const held of this.#held.splice(0)) out[length++] = held;
    return out.subarray(0, length);
  }
}
