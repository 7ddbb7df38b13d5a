import type { Result } from '../../ports/refusal.js';
import { BROKEN, type PartHead } from './parts.js';

const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/;
const TYPE = /^[!#$&^_.+0-9A-Za-z-]+\/[!#$&^_.+0-9A-Za-z-]+/;
/** One parameter: a token, or a quoted string in which a backslash protects a quote or a backslash (RFC 9110). */
const PARAMETER = /;[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:\\["\\]|[^"])*)"|([^\s;"]*))[ \t]*/gy;

/** Content of bytes as they are; a part that says otherwise would have to be decoded, which nobody does (RFC 7578, 4.7). */
const AS_IT_IS = ['7bit', '8bit', 'binary'];

/** A value with parameters, such as `form-data; name="message"`: its parameters by name; null where it is malformed. */
export function parametersOf(value: string, from: number): ReadonlyMap<string, string> | null {
  const found = new Map<string, string>();
  PARAMETER.lastIndex = from;
  let at = from;
  for (let match = PARAMETER.exec(value); match; match = PARAMETER.exec(value)) {
    const [, name = '', quoted, plain] = match;
    const known = name.toLowerCase();
    if (found.has(known)) return null;
    found.set(known, quoted?.replace(/\\(["\\])/g, '$1') ?? plain ?? '');
    at = PARAMETER.lastIndex;
  }
  return at === value.length || /^[ \t;]*$/.test(value.slice(at)) ? found : null;
}

/** A media type and its parameters; null where it is none. */
export function mediaType(value: string): { type: string; parameters: ReadonlyMap<string, string> } | null {
  const type = TYPE.exec(value)?.[0];
  if (type === undefined) return null;
  const space = /^[ \t]*/.exec(value.slice(type.length))?.[0].length ?? 0;
  const parameters = parametersOf(value, type.length + space);
  return parameters && { type: type.toLowerCase(), parameters };
}

function fieldsOf(text: string): ReadonlyMap<string, string> | null {
  const fields = new Map<string, string>();
  for (const line of text.split('\r\n')) {
    const [, name, value] = FIELD.exec(line) ?? [];
    const known = name?.toLowerCase();
    if (known === undefined || value === undefined || fields.has(known)) return null;
    fields.set(known, value);
  }
  return fields;
}

/** The name of a file as far as it matters: whether there is one, and whether that is empty (FORM-12). */
function fileName(parameters: ReadonlyMap<string, string>): string | null {
  const plain = parameters.get('filename');
  const extended = parameters.get('filename*')?.replace(/^[^']*'[^']*'/, ''); // RFC 8187: charset'language'name
  return plain || extended || (plain ?? extended ?? null);
}

/** The head of a part of multipart/form-data (RFC 7578), without the empty line behind it. */
export function partHead(text: string): Result<PartHead> {
  const fields = fieldsOf(text);
  const disposition = /^form-data(?=[ \t;])[ \t]*/i.exec(fields?.get('content-disposition') ?? '');
  if (!fields || !disposition) return BROKEN;
  const parameters = parametersOf(disposition.input, disposition[0].length);
  const name = parameters?.get('name');
  if (!parameters || name === undefined) return BROKEN;
  const encoding = fields.get('content-transfer-encoding') ?? 'binary';
  if (!AS_IT_IS.includes(encoding.toLowerCase())) return { refused: 'unsupported_media_type' };
  const said = fields.get('content-type');
  const media = said === undefined ? null : mediaType(said);
  if (said !== undefined && !media) return BROKEN;
  return {
    name,
    filename: fileName(parameters),
    type: media?.type ?? null,
    charset: media?.parameters.get('charset')?.toLowerCase() ?? null,
  };
}
