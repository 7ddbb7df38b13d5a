import { performance } from 'node:perf_hooks';
import { KeptConnections } from '../drivers/kept-connections.js';
import { Ledger } from '../judge/ledger.js';
import { lookupIn, resolveFields } from '../judge/scope.js';
import type { Case, Fields } from '../model.js';
import type { RecordBody, TimelineRecord } from '../timeline.js';
import type { Bystanders } from './bystanders.js';
import type { Connection } from './connection.js';
import type { Target } from '../endpoints.js';
import type { ServerControl } from './server.js';

/** What a run needs to know beside its case. */
export interface RunSetting {
  readonly target: Target;
  /** Bearer tokens by account name. */
  readonly tokens: { readonly [account: string]: string };
  readonly seed: number;
  /** Begins every room name of the run; unique on the server. */
  readonly prefix: string;
  readonly run: string;
  /** Patience of one wait in ms, asked anew at each of them. */
  readonly deadlineMs: () => number;
  /** Measures the round trip again and says the patience that follows from it. */
  readonly measure: () => Promise<number>;
  /** Start of the suite on the monotonic clock, in ms. */
  readonly epoch: number;
  /** Absent where the server's process is not the kit's own. */
  readonly server?: ServerControl;
  readonly signal?: AbortSignal;
  /** Those of the runs before; absent where each run has its own. */
  readonly bystanders?: Bystanders;
}

/** One case under way: its timeline, what it means so far, its connections. */
export class Run {
  readonly records: TimelineRecord[] = [];
  readonly ledger = new Ledger();
  readonly connections = new Map<string, Connection>();
  /** For requests in which no case has anything to say of the connection. */
  readonly kept = new KeptConnections();
  /** Where the server is now; a restart may change it. */
  target: Target;
  #all: readonly Connection[] = [];
  readonly #ended = new AbortController();
  /** Aborts when the run ends, or when the whole suite is called off. */
  readonly signal: AbortSignal;
  #changed: (() => void)[] = [];
  #conn = 0;
  #call = 0;

  constructor(
    readonly of: Case,
    readonly setting: RunSetting,
  ) {
    this.target = setting.target;
    const ended = this.#ended.signal;
    this.signal = setting.signal === undefined ? ended : AbortSignal.any([setting.signal, ended]);
  }

  /** Appends a record. Everything that waits looks again. */
  append(body: RecordBody): TimelineRecord {
    const t = Math.round((performance.now() - this.setting.epoch) * 1000) / 1000;
    const record: TimelineRecord = { i: this.records.length, t, run: this.setting.run, ...body };
    if (this.#ended.signal.aborted) return record;
    this.records.push(record);
    this.ledger.add(record);
    const waiting = this.#changed;
    this.#changed = [];
    for (const each of waiting) each();
    return record;
  }

  /** Puts values for the variables of `fields`. */
  resolve(fields: Fields): Fields {
    return resolveFields(fields, lookupIn(this.ledger));
  }

  /** A number for a new connection. */
  nextConn(): number {
    return this.#conn++;
  }

  /** A number for a new call. */
  nextCall(): number {
    return ++this.#call;
  }

  /** Makes a connection known under its name. */
  keep(connection: Connection): void {
    this.connections.set(connection.at, connection);
    this.#all = [...this.#all, connection];
  }

  /** Every connection that ends with the run. */
  get all(): readonly Connection[] {
    return this.#all;
  }

  /** Leaves connections to somebody else. */
  release(connections: readonly Connection[]): void {
    this.#all = this.#all.filter((each) => !connections.includes(each));
  }

  /** Waits until `holds`, looking after every record; false when `ms` passed before. */
  async until(holds: () => boolean, ms: number): Promise<boolean> {
    const end = performance.now() + ms;
    while (!holds()) {
      const left = end - performance.now();
      if (left <= 0 || this.setting.signal?.aborted === true) return false;
      await this.#change(left);
    }
    return true;
  }

  /** Ends every connection; nothing is recorded from here on. */
  end(): void {
    this.#ended.abort(new Error('the run is over'));
    for (const connection of this.#all) connection.driver.cut();
    this.kept.end();
  }

  #change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#changed.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
