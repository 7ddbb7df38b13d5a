/** Bytes as base64url without padding (RFC 4648, section 5). */
export function toBase64url(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** The bytes that a base64url text encodes. */
export function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

const COUNT_OF_NONCE = 16;

/** A nonce for one bind. */
export const newNonce = (): string => toBase64url(crypto.getRandomValues(new Uint8Array(COUNT_OF_NONCE)));

interface Proof {
  readonly siblingSecret: string;
  readonly sid: string;
  readonly channel: string;
  readonly nonce: string;
  readonly cnonce: string;
}

/** The MAC of a bind (opening.md, "The bind"). */
export async function bindMac({ siblingSecret, sid, channel, nonce, cnonce }: Proof): Promise<string> {
  const use = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', fromBase64url(siblingSecret), use, false, ['sign']);
  const message = new TextEncoder().encode(['porthouse-bind-v1', sid, channel, nonce, cnonce].join('\n'));
  return toBase64url(new Uint8Array(await crypto.subtle.sign('HMAC', key, message)));
}

const LEGIBLE_BYTES = 24;

/** Bytes as a person reads them: the first few as hex. */
export function hexOf(bytes: Uint8Array): string {
  const digits = [...bytes.subarray(0, LEGIBLE_BYTES)].map((byte) => byte.toString(16).padStart(2, '0'));
  return digits.join(' ') + (bytes.length > LEGIBLE_BYTES ? ' …' : '');
}
