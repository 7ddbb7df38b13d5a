import { type EncodedForm, type FormField, encodeMultipart, encodeUrlencoded } from '../drivers/form/encode.js';
import type { Target } from '../endpoints.js';
import { literalContent, sha256 } from '../judge/expect-message.js';
import { quantity } from '../judge/scope.js';
import { asText, isFields } from '../model.js';
import type { Fields } from '../model.js';
import type { Json } from '../timeline.js';
import { seededBytes } from './content.js';
import type { Run } from './run.js';

/** Whether an address of the verb `http` is that of forms. */
export const isForm = (to: string): boolean => to.startsWith('form/');

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

/** Where forms for a room are posted; what stands behind its name is kept. */
export function formAddress({ discovery, wellKnown }: Target, place: string): URL {
  const endpoints = isFields(discovery) ? discovery['endpoints'] : undefined;
  const pipes = isFields(endpoints) ? endpoints['pipe'] : undefined;
  const template = isFields(pipes) ? asText(pipes['form']) : '';
  const [room = '', query] = place.split(/(?=\?)/, 2);
  return new URL(`${template.replace('{room}', room)}${query ?? ''}`, wellKnown);
}

/** The form of an `http` step, with the hashes of its messages; undefined where the step has none. */
export function formOf(
  run: Run,
  { form, urlencoded }: Fields,
  step: number,
): (EncodedForm & { posted: readonly string[] }) | undefined {
  if (!isList(form)) return undefined;
  const fields = form.flatMap((field, index) => fieldsOf(run, field, { step, index }));
  const posted = fields.filter(({ name }) => name === 'message').map(({ content }) => sha256(content));
  return { ...(urlencoded === true ? encodeUrlencoded(fields) : encodeMultipart(fields)), posted };
}

/** A field, or so many alike as its `count` says. */
function fieldsOf(run: Run, field: Json, place: { step: number; index: number }): FormField[] {
  const value = isList(field) ? field[1] : undefined;
  const count = isFields(value) && value['count'] !== undefined ? quantity(value['count'], run.ledger) : 1;
  return Array.from({ length: count }, () => fieldOf(run, field, place));
}

function fieldOf(run: Run, field: Json, place: { step: number; index: number }): FormField {
  const [name, value] = isList(field) ? field : [];
  if (!isFields(value)) return { name: asText(name), content: Buffer.from(asText(value)) };
  const { filename, type, bytes } = value;
  const seeded = { seed: run.setting.seed, case: run.of.id, ...place };
  return {
    name: asText(name),
    content: literalContent(value) ?? seededBytes(seeded, quantity(bytes, run.ledger)),
    ...(filename === undefined ? {} : { filename: asText(filename) }),
    ...(type === undefined ? {} : { type: asText(type) }),
  };
}
