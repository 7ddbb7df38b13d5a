import { type Hash, createCipheriv, createHash } from 'node:crypto';

const CHUNK_BYTES = 64 * 1024;
const KEY_BYTES = 16;

/** Bytes that never repeat, made as they are needed: what is lost, repeated or swapped changes their digest. */
export function* content(bytes: number): Generator<Buffer> {
  const source = createCipheriv('aes-128-ctr', Buffer.alloc(KEY_BYTES), Buffer.alloc(KEY_BYTES));
  const nothing = Buffer.alloc(CHUNK_BYTES);
  for (let left = bytes; left > 0; left -= CHUNK_BYTES) yield source.update(nothing.subarray(0, left));
}

/** What passed one place of the stream. */
export class Account {
  bytes = 0;
  readonly #hash: Hash = createHash('sha256');

  add(chunk: Buffer): void {
    this.bytes += chunk.length;
    this.#hash.update(chunk);
  }

  /** SHA-256 of all of it; nothing can be added afterwards. */
  digest(): string {
    return this.#hash.digest('hex');
  }
}
