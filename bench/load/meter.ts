import { cpuOf } from '../processes.js';
import type { Outcome } from './job.js';

/** Time and processor time of both sides from here on. */
export class Meter {
  readonly #serverPid: number;
  readonly #start = performance.now();
  readonly #client = process.cpuUsage();
  readonly #server: number | null;

  constructor(serverPid: number) {
    this.#serverPid = serverPid;
    this.#server = cpuOf(serverPid);
  }

  /** Milliseconds since the start. */
  get ms(): number {
    return performance.now() - this.#start;
  }

  outcome(count: number): Outcome {
    const { user, system } = process.cpuUsage(this.#client);
    const server = cpuOf(this.#serverPid);
    const serverCpu = server === null || this.#server === null ? null : (server - this.#server) / count;
    return { count, seconds: this.ms / 1000, clientCpu: (user + system) / count, serverCpu };
  }
}
