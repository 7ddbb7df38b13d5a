import type { Kind, Message } from '../ports/message.js';
import type { Place } from './drops.js';
import { kindForMember } from './formats.js';
import type { Pipe } from './pipe.js';
import type { RoomTerms } from './room-terms.js';
import type { Session } from './session.js';

/** A message on its way in: what the pipe counted, and what the room takes it for. */
export interface Posted {
  readonly pipe: Pipe;
  readonly n: number;
  readonly kind: Kind;
  readonly payload: Buffer;
  /** Number of its first byte, where the pipe counts bytes. */
  readonly from?: number;
  /** Of which message it is a part that is not yet counted. */
  readonly flow?: Flow;
}

/** A message that flows through a stream room in parts, and what became of them. */
export interface Flow {
  readonly id: string;
  /** Members that the latest part was delivered to. */
  members: number;
  /** Members that were told that they cannot take it. */
  readonly missed: Set<Session>;
}

/** A message of the present tick, and how many members have been given it. */
export class Routed {
  readonly pipe: Pipe;
  readonly n: number;
  readonly sender: Session;
  readonly message: Message;
  readonly flow: Flow | undefined;
  members = 0;
  /** Whether the sender has been told that it did not reach a member whose settings were being switched. */
  late = false;
  /** Members that cannot take it in any of their kinds, and after which message of theirs. */
  missed: { readonly member: Session; readonly place: Place }[] | null = null;
  #kinds: Map<string, Kind | null> | null = null;

  constructor(sender: Session, posted: Posted) {
    this.pipe = posted.pipe;
    this.n = posted.n;
    this.sender = sender;
    const { kind, payload, flow } = posted;
    this.flow = flow;
    this.message = { kind, payload, id: flow?.id ?? sender.nextMessageId(), from: sender.sid };
  }

  /** A member cannot be given it at this place of its stream; of a message in parts it hears that once. */
  misses(member: Session, place: Place): void {
    if (this.flow?.missed.has(member)) return;
    this.flow?.missed.add(member);
    this.missed ??= [];
    this.missed.push({ member, place });
  }

  /** The kind for a member; the payload is looked into once for all members who receive the same kinds. */
  kindFor(terms: RoomTerms, receive: readonly Kind[]): Kind | null {
    if (receive.includes(this.message.kind)) return this.message.kind;
    this.#kinds ??= new Map();
    const key = receive.join();
    const known = this.#kinds.get(key);
    if (known !== undefined) return known;
    const kind = kindForMember(terms, receive, this.message);
    this.#kinds.set(key, kind);
    return kind;
  }
}

/** Whose messages these are: a set is made only where they are not all from one member, which they nearly always are. */
export function sendersOf(routed: readonly Routed[]): Session | ReadonlySet<Session> | null {
  const first = routed[0]?.sender ?? null;
  const all = routed.every(({ sender }) => sender === first);
  return all ? first : new Set(routed.map(({ sender }) => sender));
}

/** Whether a member is one of these senders. */
export const isAmong = (member: Session, senders: ReturnType<typeof sendersOf>): boolean =>
  senders instanceof Set ? senders.has(member) : senders === member;

const ALONE: { readonly [kind in Kind]: readonly [Kind] } = { text: ['text'], json: ['json'], binary: ['binary'] };

/** The kinds of messages, each once. */
export function kindsOf(routed: readonly Routed[]): readonly Kind[] {
  const first = routed[0]?.message.kind;
  const all = first !== undefined && routed.every(({ message }) => message.kind === first);
  return all ? ALONE[first] : [...new Set(routed.map(({ message }) => message.kind))];
}
