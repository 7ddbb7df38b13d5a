import { isFields } from '../model.js';
import type { HttpBody, Json, MessageBody, SocketBody, SocketKind, TimelineRecord } from '../timeline.js';

/** Something received on a socket that a step can claim. */
export interface Entry {
  readonly record: TimelineRecord;
  readonly what: 'message' | 'event' | 'answer' | 'pong' | 'receipt' | 'line' | 'noise';
  /** Arrived because the kit itself sent a nonce (control or sentinel). */
  readonly nonce: boolean;
  /** The call that an answer answers. */
  readonly call?: Call;
  claimed: boolean;
}

/** A call that the kit made on a sibling. */
export interface Call {
  readonly id: Json | undefined;
  readonly method: string;
  readonly params: Json | undefined;
  readonly label: string | undefined;
  readonly kit: boolean;
  readonly record: TimelineRecord;
  answer?: Entry;
  /** What the kit had sent and received on the member's pipe when it was made. */
  readonly sent: number;
}

/** One connection, with all that came over it. */
export interface SocketState {
  readonly at: string;
  readonly member: string;
  readonly conn: number;
  readonly kind: SocketKind;
  /** In which life of the server it was opened; a restart begins another. */
  readonly life: number;
  readonly inbound: Entry[];
  readonly calls: Call[];
  /** Pipes of the same member are numbered from 1. */
  readonly epoch: number;
  opening: SocketBody;
  opened?: TimelineRecord & SocketBody;
  /** Refused by a status, or no answer at all. */
  refused?: TimelineRecord & SocketBody;
  closed?: TimelineRecord & SocketBody;
  /** The kit began to close it, or cut it. */
  leaving: boolean;
  /** In units of its positions. */
  sent: number;
  received: number;
  /** Raw bytes went out whose messages nobody counted. */
  uncountable: boolean;
  /** Raw bytes went out. */
  raw: boolean;
  held: boolean;
}

/** A message that the kit sent. */
export interface Sent {
  readonly record: TimelineRecord & MessageBody;
  readonly member: string;
}

/** The latest exchange of a name. */
export interface Exchange {
  readonly request: TimelineRecord & HttpBody;
  response?: TimelineRecord & HttpBody;
}

/** What is known of a member. */
export interface MemberState {
  grant?: Json;
  /** Whether the last grant came over a sibling. */
  overSibling: boolean;
  /** Room that was asked for, or that it has moved to since. */
  room?: string;
  /** The rooms that it has left by moving. */
  readonly left: Set<string>;
  /** Ids of all the sessions that were granted, in which life of the server. */
  readonly sids: { readonly sid: string; readonly life: number }[];
}

/** What has come, before a step claims it. */
export function entry(record: TimelineRecord, what: Entry['what']): Entry {
  return { record, what, nonce: false, claimed: false };
}

/** The hash of a message's content. */
export const shaOf = (of: Entry): string | undefined => (of.record.type === 'message' ? of.record.sha256 : undefined);

/** A field of the JSON text that an entry is. */
export function fieldOf(of: Entry, key: string): Json | undefined {
  const { record } = of;
  return record.type === 'frame' && isFields(record.json) ? record.json[key] : undefined;
}

/** What a message adds to the positions of its pipe: one, or its bytes where there are no messages. */
export const unitsOf = ({ opening }: Pick<SocketState, 'opening'>, { bytes }: Pick<MessageBody, 'bytes'>): number =>
  opening.framing === 'raw' ? bytes : 1;

/** The result of an answer; undefined where it is an error. */
export const resultOf = (answer: Entry): Json | undefined => fieldOf(answer, 'result');
