import { SCHEMA_BASE } from '../schemas/load.js';

/** Files by path; null leaves one of the small house out. */
export type Files = Readonly<Record<string, string | null>>;

/** A wire type of the small house. */
export function schema(key: string, title: string, body: object): Files {
  const head = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `${SCHEMA_BASE}${key}.json`,
    title,
    description: `${title} of the small house.`,
  };
  return { [`schemas/${key}.json`]: JSON.stringify({ ...head, ...body }) };
}

/** Examples of a wire type, by kind and name. */
export function examples(key: string, kind: 'valid' | 'invalid', values: Readonly<Record<string, unknown>>): Files {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      `schemas/examples/${key}/${kind}/${name}.json`,
      JSON.stringify(value),
    ]),
  );
}

const described = { description: 'As named.' };
const count = { ...described, type: 'integer', minimum: 1 };

/** A wire type of each folder of the small house, with its examples. */
export const wireTypes: Files = {
  ...schema('common/position', 'Position', {
    type: 'object',
    properties: { epoch: count, dir: { ...described, enum: ['c2s', 's2c'] } },
    required: ['epoch', 'dir'],
  }),
  ...examples('common/position', 'valid', { a: { epoch: 1, dir: 'c2s' }, b: { epoch: 2, dir: 's2c', later: true } }),
  ...examples('common/position', 'invalid', {
    'required--root': { epoch: 1 },
    'minimum--~epoch': { epoch: 0, dir: 'c2s' },
    'enum--~dir--upper': { epoch: 1, dir: 'C2S' },
  }),
  ...schema('common/limits', 'Limits', {
    type: 'object',
    properties: {
      maxMessageBytes: { ...described, type: 'integer', minimum: 1, maximum: 99, default: 64, 'x-unit': 'bytes' },
    },
  }),
  ...examples('common/limits', 'valid', { a: {}, b: { maxMessageBytes: 5 } }),
  ...examples('common/limits', 'invalid', {
    'type--root': 1,
    'minimum--~maxMessageBytes': { maxMessageBytes: 0 },
    'maximum--~maxMessageBytes': { maxMessageBytes: 100 },
  }),
  ...schema('calls/fence.params', 'FenceParams', {
    type: 'object',
    properties: { after: { $ref: '../common/position.json', ...described }, note: { ...described, type: 'string' } },
    required: ['after'],
  }),
  ...examples('calls/fence.params', 'valid', {
    a: { after: { epoch: 1, dir: 'c2s' } },
    b: { after: { epoch: 1, dir: 's2c' }, note: 'x' },
  }),
  ...examples('calls/fence.params', 'invalid', {
    'required--root': {},
    'required--~after': { after: { epoch: 1 } },
    'type--~note': { after: { epoch: 1, dir: 'c2s' }, note: 1 },
  }),
  ...schema('calls/fence.result', 'FenceResult', { type: 'object', properties: { n: count }, required: ['n'] }),
  ...examples('calls/fence.result', 'valid', { a: { n: 1 }, b: { n: 2 } }),
  ...examples('calls/fence.result', 'invalid', {
    'required--root': {},
    'type--~n': { n: '1' },
    'minimum--~n': { n: 0 },
  }),
  ...schema('events/pipe.mark', 'PipeMark', {
    type: 'object',
    properties: {
      mark: { ...described, type: 'string', maxLength: 4, pattern: '^m' },
      at: { $ref: '../common/position.json' },
    },
    required: ['mark', 'at'],
  }),
  ...examples('events/pipe.mark', 'valid', {
    a: { mark: 'm1', at: { epoch: 1, dir: 's2c' } },
    b: { mark: 'm2', at: { epoch: 1, dir: 's2c' } },
  }),
  ...examples('events/pipe.mark', 'invalid', {
    'required--root': { mark: 'm1' },
    'pattern--~mark': { mark: '1', at: { epoch: 1, dir: 's2c' } },
    'maxLength--~mark': { mark: 'm1234', at: { epoch: 1, dir: 's2c' } },
  }),
  ...schema('events/pipe.gone', 'PipeGone', {
    type: 'object',
    properties: {
      error: {
        ...described,
        type: 'object',
        properties: { name: { ...described, type: 'string' } },
        required: ['name'],
      },
    },
    required: ['error'],
  }),
  ...examples('events/pipe.gone', 'valid', {
    a: { error: { name: 'no_pipe' } },
    b: { error: { name: 'no_pipe', later: 1 } },
  }),
  ...examples('events/pipe.gone', 'invalid', {
    'required--root': {},
    'required--~error': { error: {} },
    'type--~error~name': { error: { name: 1 } },
  }),
  ...envelope('request', { method: { ...described, type: 'string' } }),
  ...envelope('notification', { method: { ...described, type: 'string' } }),
  ...envelope('success', { result: { ...described, type: 'object' } }),
  ...envelope('failure', { error: { ...described, type: 'object', required: ['code', 'data'] } }),
};

/** A JSON-RPC message with one more member than its version. */
function envelope(name: string, member: Readonly<Record<string, object>>): Files {
  const key = `rpc/${name}`;
  const [added = ''] = Object.keys(member);
  const good = added === 'method' ? 'm' : { code: 1001, data: { name: 'no_pipe' } };
  return {
    ...schema(key, `Rpc${name.charAt(0).toUpperCase()}${name.slice(1)}`, {
      type: 'object',
      properties: { jsonrpc: { ...described, const: '2.0' }, ...member },
      required: ['jsonrpc', added],
    }),
    ...examples(key, 'valid', { a: { jsonrpc: '2.0', [added]: good }, b: { jsonrpc: '2.0', [added]: good, id: 1 } }),
    ...examples(key, 'invalid', {
      'required--root': { [added]: good },
      'const--~jsonrpc': { jsonrpc: '1.0', [added]: good },
      [`type--~${added}`]: { jsonrpc: '2.0', [added]: 1 },
    }),
  };
}
