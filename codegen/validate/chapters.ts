import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ajv2020 } from 'ajv/dist/2020.js';
import { filesBelow } from '../files.js';
import { isObject, messageOf, type JsonObject } from '../json.js';
import { blocksOf, type Block } from '../register/markdown.js';
import { SCHEMA_BASE } from '../schemas/load.js';
import { exactErrors, sentenceOf } from './exact-errors.js';
import type { Against } from './examples.js';
import { unregistered } from './registered.js';

/**
 * Checks the worked examples of `spec/protocol/*.md`. A fenced block with the info string
 * - `json <key>` (such as `json calls/fence.params`) is a value of that wire type;
 * - `json rpc` is a whole JSON-RPC message. The method chooses the schema; a reply takes the method of the nearest
 *   request above it in the chapter with the same id, or the one named as in `json rpc fence`. The envelope is checked
 *   against `rpc/request`, `rpc/notification`, `rpc/success` or `rpc/failure`;
 * - `json` alone only has to be JSON.
 *
 * The name and code of each `error` in them has to be in `codes`, if they are given.
 */
export function checkChapters(root: string, { ajv, codes }: Against): readonly string[] {
  return filesBelow(join(root, 'spec/protocol'), '.md').flatMap((name) => {
    const file = `spec/protocol/${name}`;
    const chapter: Chapter = { ajv, codes, methods: new Map() };
    return blocksOf(readFileSync(join(root, file), 'utf8'))
      .filter(({ kind, info }) => kind === 'fence' && /^json\b/.test(info))
      .flatMap((block) => checkBlock(chapter, block).map((problem) => `${file}:${String(block.line)}: ${problem}`));
  });
}

interface Chapter extends Against {
  /** Method of each request seen so far, by the JSON text of its id. */
  readonly methods: Map<string, string>;
}

function checkBlock(chapter: Chapter, { text, info }: Block): readonly string[] {
  const [, type, method] = info.trim().split(/\s+/);
  try {
    const value: unknown = JSON.parse(text);
    if (type === undefined) return [];
    const shape = type === 'rpc' ? checkRpc(chapter, value, method) : against(chapter.ajv, type, value);
    return [...shape, ...(chapter.codes === undefined ? [] : unregistered(chapter.codes, value))];
  } catch (error) {
    return [messageOf(error)];
  }
}

function checkRpc(chapter: Chapter, message: unknown, named: string | undefined): readonly string[] {
  if (!isObject(message)) return ['a JSON-RPC message is an object'];
  const envelope = envelopeOf(message);
  if (envelope === undefined) return ['neither request, notification, success nor failure'];
  const body = envelope === 'failure' ? [] : checkBody(chapter, message, named);
  return [...against(chapter.ajv, `rpc/${envelope}`, message), ...body];
}

function envelopeOf(message: JsonObject): 'request' | 'notification' | 'success' | 'failure' | undefined {
  if ('method' in message) return 'id' in message ? 'request' : 'notification';
  if ('result' in message) return 'success';
  return 'error' in message ? 'failure' : undefined;
}

function checkBody({ ajv, methods }: Chapter, message: JsonObject, named: string | undefined): readonly string[] {
  const id = JSON.stringify(message['id']);
  if ('method' in message) {
    const method = String(message['method']);
    const key = 'id' in message ? `calls/${method}.params` : `events/${method}`;
    if ('id' in message) methods.set(id, method);
    return against(ajv, key, message['params'] ?? {});
  }
  const method = named ?? methods.get(id);
  if (method === undefined) return [`no request with id ${id} above this reply`];
  return against(ajv, `calls/${method}.result`, message['result']);
}

function against(ajv: Ajv2020, key: string, value: unknown): readonly string[] {
  const validate = ajv.getSchema(`${SCHEMA_BASE}${key}.json`);
  if (validate === undefined) return [`no schema ${key}`];
  if (validate(value) === true) return [];
  return exactErrors(ajv, validate.errors ?? []).map((error) => `${key}: ${sentenceOf(error)}`);
}
