/** A field of a form; with a file name it is a file, whatever the name. */
export interface FormField {
  readonly name: string;
  readonly content: Buffer;
  readonly filename?: string | undefined;
  /** Content-Type of its part. */
  readonly type?: string | undefined;
}

/** A body with the Content-Type that it needs. */
export interface EncodedForm {
  readonly type: string;
  readonly body: Buffer;
}

const BOUNDARY = 'porthouse-kit-0b5d8e7f';
const CRLF = '\r\n';

export const MULTIPART_TYPE = `multipart/form-data; boundary=${BOUNDARY}`;
export const DELIMITER = Buffer.from(`--${BOUNDARY}${CRLF}`);
const LAST_DELIMITER = Buffer.from(`--${BOUNDARY}--${CRLF}`);

/** Ends a form whose next part has been announced already: a field that nobody knows, and the last delimiter. */
export const LAST_PART = Buffer.from(
  `Content-Disposition: form-data; name="end"${CRLF}${CRLF}${CRLF}--${BOUNDARY}--${CRLF}`,
);

/** What browsers do to what would end a quoted name (HTML, multipart/form-data encoding). */
const quoted = (text: string): string =>
  text.replace(/["\r\n]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);

/** One part of multipart/form-data (RFC 7578), without the delimiter before it. */
export function encodePart({ name, content, filename, type }: FormField): Buffer {
  const file = filename === undefined ? '' : `; filename="${quoted(filename)}"`;
  const head = [
    `Content-Disposition: form-data; name="${quoted(name)}"${file}`,
    ...(type === undefined ? [] : [`Content-Type: ${type}`]),
  ];
  return Buffer.concat([Buffer.from([...head, '', ''].join(CRLF)), content, Buffer.from(CRLF)]);
}

/** A whole form as multipart/form-data. */
export function encodeMultipart(fields: readonly FormField[]): EncodedForm {
  return {
    type: MULTIPART_TYPE,
    body: Buffer.concat([...fields.flatMap((field) => [DELIMITER, encodePart(field)]), LAST_DELIMITER]),
  };
}

const PLAIN = /[A-Za-z0-9*._-]/;

function escaped(bytes: Buffer): string {
  return [...bytes]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      if (PLAIN.test(character)) return character;
      return character === ' ' ? '+' : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

/** A whole form as application/x-www-form-urlencoded; files lose their names. */
export function encodeUrlencoded(fields: readonly FormField[]): EncodedForm {
  const pairs = fields.map(({ name, content }) => `${escaped(Buffer.from(name))}=${escaped(content)}`);
  return { type: 'application/x-www-form-urlencoded', body: Buffer.from(pairs.join('&')) };
}
