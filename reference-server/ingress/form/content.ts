import { isUtf8 } from 'node:buffer';
import type { Kind } from '../../ports/message.js';
import type { Refusal, Result } from '../../ports/refusal.js';
import type { PartHead } from './parts.js';

/** What is kept of a field. */
export interface FieldRules {
  /** Bytes of content. */
  readonly most: number;
  /** A message; otherwise it is a matter of the form's own, and text. */
  readonly message?: true;
}

/** A field whose content is wanted. */
export interface Content {
  readonly name: string;
  readonly message: boolean;
  add(piece: Buffer): Refusal | null;
  /** All of it; null where there is nothing to it, which is how a browser sends a file that nobody chose. */
  whole(): Result<{ readonly kind: Kind; readonly payload: Buffer }> | null;
}

const UNSUPPORTED = { refused: 'unsupported_media_type' } as const;

/** Takes the content of a field; a field that nobody knows is passed over. */
export function collect(head: PartHead, rules: FieldRules | undefined): Content | Refusal {
  const { name, filename, charset, type } = head;
  const message = rules?.message === true;
  if (rules && !message && filename !== null) return { refused: 'invalid_params', pointer: `/${name}` };
  const text = rules !== undefined && filename === null;
  // FORM-10; a multipart inside is a list of files as it was sent before RFC 7578.
  if (text && ((charset ?? 'utf-8') !== 'utf-8' || type?.startsWith('multipart/'))) return UNSUPPORTED;
  const pieces: Buffer[] = [];
  let bytes = 0;
  return {
    name,
    message,
    add(piece) {
      if (!rules) return null;
      bytes += piece.length;
      if (bytes > rules.most) return tooLong(name, rules);
      pieces.push(piece);
      return null;
    },
    whole() {
      if (!rules || (filename === '' && bytes === 0)) return null;
      const payload = Buffer.concat(pieces);
      if (text && !isUtf8(payload)) return { refused: 'invalid_utf8' };
      return { kind: text ? 'text' : 'binary', payload };
    },
  };
}

function tooLong(name: string, { most, message }: FieldRules): Refusal {
  if (message) return { refused: 'message_too_long', limit: most };
  return name === 'ticket' ? { refused: 'ticket_invalid' } : { refused: 'invalid_params', pointer: `/${name}` };
}
