import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Parser } from '@asyncapi/parser';
import { SCHEMA_BASE } from '../schemas/load.js';

const FILE = 'spec/asyncapi.yaml';
/** Spectral's severities for error and warning; 2 (information) and 3 (hint) pass. */
const REFUSED: readonly number[] = [0, 1];

/** Checks `spec/asyncapi.yaml` with `@asyncapi/parser`, without touching the network. */
export async function checkAsyncApi(root: string): Promise<readonly string[]> {
  const file = join(root, FILE);
  if (!existsSync(file)) return [`${FILE}: missing`];
  const parser = new Parser({ __unstable: { resolver: { resolvers: [offline(root)] } } });
  const diagnostics = await parser.validate(readFileSync(file, 'utf8'), { source: file });
  return diagnostics
    .filter(({ severity }) => REFUSED.includes(severity))
    .map(({ range, path, message }) => `${FILE}:${String(range.start.line + 1)}: ${path.join('.')}: ${message}`);
}

/** Serves our own `$id`s from schemas/. */
function offline(root: string) {
  return {
    schema: 'https',
    order: 1,
    canRead: (uri: { href(): string }): boolean => uri.href().startsWith(SCHEMA_BASE),
    read: (uri: { href(): string }): string => {
      const path = uri.href().slice(SCHEMA_BASE.length).replace(/#.*$/, '');
      return readFileSync(join(root, 'schemas', path), 'utf8');
    },
  };
}
