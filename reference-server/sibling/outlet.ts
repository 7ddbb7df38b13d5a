import type { Binding, LoggedEvent, SiblingOutlet } from '../ports/sibling.js';
import { eventText } from './rpc.js';

/** The socket under an outlet, reduced to what an outlet needs. */
export interface SiblingWire {
  send(text: string): void;
  /** Bytes that the kernel has not taken yet. */
  readonly queued: number;
  close(reason: CloseReason): void;
  /** Ends the connection without a word. */
  cut(): void;
}

/** Why the server closes a bound sibling. */
type CloseReason = 'replaced' | 'draining' | 'session_ended' | 'room_closed';

interface Reply {
  /** Events up to this one go out first. */
  readonly afterSeq: number;
  readonly text: string;
}

/**
 * Writes a channel's log to its socket in order. The log is the only queue of events: a socket that does not keep up
 * is not written to, the log goes on, and what the log lost meanwhile is told as a gap (SIB-8). Replies keep their
 * place behind the events that were there when they were given.
 */
export class Outlet implements SiblingOutlet {
  readonly #wire: SiblingWire;
  #maxQueued: number;
  #binding: Binding | null = null;
  #cursor = 0;
  #replayTo = 0;
  #replies: Reply[] = [];
  #closed = false;

  constructor(wire: SiblingWire, maxQueued: number) {
    this.#wire = wire;
    this.#maxQueued = maxQueued;
  }

  /** True while the client reads too slowly for more calls to be taken. */
  get congested(): boolean {
    return this.#wire.queued > this.#maxQueued;
  }

  /** From here on the outlet follows the binding's log. */
  follow(binding: Binding): void {
    this.#binding = binding;
    this.#maxQueued = binding.result.state.limits.siblingQueuedBytes;
    this.#cursor = binding.replayFrom;
    this.#replayTo = binding.log.headSeq;
  }

  reply(text: string): void {
    this.#replies.push({ afterSeq: this.#binding?.log.headSeq ?? 0, text });
    this.wake();
  }

  wake(): void {
    while (!this.#closed && !this.congested) {
      const text = this.#next();
      if (text === null) return;
      this.#wire.send(text);
    }
  }

  sendUnlogged(method: string, params: Readonly<Record<string, unknown>>): boolean {
    this.wake(); // what was queued before goes first
    if (this.#closed || this.congested || !this.#binding) return false;
    this.#wire.send(eventText(method, params));
    return true;
  }

  replaced(generation: number): void {
    this.#finish(
      'replaced',
      eventText('sibling.replaced', { sid: this.#binding?.sid, channel: this.#binding?.channel, generation }),
    );
  }

  close(reason: 'draining' | 'session_ended' | 'room_closed'): void {
    this.wake();
    this.#finish(reason);
  }

  cut(): void {
    this.#closed = true;
    this.#wire.cut();
  }

  /** The socket is gone. */
  end(): void {
    this.#closed = true;
  }

  #finish(reason: CloseReason, last?: string): void {
    if (this.#closed) return;
    if (last !== undefined) this.#wire.send(last);
    this.#closed = true;
    this.#wire.close(reason);
  }

  #next(): string | null {
    const head = this.#binding?.log.headSeq ?? 0;
    const reply = this.#replies[0];
    if (reply && reply.afterSeq <= this.#cursor) return this.#replies.shift()?.text ?? null;
    return this.#cursor < head && this.#binding ? this.#nextEvent(this.#binding) : null;
  }

  #nextEvent(binding: Binding): string | null {
    const { log } = binding;
    if (this.#cursor < log.ackedSeq) this.#cursor = log.ackedSeq;
    const event = log.at(this.#cursor + 1);
    if (!event) return this.#cursor + 1 < log.oldestSeq ? this.#gap(binding) : this.#next();
    this.#cursor = event.seq;
    return this.#eventText(event);
  }

  #gap(binding: Binding): string {
    const gap = { from: this.#cursor + 1, to: binding.log.oldestSeq - 1 };
    this.#cursor = gap.to;
    this.#replayTo = binding.log.headSeq;
    return eventText('sibling.gap', { sid: binding.sid, ...gap, state: binding.state() });
  }

  #eventText(event: LoggedEvent): string {
    const replay = event.seq <= this.#replayTo ? { replay: true } : {};
    return eventText(event.method, { ...event.params, ...replay });
  }
}
