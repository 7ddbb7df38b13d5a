import type { Cancel, Clock } from '../../ports/clock.js';

/** How often a silent client is pinged before it is given up: datagrams get lost. */
const PINGS = 4;

interface KeepAliveSettings {
  readonly clock: Clock;
  readonly keepaliveMs: number;
}

interface KeepAliveDoings {
  /** Sends a ping and returns its number. */
  readonly ping: () => number;
  readonly timeout: () => void;
}

/** Finds clients that are gone: nothing else tells, where there is no connection that could break (UDP-21). */
export class KeepAlive {
  readonly #settings: KeepAliveSettings;
  readonly #doings: KeepAliveDoings;
  #heard: number;
  /** Numbers of the pings of the present silence. */
  #asked: number[] = [];
  #cancel: Cancel;

  constructor({ clock, keepaliveMs }: KeepAliveSettings, doings: KeepAliveDoings) {
    this.#settings = { clock, keepaliveMs };
    this.#doings = doings;
    this.#heard = clock.now();
    this.#cancel = clock.after(keepaliveMs, () => this.#look());
  }

  /** Something fresh has come. */
  heard(): void {
    this.#heard = this.#settings.clock.now();
    this.#asked = [];
  }

  /** A pong has come; one that answers no ping of the present silence is an old one. */
  answered(seq: number): void {
    if (this.#asked.includes(seq)) this.heard();
  }

  stop(): void {
    this.#cancel();
  }

  #look(): void {
    const { clock, keepaliveMs } = this.#settings;
    const silent = clock.now() - this.#heard;
    if (silent >= 2 * keepaliveMs) {
      this.#doings.timeout();
      return;
    }
    const due = silent >= keepaliveMs;
    if (due && this.#asked.length < PINGS) this.#asked.push(this.#doings.ping());
    const next = due ? Math.min(keepaliveMs / PINGS, 2 * keepaliveMs - silent) : keepaliveMs - silent;
    this.#cancel = clock.after(next, () => this.#look());
  }
}
