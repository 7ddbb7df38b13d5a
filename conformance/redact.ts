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
  return records.map((record) => (SILENT.has(record.type) ? record : replaceIn(record, forms)));
}

// What the kit itself noted, where no secret can stand: half of a run.
const SILENT: ReadonlySet<TimelineRecord['type']> = new Set(['step', 'skip', 'suite']);

/** A way in which a secret can be written, and what stands in its place. */
interface Form {
  readonly written: string;
  readonly name: string;
  /** For those that could be part of a longer word by chance. */
  readonly pattern?: RegExp;
}

function replaceIn(record: TimelineRecord, forms: readonly Form[]): TimelineRecord {
  const text = JSON.stringify(record);
  // Most records hold no secret, and a run may have very many of them.
  const found = forms.filter(({ written }) => text.includes(written));
  if (found.length === 0) return record;
  const replaced = found.reduce((all, { written, name, pattern }) => all.replaceAll(pattern ?? written, name), text);
  return JSON.parse(replaced) as TimelineRecord;
}

// As it stands in JSON, and as hex in raw bytes.
function formsOf(secret: string, name: string): Form[] {
  const hex = (text: string): string => Buffer.from(text, 'utf8').toString('hex');
  const written = JSON.stringify(secret).slice(1, -1);
  // A short token such as `dev.a` must not be found inside a longer word.
  const pattern =
    secret.length < SHORT_TOKEN ? { pattern: new RegExp(`(?<![\\w-])${escaped(written)}(?![\\w-])`, 'g') } : {};
  return [
    { written, name, ...pattern },
    { written: hex(secret), name: hex(name) },
  ];
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

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
