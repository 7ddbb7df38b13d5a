import { isFields } from '../model.js';
import type { Step } from '../model.js';
import { arrivingKinds } from '../judge/kinds.js';
import type { StepResult } from '../judge/replay.js';
import type { Json, MessageBody, TimelineRecord } from '../timeline.js';

/** A timeline in which one thing that the server sent is not as it was. */
export interface Tampering {
  readonly records: readonly TimelineRecord[];
  readonly what: string;
}

/** A record in which a step of the case found what it expected. */
interface Evidence {
  readonly record: TimelineRecord;
  readonly step: Step;
}

function evidence(results: readonly StepResult[]): readonly Evidence[] {
  const found = new Map<TimelineRecord, Evidence>();
  for (const { step, outcome } of results) {
    if (step.part !== 'main' || outcome?.state !== 'held') continue;
    for (const { record } of outcome.claims) found.set(record, { record, step });
  }
  return [...found.values()];
}

/** Of a long run some are enough: every n-th, the last one included. */
const ENOUGH = 24;

function some<T>(all: readonly T[]): readonly T[] {
  const nth = Math.ceil(all.length / ENOUGH);
  return all.filter((_, i) => (all.length - 1 - i) % nth === 0);
}

const otherHash = (hash: string): string => `${hash.startsWith('0') ? '1' : '0'}${hash.slice(1)}`;

const isBySize = (wanted: Json | undefined): boolean =>
  isFields(wanted) && wanted['bytes'] !== undefined && wanted['kind'] === undefined;

/** Whether a step looks at the kind of messages: a nonce is known by its content alone, others may be by their size. */
function looksAtKind({ verb, fields }: Step): boolean {
  const several = fields['messages'];
  const wanted = Array.isArray(several) ? (several as readonly Json[]) : [fields['message']];
  return verb !== 'control' && !wanted.some(isBySize);
}

const otherContent = ({ text, hex }: MessageBody): Pick<MessageBody, 'text' | 'hex'> => ({
  ...(text === undefined ? {} : { text: `another ${text}` }),
  ...(hex === undefined ? {} : { hex: `ff00${hex}` }),
});

/** The connections of a run whose transport tells kinds apart. */
function kindly(records: readonly TimelineRecord[]): ReadonlySet<number> {
  const openings = records.filter((record) => record.type === 'socket').filter(({ event }) => event === 'opening');
  return new Set(openings.filter((opening) => arrivingKinds('text', { opening })).map(({ conn }) => conn));
}

/** What the record might have been instead. */
function changed({ record, step }: Evidence, hasKinds: ReadonlySet<number>): readonly TimelineRecord[] {
  if (record.type === 'message') {
    const kind = record.kind === 'text' ? 'binary' : 'text';
    const other = { ...record, ...otherContent(record), sha256: otherHash(record.sha256) };
    return looksAtKind(step) && hasKinds.has(record.conn) ? [other, { ...record, kind }] : [other];
  }
  if (record.type === 'line') return [{ ...record, text: `000${record.text}` }];
  if (record.type !== 'frame' || !isFields(record.json)) return [];
  const { json } = record;
  if (json['method'] !== undefined) return [{ ...record, json: { ...json, method: 'no.such.event' } }];
  return [{ ...record, json: { ...json, id: 'nobody-asked' } }];
}

const without = (records: readonly TimelineRecord[], gone: TimelineRecord): readonly TimelineRecord[] =>
  records.filter((record) => record !== gone);

const replaced = (
  records: readonly TimelineRecord[],
  old: TimelineRecord,
  fresh: TimelineRecord,
): readonly TimelineRecord[] => records.map((record) => (record === old ? fresh : record));

/** Two neighbours on one pipe whose contents differ, within one step that compares their order. */
function swaps(results: readonly StepResult[]): readonly (readonly [TimelineRecord, TimelineRecord])[] {
  return results
    .filter(({ step }) => step.part === 'main' && step.verb === 'exactly' && step.fields['anyOrder'] !== true)
    .flatMap(({ outcome }) => {
      const claims = outcome?.state === 'held' ? outcome.claims.map(({ record }) => record) : [];
      return claims.slice(1).map((record, i) => [claims[i] ?? record, record] as const);
    })
    .filter(([a, b]) => a.type === 'message' && b.type === 'message' && a.sha256 !== b.sha256);
}

function swapped(
  records: readonly TimelineRecord[],
  [a, b]: readonly [TimelineRecord, TimelineRecord],
): readonly TimelineRecord[] {
  // Each takes the other's place, number and time: only the contents change places.
  return records.map((record) => {
    if (record === a) return { ...b, i: a.i, t: a.t };
    return record === b ? { ...a, i: b.i, t: b.t } : record;
  });
}

/** Every tampering with what decided the steps of a good run. */
export function tamperings(records: readonly TimelineRecord[], results: readonly StepResult[]): readonly Tampering[] {
  const found = some(evidence(results));
  const hasKinds = kindly(records);
  const name = (record: TimelineRecord): string => `record ${String(record.i)}`;
  const drops = found.map(({ record }) => ({ records: without(records, record), what: `${name(record)} dropped` }));
  const changes = found.flatMap((each) =>
    changed(each, hasKinds).map((fresh) => ({
      records: replaced(records, each.record, fresh),
      what: `${name(each.record)} changed`,
    })),
  );
  const orders = some(swaps(results)).map((pair) => ({
    records: swapped(records, pair),
    what: `${name(pair[0])} swapped with ${name(pair[1])}`,
  }));
  return [...drops, ...changes, ...orders];
}
