import type { Json, SocketBody, TimelineRecord } from '../timeline.js';
import type { Entry } from './entries.js';

/**
 * How a step failed. SILENT: nothing came; LATE: it came after the deadline; WRONG: something else came; EXTRA: more
 * came than should; MISSING: less; CLOSED: the connection ended or never was.
 */
export type Why = 'SILENT' | 'LATE' | 'WRONG' | 'EXTRA' | 'MISSING' | 'CLOSED';

/** Nothing can be said yet; `nearest` is what came closest so far. */
export interface Pending {
  readonly state: 'pending';
  readonly expected: string;
  readonly nearest?: string;
  /** What it is called if nothing more comes; by default SILENT, or WRONG where there is a `nearest`. */
  readonly why?: Why;
  readonly record?: number;
}

/** The step holds. `matched` is what `save` points into. */
export interface Held {
  readonly state: 'held';
  readonly claims: readonly Entry[];
  readonly matched?: Json;
  readonly record?: number;
  /** Time of the record that decided, in ms. */
  readonly at?: number;
}

/** The step cannot hold any more. */
export interface Failed {
  readonly state: 'failed';
  readonly why: Why;
  readonly expected: string;
  readonly received: string;
  readonly record?: number;
}

/** What is known of a step at some moment of its run. */
export type Outcome = Pending | Held | Failed;

const LONGEST = 600;

/** A short rendering of something received. */
export function brief(value: unknown): string {
  const text = typeof value === 'string' ? value : value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** How a received record reads in a report. */
export function received(record: TimelineRecord): string {
  if (record.type === 'message') {
    const content = record.text === undefined ? `hex ${record.hex ?? ''}` : JSON.stringify(record.text);
    return brief(`${record.kind} message of ${String(record.bytes)} bytes: ${content}`);
  }
  if (record.type === 'line') return brief(record.text);
  if (record.type === 'frame') return brief(record.text ?? record.json);
  if (record.type === 'http') return httpText(record);
  if (record.type === 'socket') return socketText(record);
  return record.type;
}

function httpText(record: TimelineRecord & { type: 'http' }): string {
  if (record.failed !== undefined) return `no response: ${record.failed}`;
  return brief(`${String(record.status)} ${record.json === undefined ? (record.body ?? '') : brief(record.json)}`);
}

function closedText({ code, reason, how }: SocketBody): string {
  const end = code === undefined ? `by ${how ?? 'somebody'}` : `with ${String(code)}`;
  return `closed ${end}${reason ? ` (${reason})` : ''}`;
}

function socketText(record: TimelineRecord & { type: 'socket' }): string {
  if (record.event === 'refused') return brief(`refused with ${String(record.status)} ${brief(record.json ?? '')}`);
  if (record.event === 'failed') return `no connection: ${record.what ?? 'unknown'}`;
  if (record.event === 'closed') return closedText(record);
  if (record.event === 'receipt') return brief(`receipt ${JSON.stringify(record.json)}`);
  if (record.event === 'open') return `open, subprotocol ${record.protocol ?? 'none'}`;
  return record.event;
}

/** Makes a `held` out of what was claimed. */
export function heldBy(claims: readonly Entry[], matched?: Json): Held {
  const last = claims.at(-1)?.record;
  return {
    state: 'held',
    claims,
    ...(matched === undefined ? {} : { matched }),
    ...(last === undefined ? {} : { record: last.i, at: last.t }),
  };
}

/** Makes a `held` out of a record that no one else could claim. */
export function heldAt(record: TimelineRecord, matched?: Json): Held {
  return { state: 'held', claims: [], record: record.i, at: record.t, ...(matched === undefined ? {} : { matched }) };
}
