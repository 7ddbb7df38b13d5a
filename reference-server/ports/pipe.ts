import type { ErrorName } from '../../generated/errors.js';
import type { EndCause, Framing, Limits, Position } from '../../generated/types.js';
import type { Clock } from './clock.js';
import type { Batch, Kind, Message } from './message.js';
import type { Result } from './refusal.js';

/** What the positions of a pipe count. */
export type Unit = Position['unit'];

/** What waits in a transport because the kernel has not taken it yet. */
export interface Backlog {
  readonly messages: number;
  /** Payload bytes of them. */
  readonly bytes: number;
}

/** What became of one message of the client's, by its number in the pipe: it was accepted, or refused. */
export type Outcome =
  | { readonly n: number; readonly id: string; readonly members: number }
  | { readonly n: number; readonly error: { readonly name: ErrorName; readonly limit?: number } };

/** A message that a client has yet to fetch. */
export interface Queued {
  readonly kind: Kind;
  readonly bytes: number;
}

/** An adapter's side of an open pipe: where the router puts what the member shall receive. */
export interface PipeSink {
  readonly transport: string;
  /** How the transport tells messages apart, where it can do so in several ways. */
  readonly framing?: Framing;
  /** What the positions of the pipe count (BYTE-1); messages, where it does not say. */
  readonly unit?: Unit;
  /** Whether messages carry their numbers and may be lost on the way, so that `receive` is told the number of each. */
  readonly numbered?: boolean;
  /** False once the connection has begun to close: nothing more can be written, and the end will follow. */
  readonly writable: boolean;
  /** Whether the transport has passed on everything that it was given, so that a batch would not wait in it. */
  readonly ready: boolean;
  /**
   * Whether the client fetches its messages one by one: it is handed a single one whenever it is `ready`, and what it
   * has not fetched when the pipe ends is never written.
   */
  readonly fetches?: boolean;
  deliver(batch: Batch): void;
  /** Whether the transport can carry a message whole (TCP-10); where it does not say, it carries all. */
  carries?(message: Pick<Message, 'kind' | 'payload'>): boolean;
  backlog(): Backlog;
  /** Leaves off reading from the client, or takes it up again: nothing more is taken in than has come already. */
  reading(on: boolean): void;
  /** Whether it has no word for a cause and breaks the connection off: what it has not passed on is lost (TCP-31). */
  breaksOff?(cause: EndCause): boolean;
  /** Ends the connection in the transport's own words for the cause. */
  close(cause: EndCause): void;
  /** Hears, in order, what became of each message, where the transport has words for it; before the end is reported. */
  settled?(outcome: Outcome): void;
}

/** The router's side of an open pipe: what an adapter reports. */
export interface PipeSource {
  /** Which pipe of its session it is, from 1. */
  readonly epoch: number;
  /**
   * One message, whole, as its member sent it; the kinds are those that the transport can tell apart. `n` is the number
   * that it carries, on a numbered pipe: no number comes twice, but they may come out of order and with gaps.
   */
  receive(kind: Kind, payload: Buffer, n?: number): void;
  /** A message that was begun and whose end never came, in a transport where it has a number all the same. */
  truncated(): void;
  /** What waits for the client and has no position yet, oldest first, at most so many. */
  queued(most: number): readonly Queued[];
  /**
   * The next part of one message, which has one position and is counted with its last part (STREAM-5). Into a stream
   * room binary parts flow as they come; everything else is gathered first, as far as the room would take it. A message
   * whose last part never comes was never sent; `forgetPart` says so where the pipe goes on.
   */
  receivePart(kind: Kind, payload: Buffer, last: boolean): void;
  forgetPart(): void;
  /** The transport is ready again. */
  drained(): void;
  /**
   * The client has ended its direction, and can still be written to (TCP-18); `discardedBytes` of a message that never
   * became whole came last.
   */
  sendingEnded(discardedBytes: number): void;
  /** The connection is over; later calls change nothing. */
  ended(cause: EndCause): void;
}

/** A redeemed ticket. The transport finishes its handshake and then attaches its sink, or lets it go. */
export interface PipeOffer {
  /** The session whose pipe it will be, and the room that it is in now. */
  readonly sid: string;
  readonly room: string;
  /** Whether the session may receive in that room. */
  readonly receives: boolean;
  /** Whether binary messages flow into the room as they come, however long they are. */
  readonly stream: boolean;
  /** The limits in force for this pipe; a client may have asked for smaller ones. */
  readonly limits: Readonly<Required<Limits>>;
  /** By which the pipe's time goes. */
  readonly clock: Clock;
  open(sink: PipeSink): PipeSource;
  /** The handshake failed after the ticket was spent. */
  abandon(): void;
}

/** A ticket that its holder proves and does not show: what both sides make their keys from, and the way in. */
export interface Association {
  /** The session's sibling secret, its 32 bytes. */
  readonly secret: Buffer;
  /** SHA-256 of the ticket as the client was given it. */
  readonly ticketDigest: Buffer;
  /** By which the session's time goes. */
  readonly clock: Clock;
  /** Spends the ticket, once the proof is there. */
  redeem(): Result<PipeOffer>;
}

/** Where ingresses come in. */
export interface PipeDoor {
  /**
   * Spends a ticket (TICKET-1); refuses `ticket_invalid` whatever the reason. `framing` is what the client shows with it,
   * where the transport has several.
   */
  redeem(ticket: string, transport: string, framing?: Framing): Result<PipeOffer>;
  /** The outstanding ticket with this number, as the grant has it; undefined where there is none. Spends nothing. */
  associate(number: string, transport: string): Association | undefined;
}
