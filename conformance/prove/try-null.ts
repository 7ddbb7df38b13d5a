import { performance } from 'node:perf_hooks';
import type { Case } from '../model.js';
import { isFields } from '../model.js';
import type { Fields } from '../model.js';
import type { JsonObject } from '../mutants/json.js';
import type { NullServer, Refusal } from '../nulls/null-server.js';
import { rejectAll } from '../nulls/plain.js';
import { nullServers } from '../nulls/registry.js';
import { errorOf } from '../register.js';
import type { Json } from '../timeline.js';
import { UnreachableError } from '../discovery.js';
import { bystandersOver } from '../plan.js';
import { runSuite } from '../suite.js';
import type { Bench } from './bench.js';
import { pool } from './pool.js';

/** What the kit found in a null server. */
export interface NullResult {
  readonly name: string;
  /** Whether the opening canary stopped the run where it failed. */
  readonly gate: boolean;
  readonly checks: number;
  readonly passes: readonly { readonly requirement: string; readonly case: string }[];
  readonly seconds: number;
}

/** Null servers answer at once or never, so that little patience is enough. */
const PATIENCE_MS = 150;
const JOBS = 48;

interface Attempt {
  readonly server: NullServer;
  readonly gate: boolean;
  readonly cases: readonly Case[];
  readonly discovery: JsonObject;
  readonly refusal?: Refusal;
}

async function attempt({ server, gate, cases, discovery, refusal }: Attempt, bench: Bench): Promise<NullResult> {
  const started = performance.now();
  const running = await server.start({ discovery, good: bench.url, ...(refusal === undefined ? {} : { refusal }) });
  const { tokens, seed } = bench;
  const options = { base: running.url, tokens, cases, jobs: JOBS, seed, timeoutMs: PATIENCE_MS, gate, full: false };
  try {
    const { checks } = await runSuite(options);
    const passes = checks
      .filter((check) => check.verdict === 'PASS' && isEarned(server, check.case, cases))
      .map((each) => ({ requirement: each.requirement, case: each.case }));
    return { name: server.name, gate, checks: checks.length, passes, seconds: secondsSince(started) };
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    return { name: server.name, gate, checks: 0, passes: [], seconds: secondsSince(started) };
  } finally {
    await running.stop();
  }
}

/** What is proved by WebSocket alone is no gift where that is good; whole runs are, too, then. */
const isEarned = ({ half = false }: NullServer, id: string, cases: readonly Case[]): boolean =>
  !half || cases.some((of) => of.id === id && !of.canary);

/** The cases that a null server has anything to do with. */
const concerning = ({ half = false }: NullServer, cases: readonly Case[]): readonly Case[] =>
  half ? cases.filter((of) => of.canary || bystandersOver(of) !== 'websocket') : cases;

const secondsSince = (started: number): number => Math.round(performance.now() - started) / 1000;

/** Every refusal that some step of the case waits for. */
function refusalsOf({ steps }: Case): readonly Refusal[] {
  return steps.flatMap(({ fields, expect }) => [fields, expect ?? {}].flatMap(refusalsIn));
}

function refusalsIn(fields: Fields): readonly Refusal[] {
  const inner = isFields(fields['refused']) ? fields['refused'] : fields;
  const until = isFields(fields['until']) ? refusalsIn(fields['until']) : [];
  const { status, error } = inner;
  if (typeof error !== 'string') return until;
  return [...until, { status: statusOf(status, error), error }];
}

const statusOf = (status: Json | undefined, error: string): number =>
  typeof status === 'number' ? status : (errorOf(error)?.http ?? 400);

/** The cases by the refusal that would please them. */
function byRefusal(cases: readonly Case[]): readonly { readonly refusal: Refusal; readonly cases: readonly Case[] }[] {
  const groups = new Map<string, { refusal: Refusal; cases: Case[] }>();
  for (const of of cases) {
    for (const refusal of refusalsOf(of)) {
      const key = `${String(refusal.status)} ${refusal.error}`;
      const group = groups.get(key) ?? { refusal, cases: [] };
      if (!group.cases.includes(of)) group.cases.push(of);
      groups.set(key, group);
    }
  }
  return [...groups.values()];
}

/** One line for several runs before the same kind of server. */
function sum(results: readonly NullResult[]): NullResult | undefined {
  const [first] = results;
  return (
    first && {
      ...first,
      checks: results.reduce((total, { checks }) => total + checks, 0),
      passes: results.flatMap(({ passes }) => passes),
      seconds: Math.round(results.reduce((total, { seconds }) => total + seconds, 0) * 1000) / 1000,
    }
  );
}

/** Null servers tried at the same time: the kit mostly waits for what never comes. */
const AT_ONCE = 4;

/** Runs the kit against every null server, with the canary's gate and without it. */
export async function tryNulls(
  bench: Bench,
  discovery: JsonObject,
  onDone: (result: NullResult) => void,
): Promise<NullResult[]> {
  // The canary says nothing of a server that is good over WebSocket.
  const attempts = nullServers.flatMap((server) =>
    (server.half ? [false] : [true, false]).map((gate) => ({ server, gate })),
  );
  return pool(attempts, AT_ONCE, async ({ server, gate }) => {
    const cases = concerning(server, bench.cases);
    const result = await tryNull({ server, gate, cases, discovery }, bench);
    onDone(result);
    return result;
  });
}

async function tryNull(whole: Attempt, bench: Bench): Promise<NullResult> {
  // With the gate the canary alone decides, whatever the refusal.
  if (whole.server !== rejectAll || whole.gate) return attempt(whole, bench);
  const groups = byRefusal(bench.cases);
  const parts = await pool(groups, AT_ONCE, ({ refusal, cases }) => attempt({ ...whole, cases, refusal }, bench));
  return sum(parts) ?? attempt(whole, bench);
}
