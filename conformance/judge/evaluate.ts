import { asText, fullAt, isFields } from '../model.js';
import type { Fields, Step } from '../model.js';
import { evaluateExpect } from './expectation.js';
import { sha256 } from './expect-message.js';
import type { Entry } from './entries.js';
import type { Ledger } from './ledger.js';
import { shaOf } from './entries.js';
import type { Outcome } from './outcome.js';
import { heldBy } from './outcome.js';
import { lookupIn, resolveFields } from './scope.js';
import { evaluateWindow } from './window.js';

export { sha256 };

/** The label of the nonce that a `control` step sends. */
export const controlLabel = (step: Step): string => `control:${String(step.index)}`;

/**
 * What can be said of a step now, from nothing but the records so far. The runner asks until it is decided, the judge
 * asks once, at the step's end: both see the same.
 */
export function evaluate(step: Step, ledger: Ledger): Outcome {
  if (step.verb === 'control') return evaluateControl(step, ledger);
  if (step.verb === 'retry') return evaluateRetry(step, ledger);
  if (step.verb === 'restart' || step.verb === 'drain') return evaluateServer(step, ledger);
  if (step.verb === 'exactly' || step.verb === 'none') {
    return evaluateWindow(ledger, resolveFields(step.fields, lookupIn(ledger)), step);
  }
  if (step.expect === undefined) return { state: 'held', claims: [] };
  return evaluateExpect(ledger, resolveFields(step.expect, lookupIn(ledger)), step);
}

function evaluateControl(step: Step, ledger: Ledger): Outcome {
  const pair = controlPair(step.fields);
  const expected = `at ${pair.to}: the nonce that ${pair.from} sent`;
  const hash = ledger.sent.find(({ record }) => record.label === controlLabel(step))?.record.sha256;
  const socket = ledger.sockets.get(pair.to);
  const found = socket?.inbound.find((each: Entry) => shaOf(each) === hash && hash !== undefined);
  return found === undefined ? { state: 'pending', expected } : heldBy([found]);
}

/** The sockets of a `control: [from, to]`. */
export function controlPair(fields: Fields): { readonly from: string; readonly to: string } {
  const of = fields['of'];
  const [from, to] = Array.isArray(of) ? of.map(String) : [];
  return { from: fullAt(from ?? ''), to: fullAt(to ?? '') };
}

function evaluateServer({ verb }: Step, { server: { state, what = '' } }: Ledger): Outcome {
  const expected = verb === 'drain' ? 'a server that was asked to end' : 'the server, started again';
  if (state === 'crashed' || state === 'failed') return { state: 'failed', why: 'CLOSED', expected, received: what };
  return (state === 'up') === (verb === 'restart') ? { state: 'held', claims: [] } : { state: 'pending', expected };
}

// Until the time is up a response that does not match only means: not yet.
function evaluateRetry(step: Step, ledger: Ledger): Outcome {
  const fields = resolveFields(step.fields, lookupIn(ledger));
  const outcome = evaluateExpect(
    ledger,
    { ...(isFields(fields['until']) ? fields['until'] : {}), at: retryAt(fields) },
    step,
  );
  if (outcome.state !== 'failed') return outcome;
  return { state: 'pending', expected: outcome.expected, nearest: outcome.received };
}

/** The exchange that a `retry` repeats. */
export function retryAt(fields: Fields): string {
  if (isFields(fields['grant'])) return `${asText(fields['grant']['as'])}.grant`;
  return isFields(fields['http']) ? asText(fields['http']['as']) : '';
}
