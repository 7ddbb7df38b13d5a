import type { TimelineRecord } from '../timeline.js';

/** Cuts `text` to `width` characters, so that one record stays one line. */
export function fit(text: string, width: number): string {
  const clean = legible(text);
  return clean.length <= width ? clean : `${clean.slice(0, Math.max(0, width - 1))}…`;
}

const CONTROL = new RegExp(
  `[${String.fromCharCode(0)}-${String.fromCharCode(31)}${String.fromCharCode(127)}-${String.fromCharCode(159)}]`,
  'gu',
);

/** `text` without control characters: those of a server must not drive the reader's terminal. */
export const legible = (text: string): string =>
  text.replace(CONTROL, (found) => `\\x${found.charCodeAt(0).toString(16).padStart(2, '0')}`);

/** Breaks prose into lines of at most `width` characters, between words where that is possible. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of legible(text.replace(/\s+/g, ' '))
    .split(' ')
    .flatMap((each) => chunks(each, width))) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}

function chunks(word: string, width: number): string[] {
  const parts: string[] = [];
  for (let at = 0; at < word.length; at += width) parts.push(word.slice(at, at + width));
  return parts;
}

/** A record of a timeline on one line: whether it decided, time in ms, direction, where, what. */
export function recordLine(record: TimelineRecord, width: number, isDecisive = false): string {
  const { arrow, at, what } = describeRecord(record);
  const mark = isDecisive ? '>' : ' ';
  return fit(`${mark}${record.t.toFixed(1).padStart(8)} ${arrow} ${at.padEnd(14)} ${what}`, width);
}

interface Described {
  readonly arrow: string;
  readonly at: string;
  readonly what: string;
}

const arrowOf = (dir: 'in' | 'out' | undefined): string => (dir === 'out' ? '→' : '←');

function describeRecord(record: TimelineRecord): Described {
  switch (record.type) {
    case 'line':
      return { arrow: '←', at: record.at, what: record.text };
    case 'frame':
      return { arrow: arrowOf(record.dir), at: record.at, what: record.text ?? JSON.stringify(record.json) };
    case 'message':
      return { arrow: arrowOf(record.dir), at: record.at, what: messageText(record) };
    case 'raw':
      return { arrow: '→', at: record.at, what: `${String(record.bytes)} raw bytes ${record.hex}` };
    case 'http':
      return { arrow: arrowOf(record.dir), at: record.at, what: httpText(record) };
    case 'socket':
      return {
        arrow: arrowOf(record.dir ?? (record.event === 'opening' ? 'out' : 'in')),
        at: record.at,
        what: socketText(record),
      };
    case 'step':
      return { arrow: '-', at: `step ${String(record.index)}`, what: `${record.verb} ${record.phase}` };
    case 'server':
      return { arrow: '-', at: 'server', what: `${record.event} ${record.what ?? record.url ?? record.how ?? ''}` };
    default:
      return { arrow: '-', at: record.type, what: '' };
  }
}

function messageText({ kind, bytes, text, hex, role }: TimelineRecord & { type: 'message' }): string {
  const content = text === undefined ? (hex ?? '') : JSON.stringify(text);
  return `${role ?? kind} ${String(bytes)} B ${content}`;
}

function httpText(record: TimelineRecord & { type: 'http' }): string {
  const body = record.json === undefined ? (record.body ?? '') : JSON.stringify(record.json);
  if (record.dir === 'out') return `${record.method ?? ''} ${record.url ?? ''} ${body}`;
  return record.failed ?? `${String(record.status)} ${body}`;
}

function socketText({
  event,
  code,
  status,
  protocol,
  reason,
  what,
  text,
  json,
}: TimelineRecord & { type: 'socket' }): string {
  const details = [code, status, protocol, reason, what, text, json === undefined ? undefined : JSON.stringify(json)];
  return [event, ...details.filter((each) => each !== undefined && each !== '')].join(' ');
}
