import type { Patience } from './discovery.js';
import { fetchDiscovery } from './discovery.js';
import type { Target } from './endpoints.js';
import { isFields } from './model.js';
import type { OwnedServer } from './owned-server.js';
import type { ServerControl } from './runner/server.js';

/** What a place is made of. */
export interface PlaceParts {
  readonly target: Target;
  /** Where the server was found; one that was started again is looked for there. */
  readonly base: URL;
  readonly owned: OwnedServer | undefined;
  readonly patience: Patience;
  readonly signal: AbortSignal | undefined;
}

/** A server before which cases run. Its process may be the kit's own; a restart can move it. */
export class Place {
  /** Absent where the process is not the kit's own. */
  readonly control: ServerControl | undefined;
  readonly #parts: PlaceParts;
  #target: Target;
  #base: URL;

  constructor(parts: PlaceParts) {
    this.#parts = parts;
    this.#target = parts.target;
    this.#base = parts.base;
    this.control = parts.owned === undefined ? undefined : this.#controlOf(parts.owned);
  }

  /** Where the server is now. */
  get target(): Target {
    return this.#target;
  }

  /** Measures a round trip, and says the patience that follows from it. */
  readonly measure = (): Promise<number> => this.#parts.patience.measure(this.#target);

  #controlOf(owned: OwnedServer): ServerControl {
    const { patience } = this.#parts;
    const { discovery } = this.#target;
    const { drainMs } = isFields(discovery) && isFields(discovery['limits']) ? discovery['limits'] : {};
    // It may take as long as it says that it takes.
    const patienceMs = typeof drainMs === 'number' ? drainMs : 0;
    return {
      trouble: owned.trouble,
      drain: () => owned.drain(),
      end: (how) => owned.end(how, patienceMs + patience.deadlineMs()),
      start: () => this.#start(owned),
    };
  }

  async #start(owned: OwnedServer): Promise<Target> {
    const [before, after] = [owned.url, await owned.start()];
    // A proxy, or an address that was given, stays where it is.
    if (this.#base.origin === before.origin) this.#base = after;
    this.#target = await fetchDiscovery(this.#base, { ...this.#parts, tls: owned.tls });
    return this.#target;
  }
}
