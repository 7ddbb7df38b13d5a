import { createHmac } from 'node:crypto';

/** What a bind proves to know and what it is about; all base64url texts as they stand in the JSON, unpadded. */
export interface BindProof {
  /** 32 bytes. */
  readonly siblingSecret: string;
  readonly sid: string;
  readonly channel: string;
  /** The server's, from `sibling.hello`: 16 bytes, 22 characters. */
  readonly nonce: string;
  /** The client's own: 16 bytes, 22 characters. */
  readonly cnonce: string;
}

/** The bytes that a bind signs: five lines without a last line feed, the nonces in their JSON form. */
export function bindMessage(proof: Omit<BindProof, 'siblingSecret'>): Buffer {
  return Buffer.from(['porthouse-bind-v1', proof.sid, proof.channel, proof.nonce, proof.cnonce].join('\n'), 'utf8');
}

/** The `mac` of `sibling.bind`: HMAC-SHA256 under the decoded secret, base64url without padding. */
export function bindMac(proof: BindProof): string {
  const key = Buffer.from(proof.siblingSecret, 'base64url');
  return createHmac('sha256', key).update(bindMessage(proof)).digest('base64url');
}
