import { setTimeout as delay } from 'node:timers/promises';
import { quantity } from '../judge/scope.js';
import type { Fields } from '../model.js';
import { exchange } from './http.js';
import type { Run } from './run.js';

// Who is pinged on the way must have the time to answer: a leap is made of steps.
const STEP_MS = 100;
const MOST_STEPS = 16;

const AT = 'hooks';
const GONE = 404;

/**
 * The `clock` verb: time of the protocol passes (a ticket's life, a linger) in every session of the case. Where the
 * server lets tests move clocks it does so at once, elsewhere the kit waits; what is seen afterwards is the same.
 */
export async function passTime(run: Run, fields: Fields): Promise<void> {
  const member = typeof fields['of'] === 'string' ? fields['of'] : [...run.ledger.members.keys()].at(-1);
  const ms = quantity(fields['pass'], run.ledger, member);
  if (fields['real'] !== true && (await advance(run, ms))) return;
  await delay(ms, undefined, { signal: run.signal }).catch(() => undefined);
}

async function advance(run: Run, ms: number): Promise<boolean> {
  const { hooks } = run.target;
  const token = run.setting.tokens['hooks'];
  if (hooks === undefined || token === undefined) return false;
  const steps = Math.min(MOST_STEPS, Math.ceil(ms / STEP_MS));
  for (let step = 0; step < steps; step++) {
    const part = Math.floor((ms * (step + 1)) / steps) - Math.floor((ms * step) / steps);
    for (const sid of run.ledger.sids()) if (!(await leap(run, { url: hooks, token, sid, ms: part }))) return false;
  }
  return true;
}

interface Leap {
  readonly url: URL;
  readonly token: string;
  readonly sid: string;
  readonly ms: number;
}

/** Whether the session's clock is where it was to be; the session may be over by then. */
async function leap(run: Run, { url, token, sid, ms }: Leap): Promise<boolean> {
  if (ms === 0) return true;
  await exchange(run, {
    at: AT,
    method: 'POST',
    url: new URL(`${url.href}/clock.advance`),
    headers: [
      ['content-type', 'application/json'],
      ['authorization', `Bearer ${token}`],
    ],
    body: Buffer.from(JSON.stringify({ ms, sid }), 'utf8'),
    odd: true,
    shared: true,
  });
  const status = run.ledger.exchanges.get(AT)?.response?.status;
  return status === 200 || status === GONE;
}
