import type { Refusal } from '../../ports/refusal.js';

/** What stands before the content of a field. */
export interface PartHead {
  readonly name: string;
  /** The name that a file has with its sender, which may be empty; null where the field is text. */
  readonly filename: string | null;
  /** What the field says that it is, in lower case and without parameters; null where it says nothing. */
  readonly type: string | null;
  /** In lower case; null where none is named. */
  readonly charset: string | null;
}

/** Whoever takes the fields of a form, in order, each in as many pieces as it comes in. A refusal ends the form. */
export interface Parts {
  begin(head: PartHead): Refusal | null;
  data(piece: Buffer): Refusal | null;
  end(): Refusal | null;
}

/** Takes the body of a request apart as it comes. After a refusal it takes nothing more. */
export interface FormParser {
  /** How many bytes of the body one byte of a field may take. */
  readonly swells: number;
  write(chunk: Buffer): Refusal | null;
  /** The body is over. */
  end(): Refusal | null;
}

export const BROKEN = { refused: 'protocol_error' } as const satisfies Refusal;
