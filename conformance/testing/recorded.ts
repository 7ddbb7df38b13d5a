import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../support/package-root.js';
import { parseCase } from '../cases.js';
import type { Check, Judgement } from '../judge/judge.js';
import { judge } from '../judge/judge.js';
import type { Case } from '../model.js';
import { isFields } from '../model.js';
import { requirementOf } from '../register.js';
import type { Json, MessageBody, TimelineRecord } from '../timeline.js';
import { readTimeline } from '../timeline.js';

const FIXTURE = join(packageRoot(import.meta.url), 'conformance', 'judge', 'fixtures', 'two-messages');

function fixture(): { of: Case; records: readonly TimelineRecord[] } {
  const { cases } = parseCase({ file: 'judge/two-messages.yaml', text: readFileSync(`${FIXTURE}.yaml`, 'utf8') });
  const [of] = cases;
  const [records] = [...readTimeline(`${FIXTURE}.ndjson`).values()];
  if (of === undefined || records === undefined) throw new Error('the fixture is not there');
  return { of, records };
}

/** A run that went well, as it was recorded once: alice sends bob two messages, and one that is too long. */
export const { of, records } = fixture();

/** A change to the records of a run. */
export type Edit = (all: readonly TimelineRecord[]) => readonly TimelineRecord[];

/** Judges the recorded run after a change to its records, which are numbered anew. */
export function judged(edit: Edit = (all) => all): Judgement {
  return judge(
    of,
    edit(records).map((record, i) => ({ ...record, i })),
    requirementOf,
  );
}

/** Each requirement with its verdict. */
export const verdicts = ({ checks }: Judgement): Record<string, string> =>
  Object.fromEntries(checks.map((check) => [check.requirement, check.verdict]));

/** The check of a requirement; that there is none is a failure of the test. */
export function checkOf({ checks }: Judgement, requirement: string): Check {
  const found = checks.find((check) => check.requirement === requirement);
  if (found === undefined) throw new Error(`nothing was said of ${requirement}`);
  return found;
}

/** Leaves records out. */
export const without =
  (isIt: (record: TimelineRecord) => boolean): Edit =>
  (all) =>
    all.filter((record) => !isIt(record));

/** Puts others in the place of records. */
export const changed =
  (isIt: (record: TimelineRecord) => boolean, change: (record: TimelineRecord) => TimelineRecord): Edit =>
  (all) =>
    all.map((record) => (isIt(record) ? change(record) : record));

/** Whether a record is the arrival of this text at bob. */
export const arrived =
  (text: string) =>
  (record: TimelineRecord): record is TimelineRecord & MessageBody =>
    record.type === 'message' && record.at === 'bob.pipe' && record.dir === 'in' && record.text === text;

/** Whether a record is an event of this name. */
export const isEvent =
  (method: string, at = 'alice.command') =>
  (record: TimelineRecord): boolean =>
    record.type === 'frame' && record.at === at && isFields(record.json) && record.json['method'] === method;

/** Whether a record is the answer to the call with this id. */
export const answers =
  (id: Json) =>
  (record: TimelineRecord): boolean =>
    record.type === 'frame' && record.dir === 'in' && isFields(record.json) && record.json['id'] === id;

/** Puts other fields into the JSON of a frame, below `key`. */
export const withJson =
  (key: string, fields: Record<string, Json>) =>
  (record: TimelineRecord): TimelineRecord => {
    if (record.type !== 'frame' || !isFields(record.json)) return record;
    const inner = record.json[key];
    return { ...record, json: { ...record.json, [key]: { ...(isFields(inner) ? inner : {}), ...fields } } };
  };

/** The first record of a socket. */
export function socketOf(at: string): TimelineRecord {
  const found = records.find((record) => record.type === 'socket' && record.at === at);
  if (found === undefined) throw new Error(`there is no socket ${at}`);
  return found;
}
