import { isFields, splitAt } from './model.js';
import type { Replacement } from './strings.js';
import { replaceStrings } from './strings.js';
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
  const forms = [...names].flatMap(([secret, name]) => formsOf(secret, name)).sort(byLength);
  const replacement: Replacement = {
    holds: (text) => holdsAny(text, forms),
    change: (text) => replaceIn(text, forms),
  };
  return records.map((record) =>
    SILENT.has(record.type) ? record : (replaceStrings(record, replacement) as TimelineRecord),
  );
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

const byLength = (a: Form, b: Form): number => a.written.length - b.written.length;

// The shortest come first: most strings of a run are too short for any other.
function holdsAny(text: string, forms: readonly Form[]): boolean {
  for (const { written } of forms) {
    if (written.length > text.length) return false;
    if (text.includes(written)) return true;
  }
  return false;
}

// The longest goes first: a shorter one may be the beginning of it.
const replaceIn = (text: string, forms: readonly Form[]): string =>
  forms.reduceRight((all, { written, name, pattern }) => {
    return all.includes(written) ? all.replaceAll(pattern ?? written, name) : all;
  }, text);

// As it is, as it stands inside a JSON text, and as hex in raw bytes.
function formsOf(secret: string, name: string): Form[] {
  const hex = (text: string): string => Buffer.from(text, 'utf8').toString('hex');
  // A short token such as `dev.a` must not be found inside a longer word.
  const whole = (written: string): Pick<Form, 'pattern'> =>
    secret.length < SHORT_TOKEN ? { pattern: new RegExp(`(?<![\\w-])${escaped(written)}(?![\\w-])`, 'g') } : {};
  const texts = new Set([secret, JSON.stringify(secret).slice(1, -1)]);
  return [
    ...[...texts].map((written) => ({ written, name, ...whole(written) })),
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
