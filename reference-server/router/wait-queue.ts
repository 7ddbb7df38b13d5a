import type { Batch, Message } from '../ports/message.js';
import { MessageBatch } from './batch.js';

/** A place between two messages, told when everything before it has been written. */
export interface Marker {
  /** Called once, with the number of the last message before the place. */
  readonly reached: (n: number) => void;
}

type Entry = Batch | Marker;

export const isBatch = (entry: Entry): entry is Batch => 'messages' in entry;

/** What waits for one pipe, oldest first: batches as they were shared among members, and markers between them. */
export class WaitQueue {
  #entries: Entry[] = [];
  #messages = 0;
  #bytes = 0;

  get messages(): number {
    return this.#messages;
  }

  /** Payload bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  get empty(): boolean {
    return this.#entries.length === 0;
  }

  get beginsWithMark(): boolean {
    const [first] = this.#entries;
    return first !== undefined && !isBatch(first);
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
    if (isBatch(entry)) this.#count(entry, 1);
  }

  /** Takes the next entry out. */
  shift(): Entry | undefined {
    const entry = this.#entries.shift();
    if (entry && isBatch(entry)) this.#count(entry, -1);
    return entry;
  }

  /** The same, but of a batch its first message only. */
  shiftOne(): Entry | undefined {
    const entry = this.#entries[0];
    if (!entry || !isBatch(entry) || entry.messages.length === 1) return this.shift();
    const one = new MessageBatch(entry.messages.slice(0, 1));
    this.#entries[0] = new MessageBatch(entry.messages.slice(1));
    this.#count(one, -1);
    return one;
  }

  /** The oldest messages, at most so many; they stay where they are. */
  oldest(most: number): readonly Message[] {
    const messages: Message[] = [];
    for (const entry of this.#entries) {
      if (messages.length >= most) break;
      if (isBatch(entry)) messages.push(...entry.messages.slice(0, most - messages.length));
    }
    return messages;
  }

  /** Takes the oldest messages out for as long as `over` says so; markers keep their places. Returns how many. */
  dropWhile(over: () => boolean): number {
    const before = this.#messages;
    let index = this.#entries.findIndex(isBatch);
    while (index >= 0 && over()) {
      this.#dropFrom(index, over);
      index = this.#entries.findIndex(isBatch);
    }
    return before - this.#messages;
  }

  /** Replaces messages by others, or by markers where they are not to be delivered after all. */
  change(change: (message: Message) => Message | Marker): void {
    const entries = this.#entries;
    this.#entries = [];
    this.#messages = 0;
    this.#bytes = 0;
    for (const entry of entries) {
      if (isBatch(entry)) this.#pushChanged(entry, change);
      else this.push(entry);
    }
  }

  #pushChanged(batch: Batch, change: (message: Message) => Message | Marker): void {
    const changed = batch.messages.map(change);
    if (changed.every((message, index) => message === batch.messages[index])) {
      this.push(batch); // shared with others, and framed once for all
      return;
    }
    for (const entry of changed) this.push('reached' in entry ? entry : new MessageBatch([entry]));
  }

  #dropFrom(index: number, over: () => boolean): void {
    const batch = this.#entries[index];
    if (!batch || !isBatch(batch)) return;
    let dropped = 0;
    for (; dropped < batch.messages.length && over(); dropped++) {
      this.#messages--;
      this.#bytes -= batch.messages[dropped]?.payload.length ?? 0;
    }
    const rest = batch.messages.slice(dropped);
    this.#entries.splice(index, 1, ...(rest.length > 0 ? [new MessageBatch(rest)] : []));
  }

  #count({ messages, bytes }: Batch, sign: 1 | -1): void {
    this.#messages += sign * messages.length;
    this.#bytes += sign * bytes;
  }
}
