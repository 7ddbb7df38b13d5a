import { performance } from 'node:perf_hooks';
import type { TlsSettings } from './drivers/connect.js';
import { request } from './drivers/http.js';
import { isFields } from './model.js';
import { parseJson } from './runner/connection.js';
import type { Target } from './endpoints.js';
import { WELL_KNOWN, targetFrom } from './endpoints.js';

/** There is no well-known document to begin with. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

// A wait is given up only after many times what the server needs for a simple answer.
const ROUND_TRIPS = 50;

// A moment at which the machine stood still must not make every wait endless.
const MOST = 5;

/** How long to wait for a server, learnt from how fast it answers. */
export class Patience {
  readonly #leastMs: number;
  #roundTripMs = 0;
  #measuring: Promise<number> | undefined;

  constructor(leastMs: number) {
    this.#leastMs = leastMs;
  }

  /** Patience of one wait, in ms. */
  readonly deadlineMs = (): number => this.#for(this.#roundTripMs);

  /** Takes the first round trip as the usual one. */
  learn(roundTripMs: number): void {
    this.#roundTripMs = roundTripMs;
  }

  /** Measures a round trip to the server and answers with the patience of this moment; several at once share one. */
  measure({ wellKnown, tls }: Pick<Target, 'wellKnown' | 'tls'>): Promise<number> {
    this.#measuring ??= this.#probe(wellKnown, tls).finally(() => {
      this.#measuring = undefined;
    });
    return this.#measuring;
  }

  async #probe(url: URL, tls: TlsSettings | undefined): Promise<number> {
    const start = performance.now();
    const signal = AbortSignal.timeout(Math.ceil(this.#leastMs));
    const answered = await request({ url, signal, tls }).then(
      ({ type }) => type === 'response',
      () => false,
    );
    // A server that does not even answer this is not waited for any longer.
    return answered ? Math.max(this.deadlineMs(), this.#for(performance.now() - start)) : this.deadlineMs();
  }

  #for(roundTripMs: number): number {
    return Math.min(MOST * this.#leastMs, Math.max(this.#leastMs, ROUND_TRIPS * roundTripMs));
  }
}

/** How to fetch it. */
interface Fetching {
  readonly patience: Patience;
  readonly signal?: AbortSignal | undefined;
  /** Whom to trust. */
  readonly tls?: TlsSettings | undefined;
}

/**
 * Fetches the well-known document of `base`, an origin or the document's own address.
 *
 * Rejects with `UnreachableError` when there is no answer, or none that is a JSON object.
 */
export async function fetchDiscovery(base: URL, { patience, signal, tls }: Fetching): Promise<Target> {
  const wellKnown = base.pathname.endsWith(WELL_KNOWN) ? base : new URL(WELL_KNOWN, base);
  const start = performance.now();
  const limit = AbortSignal.timeout(Math.ceil(patience.deadlineMs() * 5));
  const result = await request({
    url: wellKnown,
    tls,
    signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
  }).catch((error: unknown) => ({ type: 'failed', why: 'timeout', error: String(error) }) as const);
  if (result.type === 'failed') throw new UnreachableError(`${wellKnown.href}: ${result.why} (${result.error})`);
  patience.learn(performance.now() - start);
  const document = parseJson(result.body.toString('utf8'));
  if (result.status !== 200 || !isFields(document)) {
    const what = result.status === 200 ? 'no JSON object' : `status ${String(result.status)}`;
    throw new UnreachableError(`${wellKnown.href}: ${what}`);
  }
  return targetFrom(wellKnown, document, tls);
}
