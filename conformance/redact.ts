import { isFields, splitAt } from './model.js';
import type { Json, TimelineRecord } from './timeline.js';

const SECRET_FIELDS = ['pipeTicket', 'siblingSecret'] as const;
const SECRET_CHARACTERS = 43;
const SHORT_TOKEN = 16;

/**
 * Takes the secrets of a run out of its records: each gets a name of the same shape, the same everywhere, so that
 * whoever judges the records afterwards (the schema of a grant, a ticket that came back) sees what the run showed.
 */
export function redact(records: readonly TimelineRecord[]): readonly TimelineRecord[] {
  const names = new Map<string, string>();
  for (const record of records) collect(record, names);
  if (names.size === 0) return records;
  const forms = [...names].flatMap(([secret, name]) => formsOf(secret, name));
  const replacements = new Map(forms);
  const pattern = new RegExp(forms.map(([form]) => bounded(form)).join('|'), 'g');
  return records.map((record) => replaceIn(record, pattern, replacements));
}

function replaceIn(record: TimelineRecord, pattern: RegExp, replacements: ReadonlyMap<string, string>): TimelineRecord {
  const text = JSON.stringify(record);
  const replaced = text.replace(pattern, (found) => replacements.get(found) ?? found);
  return replaced === text ? record : (JSON.parse(replaced) as TimelineRecord);
}

// As it stands in JSON, and as hex in raw bytes.
function formsOf(secret: string, name: string): [string, string][] {
  const hex = (text: string): string => Buffer.from(text, 'utf8').toString('hex');
  return [
    [JSON.stringify(secret).slice(1, -1), name],
    [hex(secret), hex(name)],
  ];
}

// A short token such as `dev.a` must not be found inside a longer word.
const bounded = (text: string): string => `(?<![\\w-])${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w-])`;

function collect(record: TimelineRecord, names: Map<string, string>): void {
  if (record.type === 'run') {
    for (const [account, token] of Object.entries(record.tokens)) names.set(token, tokenName(account, token));
  }
  if (record.type === 'http' && record.dir === 'in') collectIssued(record.json, splitAt(record.at).member, names);
  if (record.type !== 'frame' || record.dir === 'out' || !isFields(record.json)) return;
  collectIssued(record.json['result'], splitAt(record.at).member, names);
}

const tokenName = (account: string, token: string): string =>
  token.length < SHORT_TOKEN ? `token-of-${account}` : `redacted-token-of-account-${account}`;

function collectIssued(value: Json | undefined, member: string, names: Map<string, string>): void {
  if (!isFields(value)) return;
  for (const field of SECRET_FIELDS) {
    const secret = value[field];
    if (typeof secret !== 'string' || secret.length < SHORT_TOKEN || names.has(secret)) continue;
    const name = `redacted-${field}-${String(names.size)}-of-${member}-`;
    names.set(secret, name.slice(0, SECRET_CHARACTERS - 1).padEnd(SECRET_CHARACTERS, 'A'));
  }
}
