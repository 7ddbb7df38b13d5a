import { hexOf } from './bytes.js';
import type { Kind, Shown } from './pipe.js';
import { type Fields, isFields } from './sibling.js';
import type { Item, Place } from './strip.js';

const placeOf = (at: unknown): Place | undefined =>
  isFields(at) ? { epoch: Number(at['epoch']), dir: String(at['dir']), n: Number(at['n']) } : undefined;

const BAD = /refused|undeliverable|dropped|gap|abort/;

const word = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const itemsOf = ({ items }: Fields): Fields[] => (Array.isArray(items) ? items.filter(isFields) : []);

const counted = (n: unknown, what: string): string => `${String(n)} ${what}${n === 1 ? '' : 's'}`;

/** What a person wants to know of some events and answers; of all others everything is said. */
const SAYINGS: Readonly<Record<string, (fields: Fields) => string>> = {
  'pipe.receipt': (event) =>
    itemsOf(event)
      .map(({ n, members }) => `↑ ${String(n)} to ${counted(members, 'member')}`)
      .join(', '),
  'switch.propose': ({ set, status }) => (isFields(set) ? `to ${word(set['format'])}` : word(status)),
  'switch.done': ({ set }) => `to ${isFields(set) ? word(set['format']) : '?'}`,
  'switch.ack': ({ status }) => word(status),
  'switch.request': () => 'the server will propose it',
  'pipe.ended': ({ dir, finalN, cause }) => `${word(dir)} after ${word(finalN)}: ${word(cause)}`,
  'stream.ending': ({ from, inMs }) => `${word(from).slice(0, 8)} in ${word(inMs)} ms`,
  'stream.end': ({ members }) => `${counted(members, 'member')} told`,
  'sibling.stay': ({ ms }) => `${String(Number(ms) / 1000)} s`,
  fence: ({ c2sRouted, c2sReceived }) => `${word(c2sRouted)} of ${word(c2sReceived)} routed`,
  'debug.envelope': ({ dir, n, kind, bytes }) =>
    `${dir === 'c2s' ? '↑' : '↓'} ${word(n)}: ${word(kind)}, ${word(bytes)} B`,
  'debug.log': ({ text }) => word(text),
};

/** The members of an event that are worth a line; its numbers and what is drawn anyway are left out. */
function detailOf(method: string, params: Fields): string {
  const saying = SAYINGS[method];
  if (saying) return saying(params);
  const { error, at: _at, seq: _seq, vseq: _vseq, sid: _sid, replay: _replay, ...rest } = params;
  const reason = isFields(error) ? [word(error['name'])] : [];
  return [...reason, ...Object.entries(rest).map(([name, value]) => `${name} ${word(value)}`)].join(', ');
}

/** The last message that a receipt is for. */
function lastOf(method: string, params: Fields): Place | undefined {
  const n = itemsOf(params).at(-1)?.['n'];
  return method === 'pipe.receipt' ? { epoch: Number(params['epoch']), dir: 'c2s', n: Number(n) } : undefined;
}

/** An event of a sibling. */
export function eventItem(lane: 'command' | 'debug', method: string, params: Fields): Item {
  const about = placeOf(params['at']) ?? lastOf(method, params);
  const tone = `${BAD.test(method) ? 'bad' : 'event'}${params['replay'] === true ? ' replay' : ''}`;
  const number = params['at'] !== undefined && about && about.n > 0 ? ` at ${String(about.n)}` : '';
  return { lane, title: `${method}${number}`, detail: detailOf(method, params), tone, ...(about && { about }) };
}

/** A call that the page made, when its answer is there. */
export function callItem(method: string, answer: Fields | Error): Item {
  const failed = answer instanceof Error;
  const about = failed ? undefined : placeOf(answer['at']);
  const detail = failed ? answer.message : detailOf(method, answer);
  return {
    lane: 'command',
    title: `${failed ? '✗' : '→'} ${method}`,
    detail,
    tone: failed ? 'bad' : 'call',
    ...(about && { about }),
  };
}

/** A message that came out of the pipe. */
export function receivedItem({ kind, payload, n }: Shown, epoch: number, format: Kind | null): Item {
  const detail = typeof payload === 'string' ? payload : hexOf(payload);
  const tone = kind === 'binary' ? 'binary' : (format ?? 'text');
  return { lane: 'received', title: `↓ ${String(n)}`, detail, tone, is: { epoch, dir: 's2c', n } };
}

/** A message that went into the pipe. */
export function sentItem(
  payload: string | Uint8Array,
  n: number,
  { epoch, kind }: { epoch: number; kind: Kind },
): Item {
  const detail = typeof payload === 'string' ? payload : hexOf(payload);
  return { lane: 'sent', title: `↑ ${String(n)}`, detail, tone: kind, is: { epoch, dir: 'c2s', n } };
}
