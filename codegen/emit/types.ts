import { compile } from 'json-schema-to-typescript';
import type { WireSchema } from '../schemas/load.js';
import { BANNER } from './banner.js';
import { syntheticRoot } from './convert.js';

/** Folder and suffix of the schemas that make each method map. */
const MAPS = [
  { name: 'CallParams', says: 'Parameters of each sibling call.', folder: 'calls/', suffix: '.params' },
  { name: 'CallResults', says: 'Result of each sibling call.', folder: 'calls/', suffix: '.result' },
  { name: 'EventParams', says: 'Parameters of each sibling event.', folder: 'events/', suffix: '' },
] as const;

/** Writes `types.ts`: every wire type once, `WireTypes` by schema key, and the method maps. */
export async function emitTypes(schemas: readonly WireSchema[]): Promise<string> {
  const body = await compile({ ...syntheticRoot(schemas) }, 'WireTypes', {
    additionalProperties: false,
    bannerComment: '',
    ignoreMinAndMaxItems: true,
    unreachableDefinitions: true,
    style: { printWidth: 120, singleQuote: true, trailingComma: 'all' },
  });
  return [BANNER, withoutNote(body), ...MAPS.map((map) => methodMap(map, schemas)), methodTypes(schemas)].join('\n');
}

/** The tool notes below a type that only `$defs` refer to it, with its own internal names: noise to a reader. */
function withoutNote(text: string): string {
  return text
    .replace(/ \*\n \* This interface was referenced by `[^]*?\n(?= \*\/)/g, '')
    .replace(/\/\*\*\n \* This interface was referenced by `[^]*?\*\/\n/g, '');
}

function methodMap({ name, says, folder, suffix }: (typeof MAPS)[number], schemas: readonly WireSchema[]): string {
  const members = schemas
    .filter(({ key }) => key.startsWith(folder) && key.endsWith(suffix))
    .map(({ key, title }) => `  '${key.slice(folder.length, key.length - suffix.length)}': ${title};\n`);
  return `/** ${says} */\nexport interface ${name} {\n${members.join('')}}\n`;
}

function methodTypes(schemas: readonly WireSchema[]): string {
  const calls = schemas.filter(({ key }) => key.startsWith('calls/') && key.endsWith('.params'));
  const names = calls.map(({ key }) => `  '${key.slice('calls/'.length, -'.params'.length)}',\n`);
  const events = schemas.filter(({ key }) => key.startsWith('events/'));
  return [
    'export type CallMethod = keyof CallParams;\nexport type EventMethod = keyof EventParams;\n',
    `/** Every sibling call, sorted. */\nexport const callMethods = [\n${names.join('')}] as const satisfies readonly CallMethod[];\n`,
    `/** Every sibling event, sorted. */\nexport const eventMethods = [\n${events
      .map(({ key }) => `  '${key.slice('events/'.length)}',\n`)
      .join('')}] as const satisfies readonly EventMethod[];\n`,
  ].join('\n');
}
