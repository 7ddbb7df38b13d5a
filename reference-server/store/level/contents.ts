import { createHash } from 'node:crypto';

const SUM_BYTES = 32;

/**
 * What a store holds, as a number and a sum that does not depend on the order. Written beside every change, it shows at
 * the next start whether the disk has lost or altered anything: the database itself skips what it finds damaged.
 */
export class Contents {
  readonly #digests = new Map<string, Buffer>();
  readonly #sum = Buffer.alloc(SUM_BYTES);

  set(key: string, text: string): void {
    this.remove(key);
    const digest = createHash('sha256').update(`${key}\n${text}`).digest();
    this.#digests.set(key, digest);
    this.#add(digest);
  }

  remove(key: string): void {
    const digest = this.#digests.get(key);
    if (digest && this.#digests.delete(key)) this.#add(digest);
  }

  /** Number and sum as they are written. */
  toString(): string {
    return JSON.stringify({ v: 1, rooms: this.#digests.size, sum: this.#sum.toString('base64url') });
  }

  /** Adding twice takes away again. */
  #add(digest: Buffer): void {
    for (let index = 0; index < SUM_BYTES; index++) this.#sum[index] = (this.#sum[index] ?? 0) ^ (digest[index] ?? 0);
  }
}
