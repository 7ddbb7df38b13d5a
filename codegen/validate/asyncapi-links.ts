import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { isObject } from '../json.js';
import { readChapters } from '../register/register.js';
import { SCHEMA_BASE, type WireSchema } from '../schemas/load.js';

const FILE = 'spec/asyncapi.yaml';

/** How a file of spec/ starts a path into schemas/. */
const BESIDE = '../schemas/';

/** The folders of schemas/ whose wire types are messages, or parts that only a message has. */
const MESSAGES = /^(http|calls|events)\//;

/**
 * Checks what `spec/asyncapi.yaml` points to: each id in an `x-requirements` is stated by a chapter, each schema that
 * it refers to exists, each schema of a message is referred to, and siblings are alike over all transports. A file that is missing or no YAML is left to
 * `checkAsyncApi`.
 */
export function checkAsyncApiLinks(root: string, schemas: readonly WireSchema[]): readonly string[] {
  const document = read(join(root, FILE));
  if (document === undefined) return [];
  const known = new Set(readChapters(root).stated.map(({ id }) => id));
  const keys = schemas.map(({ key }) => key);
  const links = linksIn(document, '');
  const used = new Set(links.schemas.map(({ name }) => name));
  return [
    ...links.requirements
      .filter(({ name }) => !known.has(name))
      .map(({ at, name }) => `${FILE}: ${at} names ${name}, which no chapter states`),
    ...links.schemas
      .filter(({ name }) => !keys.includes(name))
      .map(({ at, name }) => `${FILE}: ${at} refers to ${name}, which is no wire type`),
    ...keys
      .filter((key) => MESSAGES.test(key) && !used.has(key))
      .map((key) => `schemas/${key}.json: nothing in ${FILE} refers to it`),
    ...(messagesOf(document, 'sibling') ?? [])
      .filter((name) => messagesOf(document, 'tcpSibling')?.includes(name) === false)
      .map((name) => `${FILE}: /channels/tcpSibling lacks ${name}, which /channels/sibling has`),
  ];
}

/** What goes over a channel, where there is one. A sibling is the same over every transport. */
function messagesOf(document: unknown, channel: string): readonly string[] | undefined {
  const inside = (node: unknown, name: string): unknown => (isObject(node) ? node[name] : undefined);
  const messages = inside(inside(inside(document, 'channels'), channel), 'messages');
  return isObject(messages) ? Object.keys(messages) : undefined;
}

interface Link {
  /** Place in the document, as a JSON Pointer. */
  readonly at: string;
  /** A requirement id or a schema key. */
  readonly name: string;
}

interface Links {
  readonly requirements: readonly Link[];
  readonly schemas: readonly Link[];
}

function read(file: string): unknown {
  if (!existsSync(file)) return undefined;
  try {
    return parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function linksIn(node: unknown, at: string): Links {
  const parts = isObject(node) || Array.isArray(node) ? Object.entries(node) : [];
  const below = parts.map(([name, value]: [string, unknown]) => linksIn(value, `${at}/${name}`));
  return {
    requirements: [...ownRequirements(node, at), ...below.flatMap(({ requirements }) => requirements)],
    schemas: [...ownSchema(node, at), ...below.flatMap(({ schemas }) => schemas)],
  };
}

function ownRequirements(node: unknown, at: string): readonly Link[] {
  const ids: unknown = isObject(node) ? node['x-requirements'] : undefined;
  return Array.isArray(ids) ? ids.map((id) => ({ at, name: String(id) })) : [];
}

/** A file beside spec/ or our own `$id` says the key; anything else is kept as it is, and is no key. */
function ownSchema(node: unknown, at: string): readonly Link[] {
  const ref = isObject(node) ? node['$ref'] : undefined;
  if (typeof ref !== 'string' || ref.startsWith('#')) return [];
  const base = [BESIDE, SCHEMA_BASE].find((start) => ref.startsWith(start)) ?? '';
  return [{ at, name: base === '' ? ref : ref.slice(base.length).replace(/\.json(#.*)?$/, '') }];
}
