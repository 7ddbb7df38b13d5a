/** What one load process does; it is handed over as JSON. */
export interface Job {
  readonly task: 'window' | 'pace' | 'hold' | 'open';
  readonly dialect:
    | ('porthouse' | 'porthouseLine' | 'porthouseFrame' | 'porthouseUdp' | 'porthouseForm')
    | ('webSocket' | 'socketIo' | 'nats' | 'mqtt');
  readonly url: string;
  /** Whose processor time counts as the server's. */
  readonly serverPid: number;
  /** Connections that receive; with `hold` and `open`, those that are opened and measured. */
  readonly members: number;
  readonly payloadBytes: number;
  /** `window`: messages under way at most. */
  readonly window: number;
  /** `pace`: messages per second. */
  readonly rate: number;
  readonly warmUpMs: number;
  readonly ms: number;
  /** `hold`: connections that are opened before the ones that are measured. */
  readonly before: number;
  /** `hold`: whether each pipe has a bound sibling. */
  readonly siblings: boolean;
}

/** What a load process reports. */
export interface Outcome {
  /** Messages counted at members, or connections opened. */
  readonly count: number;
  readonly seconds: number;
  /** Microseconds of processor time for each of them; null where the system does not tell. */
  readonly clientCpu: number;
  readonly serverCpu: number | null;
  /** `pace`: milliseconds from the write of a message until a member has it. */
  readonly p50?: number;
  readonly p99?: number;
}

/** From the load process: everything that is to be held is open, or all is done. */
export type Report = { readonly held: number } | { readonly outcome: Outcome };
