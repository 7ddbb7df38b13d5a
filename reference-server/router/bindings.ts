import type { Channel, SiblingOutlet } from '../ports/sibling.js';

interface Bound {
  readonly outlet: SiblingOutlet;
  readonly generation: number;
}

/** Which sibling socket holds each channel. The newest wins, so that a client is never locked out by its own past. */
export class Bindings {
  readonly #generations: Record<Channel, number> = { command: 0, debug: 0 };
  readonly #bound: Record<Channel, Bound | null> = { command: null, debug: null };

  get any(): boolean {
    return this.#bound.command !== null || this.#bound.debug !== null;
  }

  /** How often each channel was bound; 0 for never. */
  get generations(): { command: number; debug: number } {
    return { ...this.#generations };
  }

  outlet(channel: Channel): SiblingOutlet | undefined {
    return this.#bound[channel]?.outlet;
  }

  /** Binds a channel and returns its new generation; whoever held it is told and closed (BIND-11). */
  take(channel: Channel, outlet: SiblingOutlet): number {
    const generation = ++this.#generations[channel];
    const before = this.#bound[channel];
    this.#bound[channel] = { outlet, generation };
    before?.outlet.replaced(generation);
    return generation;
  }

  holds(channel: Channel, generation: number): boolean {
    return this.#bound[channel]?.generation === generation;
  }

  /** Lets a channel go, unless another socket has taken it over meanwhile. */
  release(channel: Channel, generation: number): void {
    if (this.holds(channel, generation)) this.#bound[channel] = null;
  }

  close(reason: 'draining' | 'session_ended' | 'room_closed'): void {
    const { command, debug } = this.#bound;
    command?.outlet.close(reason);
    debug?.outlet.close(reason);
  }
}
