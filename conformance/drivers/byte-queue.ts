/**
 * Bytes in the order in which they arrived, cut at places that are not the sender's.
 *
 * `take` copies only what lies across two chunks, so a large frame costs one copy and a small one none.
 */
export class ByteQueue {
  #chunks: Buffer[] = [];
  #first = 0;
  #length = 0;

  /** Bytes waiting. */
  get length(): number {
    return this.#length;
  }

  /** Appends `chunk`, which the caller must not change afterwards. */
  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** The first `count` bytes, left in place; undefined while fewer are there. */
  peek(count: number): Buffer | undefined {
    if (count > this.#length) return undefined;
    const head = this.#chunks[this.#first];
    if (head === undefined) return Buffer.alloc(0);
    return head.length >= count ? head.subarray(0, count) : this.#gather(count);
  }

  /** Removes the first `count` bytes and returns them; undefined, and nothing removed, while fewer are there. */
  take(count: number): Buffer | undefined {
    const bytes = this.peek(count);
    if (bytes !== undefined) this.#drop(count);
    return bytes;
  }

  /** Removes and returns all that is there. */
  takeAll(): Buffer {
    return this.take(this.#length) ?? Buffer.alloc(0);
  }

  /** Distance of the first `byte` from the front, or -1. */
  indexOf(byte: number): number {
    let before = 0;
    for (let i = this.#first; i < this.#chunks.length; i++) {
      const chunk = this.#chunks[i];
      const at = chunk?.indexOf(byte) ?? -1;
      if (at >= 0) return before + at;
      before += chunk?.length ?? 0;
    }
    return -1;
  }

  #gather(count: number): Buffer {
    const out = Buffer.allocUnsafe(count);
    let filled = 0;
    for (let i = this.#first; filled < count; i++) {
      const chunk = this.#chunks[i];
      if (chunk === undefined) break;
      filled += chunk.copy(out, filled, 0, count - filled);
    }
    return out;
  }

  #drop(count: number): void {
    this.#length -= count;
    let left = count;
    while (left > 0) {
      const head = this.#chunks[this.#first];
      if (head === undefined) return;
      if (head.length > left) {
        this.#chunks[this.#first] = head.subarray(left);
        break;
      }
      left -= head.length;
      this.#first += 1;
    }
    this.#forgetConsumed();
  }

  // Array#shift on every chunk would be quadratic for a message that came byte by byte.
  #forgetConsumed(): void {
    if (this.#first < this.#chunks.length / 2) return;
    this.#chunks = this.#chunks.slice(this.#first);
    this.#first = 0;
  }
}
