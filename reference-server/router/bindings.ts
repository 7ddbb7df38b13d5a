import type { Channel, SiblingOutlet } from '../ports/sibling.js';

interface Bound {
  readonly outlet: SiblingOutlet;
  readonly generation: number;
}

/** Which sibling socket holds each channel. The newest wins, so that a client is never locked out by its own past. */
export class Bindings {
  readonly #generations: Record<Channel, number> = { command: 0, debug: 0 };
  readonly #bound = new Map<Channel, Bound>();

  get any(): boolean {
    return this.#bound.size > 0;
  }

  /** How often each channel was bound; 0 for never. */
  get generations(): { command: number; debug: number } {
    return { ...this.#generations };
  }

  outlet(channel: Channel): SiblingOutlet | undefined {
    return this.#bound.get(channel)?.outlet;
  }

  /** Binds a channel and returns its new generation; whoever held it is told and closed (BIND-11). */
  take(channel: Channel, outlet: SiblingOutlet): number {
    const generation = ++this.#generations[channel];
    const before = this.#bound.get(channel);
    this.#bound.set(channel, { outlet, generation });
    before?.outlet.replaced(generation);
    return generation;
  }

  holds(channel: Channel, generation: number): boolean {
    return this.#bound.get(channel)?.generation === generation;
  }

  /** Lets a channel go, unless another socket has taken it over meanwhile. */
  release(channel: Channel, generation: number): void {
    if (this.holds(channel, generation)) this.#bound.delete(channel);
  }

  close(reason: 'draining' | 'session_ended' | 'room_closed'): void {
    for (const { outlet } of [...this.#bound.values()]) outlet.close(reason);
  }
}
