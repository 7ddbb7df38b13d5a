import type { Check } from './judge/judge.js';
import type { TimelineRecord } from './timeline.js';

const BEFORE = 7;
const AFTER = 2;

/** A check with the part of the timeline that shows it, where it failed. */
export function withTimeline(check: Check, records: readonly TimelineRecord[]): Check {
  if (check.records === undefined || (check.verdict !== 'FAIL' && check.verdict !== 'WARN')) return check;
  return { ...check, timeline: around(check.records[1], records) };
}

// The edges of steps say little on paper; what went over the wire is what counts.
function around(index: number, records: readonly TimelineRecord[]): TimelineRecord[] {
  const telling = records.filter(
    (record) => record.type !== 'save' && !(record.type === 'step' && record.phase === 'end'),
  );
  const at = telling.findIndex((record) => record.i >= index);
  const middle = at < 0 ? telling.length : at;
  return telling.slice(Math.max(0, middle - BEFORE), middle + AFTER + 1);
}
