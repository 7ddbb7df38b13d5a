import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SCHEMA_BASE } from '../schemas/load.js';
import { wireTypes, type Files } from './wire.js';

const error = {
  ...{ name: 'no_pipe', code: 1001, scope: 'call', fatal: false, retry: true, wsClose: null, http: 409, ftp: null },
  ...{ bridge: null, channel: 'command', meaning: 'No pipe is open.' },
};

const core = { name: 'core', transport: false, needs: [], meaning: 'What all have.' };
const tcp = { name: 'tcp', transport: true, needs: ['core'], meaning: 'Over TCP | IP.' };

const registries: Files = {
  'schemas/errors.json': JSON.stringify({ errors: [error] }),
  'schemas/profiles.json': JSON.stringify({ profiles: [core, tcp] }),
  'schemas/registry/errors.schema.json': registrySchema('errors', ['name', 'code', 'meaning']),
  'schemas/registry/profiles.schema.json': registrySchema('profiles', ['name', 'transport', 'needs', 'meaning']),
};

function registrySchema(name: string, required: readonly string[]): string {
  const rows = { type: 'array', items: { type: 'object', required } };
  return JSON.stringify({ type: 'object', properties: { [name]: rows }, required: [name] });
}

/** A chapter of the small house around some paragraphs. */
export function chapter(text: string): string {
  return `# Rooms\n\nProfile: \`core\`\n\n## Size limits\n\n${text}\n`;
}

/** The sentence of the one requirement of the small house. */
export const LIMIT_1 =
  '**ROOM-LIMIT-1.** A router MUST NOT deliver\nany part of a message longer than `MAY`. *Why:* to adapt.';

const prose: Files = {
  'spec/protocol/rooms.md': chapter(
    `${LIMIT_1}\n\n- **ROOM-LIMIT-2.** It MAY say so.\n\n\`\`\`json events/pipe.mark\n{"mark": "m1", "at": {"epoch": 1, "dir": "s2c"}}\n\`\`\``,
  ),
  'spec/protocol/errors.md': '# Errors\n\n<!-- errors -->\n<!-- /errors -->\n\nAfter.\n',
  'spec/protocol/limits.md': '# Limits\n\n<!-- limits -->\n<!-- /limits -->\n',
  'spec/protocol/profiles.md': '# Profiles\n\n<!-- profiles -->\n<!-- /profiles -->\n',
  'conformance/cases/rooms/limit.yaml': 'id: rooms/limit\nsteps:\n  - exactly: {}\n    proves: [ROOM-LIMIT-1]\n',
  'spec/asyncapi.yaml': [
    'asyncapi: 3.1.0',
    'id: urn:example:small',
    'defaultContentType: application/json',
    'info: { title: Small, version: 1.0.0, description: A small one., license: { name: MIT }, contact: { name: A, url: "https://porthouse.example", email: a@porthouse.example }, tags: [{ name: small }] }',
    'servers: { local: { host: "localhost:1", protocol: ws } }',
    'channels:',
    '  sibling:',
    '    address: /sibling',
    '    messages:',
    ...['events/pipe.mark', 'events/pipe.gone', 'calls/fence.params', 'calls/fence.result'].map(
      (key, at) => `      m${String(at)}: { name: m${String(at)}, payload: { $ref: "${SCHEMA_BASE}${key}.json" } }`,
    ),
    'operations:',
    '  hear: { action: receive, channel: { $ref: "#/channels/sibling" }, x-requirements: [ROOM-LIMIT-1] }',
  ].join('\n'),
};

/** Writes a small, flawless house below `folder`, with `changes` laid over it, and returns the folder. */
export function smallHouse(folder: string, changes: Files = {}): string {
  for (const [path, text] of Object.entries({ ...wireTypes, ...registries, ...prose, ...changes })) {
    if (text === null) continue;
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}
