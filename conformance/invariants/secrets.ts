import type { Ledger } from '../judge/ledger.js';
import { isFields, splitAt } from '../model.js';
import { someString } from '../strings.js';
import type { Json, TimelineRecord } from '../timeline.js';
import type { FinishedRun, Violation } from './violation.js';
import { violation } from './violation.js';

// A shorter token (`dev.a`) can stand in other words by chance.
const TELLING = 16;

/**
 * SEC-8, TICKET-4, DBG-2: no ticket, sibling secret or bearer token comes from the server but in the one answer that
 * issues it; on a debug channel no text of a message either.
 */
export function secretViolations({ ledger, records }: FinishedRun): Violation[] {
  const secrets = new Map<string, string>();
  for (const token of Object.values(ledger.run?.tokens ?? {}))
    if (token.length >= TELLING) secrets.set(token, 'a bearer token');
  return records.filter(isReceived).flatMap((record) => {
    const found = leaked(record, secrets).map((what) => leak(record, what));
    for (const [secret, what] of issuedBy(record)) secrets.set(secret, what);
    return [...found, ...payloadOnDebug(ledger, record)];
  });
}

function isReceived(record: TimelineRecord): boolean {
  if (record.type === 'socket') return record.dir !== 'out';
  return (record.type === 'http' || record.type === 'frame' || record.type === 'message') && record.dir === 'in';
}

/** Says of each secret in a record what it is. */
function leaked(record: TimelineRecord, secrets: ReadonlyMap<string, string>): string[] {
  const text = receivedIn(record);
  if (!someString(text, (each) => holdsAny(each, secrets))) return [];
  return [...secrets].flatMap(([secret, what]) => (someString(text, (each) => each.includes(secret)) ? [what] : []));
}

function holdsAny(text: string, secrets: ReadonlyMap<string, string>): boolean {
  for (const secret of secrets.keys()) if (text.includes(secret)) return true;
  return false;
}

// What the kit noted beside what was received (its own labels, the address it dialled) is none of that.
function receivedIn(record: TimelineRecord): unknown {
  if (record.type === 'http') return [record.headers, record.body, withoutIssued(record.json)];
  if (record.type === 'socket') return [record.headers, record.json, record.text, record.reason];
  if (record.type !== 'frame' || !isFields(record.json)) return record;
  const result = withoutIssued(record.json['result']);
  return result === record.json['result'] ? record.json : { ...record.json, result };
}

// The places where an answer issues secrets; RPC-9 repeats such an answer as it was.
function withoutIssued(value: Json | undefined): Json | undefined {
  if (!isFields(value) || (value['pipeTicket'] === undefined && value['siblingSecret'] === undefined)) return value;
  const { pipeTicket: _ticket, siblingSecret: _secret, ...rest } = value;
  return rest;
}

function isOnDebug(record: TimelineRecord): boolean {
  return 'at' in record && splitAt(record.at).socket === 'debug';
}

function leak(record: TimelineRecord, what: string): Violation {
  const requirement = isOnDebug(record) ? 'DBG-2' : record.type === 'socket' ? 'TICKET-4' : 'SEC-8';
  return violation({
    requirement,
    record,
    expected: 'no secret but in the answer that issues it',
    received: `${what} again, in a ${record.type} record`,
  });
}

function issuedBy(record: TimelineRecord): (readonly [string, string])[] {
  if (record.type === 'http') return secretsIn(record.json);
  if (record.type !== 'frame' || !isFields(record.json)) return [];
  return secretsIn(record.json['result']);
}

function secretsIn(value: Json | undefined): (readonly [string, string])[] {
  const { pipeTicket, siblingSecret } = isFields(value) ? value : {};
  return [
    ...(typeof pipeTicket === 'string' ? [[pipeTicket, 'a pipe ticket'] as const] : []),
    ...(typeof siblingSecret === 'string' ? [[siblingSecret, 'a sibling secret'] as const] : []),
  ];
}

function payloadOnDebug(ledger: Ledger, record: TimelineRecord): Violation[] {
  if (record.type !== 'frame' || !isOnDebug(record)) return [];
  const text = JSON.stringify(receivedIn(record));
  const shown = ledger.sent.find(
    (each) => isTelling(each.record.text) && text.includes(JSON.stringify(each.record.text).slice(1, -1)),
  );
  if (shown === undefined) return [];
  const expected = 'nothing of a payload on a debug channel';
  return [
    violation({ requirement: 'DBG-2', record, expected, received: `the text ${JSON.stringify(shown.record.text)}` }),
  ];
}

const isTelling = (text: string | undefined): text is string => text !== undefined && text.length >= TELLING;
