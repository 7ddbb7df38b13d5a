/** What a message is to its room; a WebSocket carries text and json alike in text messages. */
export type Kind = 'text' | 'json' | 'binary';

/** The sender's bytes with what routing adds; nothing of it but the payload enters a pipe. */
export interface Message {
  readonly kind: Kind;
  readonly payload: Buffer;
  readonly id: string;
  /** sid of the sender. */
  readonly from: string;
}

/** A message whose kind for its receiver is not settled yet, because a switch is open (SWITCH-20). */
export interface Undecided extends Message {
  /** Called when it has turned out to be undeliverable. */
  readonly missed: () => void;
}

/** Messages that leave together, in order. Shared by every member whose pipe takes exactly these. */
export interface Batch {
  readonly messages: readonly Message[];
  /** Payload bytes of all messages. */
  readonly bytes: number;
  /** The batch in a transport's form, made on first use and then shared: framed once for any number of members. */
  encoding<T>(transport: string, encode: (messages: readonly Message[]) => T): T;
}
