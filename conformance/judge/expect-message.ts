import { hash } from 'node:crypto';
import { asText, isFields, splitAt } from '../model.js';
import type { Fields } from '../model.js';
import type { Json, MessageBody } from '../timeline.js';
import { arrivingKinds, statedKinds } from './kinds.js';
import type { Entry, Sent, SocketState } from './entries.js';
import type { Ledger } from './ledger.js';
import type { Outcome } from './outcome.js';
import { brief, heldBy, received } from './outcome.js';
import { quantity } from './scope.js';
import type { Subject } from './subject.js';

/** What one message must be. Absent fields are not looked at. */
export interface WantedMessage {
  readonly text: string;
  readonly sha256?: string;
  /** Kinds of which it must be one. */
  readonly kinds?: readonly string[];
  readonly bytes?: number;
  /** Hashes of which it must have one. */
  readonly oneOf?: ReadonlySet<string>;
}

/** SHA-256 in hex. */
export const sha256 = (content: Buffer): string => hash('sha256', content, 'hex');

/** What `fields` of a message say as bytes; undefined for those that name what was sent. */
export function literalContent(fields: Fields): Buffer | undefined {
  if (typeof fields['hex'] === 'string') return Buffer.from(fields['hex'], 'hex');
  if (fields['text'] !== undefined) return Buffer.from(asText(fields['text']), 'utf8');
  if (fields['json'] !== undefined) return Buffer.from(JSON.stringify(fields['json']), 'utf8');
  return undefined;
}

/** The kind that a message without `kind` has. */
export function defaultKind(fields: Fields): 'text' | 'binary' | 'json' {
  const { kind } = fields;
  if (kind === 'text' || kind === 'binary' || kind === 'json') return kind;
  return fields['text'] !== undefined || fields['json'] !== undefined ? 'text' : 'binary';
}

/** The messages that one matcher stands for: several where it names several that were sent. */
export function wantedMessages(ledger: Ledger, matcher: Json, observer: SocketState): WantedMessage[] {
  if (!isFields(matcher)) return [{ text: 'any message' }];
  const stated = statedBy(matcher, observer);
  const sent = namedSent(ledger, matcher);
  if (sent !== undefined) return sent.map(({ record }) => ({ ...asSent(record, observer), ...stated }));
  const content = literalContent(matcher);
  if (content === undefined) return [{ ...sized(ledger, matcher, observer.member), ...stated }];
  const kinds = among(arrivingKinds(defaultKind(matcher), observer));
  return [{ text: brief(matcher), sha256: sha256(content), ...kinds, ...stated }];
}

const among = (kinds: readonly string[] | undefined): Pick<WantedMessage, 'kinds'> =>
  kinds === undefined ? {} : { kinds };

const statedBy = ({ kind }: Fields, observer: SocketState): Pick<WantedMessage, 'kinds'> =>
  typeof kind === 'string' ? among(statedKinds(kind, observer)) : {};

function asSent({ sha256: hash, kind, bytes, label, text }: MessageBody, observer: SocketState): WantedMessage {
  const name = label === undefined ? 'what was sent' : `what was sent as ${label}`;
  const content = text === undefined ? '' : `: ${brief(JSON.stringify(text))}`;
  const what = `${name}, ${kind} of ${String(bytes)} bytes${content}`;
  return { text: what, sha256: hash, bytes, ...among(arrivingKinds(kind, observer)) };
}

function namedSent(ledger: Ledger, matcher: Fields): readonly Sent[] | undefined {
  if (matcher['sent'] !== undefined) return sentAs(ledger, asText(matcher['sent']));
  if (matcher['from'] === undefined) return undefined;
  const { member } = splitAt(asText(matcher['from']));
  return ledger.sent.filter((each) => each.member === member && each.record.role === undefined).slice(-1);
}

function sentAs(ledger: Ledger, label: string): readonly Sent[] {
  const found = ledger.sent.filter((each) => each.record.label === label);
  if (found.length === 0) throw new Error(`no message was sent as ${label}`);
  return found.filter(({ record }) => record.lost !== true);
}

function sized(ledger: Ledger, matcher: Fields, observer: string): WantedMessage {
  if (matcher['bytes'] === undefined) return { text: brief(matcher) };
  const bytes = quantity(matcher['bytes'], ledger, observer);
  const sent = ledger.sent.filter(({ record }) => record.bytes === bytes).map(({ record }) => record.sha256);
  return { text: `a message of ${String(bytes)} bytes that was sent`, bytes, oneOf: new Set(sent) };
}

/** Whether a received message is the wanted one. */
export function isWanted(wanted: WantedMessage, entry: Entry): boolean {
  const { record } = entry;
  if (record.type !== 'message') return false;
  if (wanted.sha256 !== undefined && wanted.sha256 !== record.sha256) return false;
  if (wanted.kinds?.includes(record.kind) === false) return false;
  if (wanted.bytes !== undefined && wanted.bytes !== record.bytes) return false;
  return wanted.oneOf?.has(record.sha256) ?? true;
}

/** Messages that no step has claimed, without the kit's own nonces. */
export const openMessages = (inbound: readonly Entry[]): Entry[] =>
  inbound.filter((each) => each.what === 'message' && !each.claimed && !each.nonce);

/** `message`: the next ones that nobody claimed. */
export function expectMessage({ ledger, socket, expect }: Subject): Outcome {
  const wanted = wantedMessages(ledger, expect['message'] ?? null, socket);
  const expected = `at ${socket.at}: ${wanted.map(({ text }) => text).join(', then ')}`;
  const open = openMessages(socket.inbound).slice(0, wanted.length);
  const wrong = open.find((each, i) => !isWanted(wanted[i] ?? { text: '' }, each));
  if (wrong !== undefined) {
    return { state: 'failed', why: 'WRONG', expected, received: received(wrong.record), record: wrong.record.i };
  }
  return open.length === wanted.length ? heldBy(open) : { state: 'pending', expected };
}
