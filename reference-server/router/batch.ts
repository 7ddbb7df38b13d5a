import type { Batch, Message } from '../ports/message.js';

/** See the port: messages that leave together, and their encodings, each made once. */
export class MessageBatch implements Batch {
  readonly messages: readonly Message[];
  readonly bytes: number;
  readonly #encodings = new Map<string, unknown>();

  constructor(messages: readonly Message[]) {
    this.messages = messages;
    this.bytes = messages.reduce((sum, message) => sum + message.payload.length, 0);
  }

  encoding<T>(transport: string, encode: (messages: readonly Message[]) => T): T {
    const made = this.#encodings.get(transport);
    if (made !== undefined) return made as T;
    const fresh = encode(this.messages);
    this.#encodings.set(transport, fresh);
    return fresh;
  }
}
