import type { Batch, Message } from '../ports/message.js';

/** See the port: messages that leave together, and their encodings, each made once. */
export class MessageBatch implements Batch {
  readonly messages: readonly Message[];
  readonly bytes: number;
  /** The first transport that asked, which mostly is the only one, and what it got. */
  #transport: string | null = null;
  #encoded: unknown = null;
  #others: Map<string, unknown> | null = null;

  constructor(messages: readonly Message[]) {
    this.messages = messages;
    let bytes = 0;
    for (const { payload } of messages) bytes += payload.length;
    this.bytes = bytes;
  }

  encoding<T>(transport: string, encode: (messages: readonly Message[]) => T): T {
    if (this.#transport === transport) return this.#encoded as T;
    const made = this.#others?.get(transport);
    if (made !== undefined) return made as T;
    const fresh = encode(this.messages);
    if (this.#transport === null) {
      this.#transport = transport;
      this.#encoded = fresh;
    } else (this.#others ??= new Map<string, unknown>()).set(transport, fresh);
    return fresh;
  }
}
