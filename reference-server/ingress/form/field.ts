import { isUtf8 } from 'node:buffer';
import type { Refusal, Result } from '../../ports/refusal.js';
import type { PartHead } from './parts.js';

/** What is kept of a field of text. */
export interface FieldRules {
  /** Bytes of content. */
  readonly most: number;
  /** A message; otherwise it is a matter of the form's own. */
  readonly message?: true;
}

/** A field of text whose content may be wanted. */
export interface Field {
  readonly name: string;
  readonly message: boolean;
  add(piece: Buffer): Refusal | null;
  /** All of it; null where nobody wants it. */
  whole(): Result<{ readonly bytes: Buffer }> | null;
}

const UNSUPPORTED = { refused: 'unsupported_media_type' } as const;

/** Takes the content of a field; one that nobody knows, for which there are no rules, is passed over. */
export function collect({ name, filename, charset, type }: PartHead, rules: FieldRules | undefined): Field | Refusal {
  if (rules && filename !== null) return { refused: 'invalid_params', pointer: `/${name}` };
  // FORM-14; a multipart inside is a list of files as it was sent before RFC 7578.
  const text = (charset ?? 'utf-8') === 'utf-8' && !type?.startsWith('multipart/');
  if (rules && !text) return UNSUPPORTED;
  const pieces: Buffer[] = [];
  let length = 0;
  return {
    name,
    message: rules?.message === true,
    add(piece) {
      if (!rules) return null;
      length += piece.length;
      if (length > rules.most) return tooLong(name, rules);
      pieces.push(piece);
      return null;
    },
    whole() {
      if (!rules) return null;
      const bytes = Buffer.concat(pieces);
      return isUtf8(bytes) ? { bytes } : rules.message ? { refused: 'invalid_utf8' } : unlike(name);
    },
  };
}

function tooLong(name: string, { most, message }: FieldRules): Refusal {
  return message ? { refused: 'message_too_long', limit: most } : unlike(name);
}

/** A field that cannot be what it is to be: no ticket looks like that (FORM-7), nor a key (FORM-18). */
function unlike(name: string): Refusal {
  if (name === 'ticket') return { refused: 'ticket_invalid' };
  return name === '_charset_' ? UNSUPPORTED : { refused: 'invalid_params', pointer: `/${name}` };
}
