import { createCipheriv, createHash } from 'node:crypto';

/** Where seeded content belongs: the same place in the same run gives the same bytes. */
export interface ContentPlace {
  readonly seed: number;
  readonly case: string;
  readonly step: number;
  readonly index: number;
}

/** `length` bytes that look random and are the same for the same place. */
export function seededBytes(place: ContentPlace, length: number): Buffer {
  const key = createHash('sha256').update(JSON.stringify(place)).digest();
  return createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16, 32)).update(Buffer.alloc(length));
}

const OTHER_SCRIPTS = Buffer.from('é☕𝄞', 'utf8');

/** `length` bytes of valid UTF-8, with characters of two, three and four bytes where they fit. */
export function seededText(place: ContentPlace, length: number): Buffer {
  const text = Buffer.from(seededBytes(place, length).toString('base64').slice(0, length), 'latin1');
  if (length >= OTHER_SCRIPTS.length * 2) OTHER_SCRIPTS.copy(text, 0);
  return text;
}
