import { asText, fullAt } from '../model.js';
import type { Fields, Step } from '../model.js';
import type { Json } from '../timeline.js';
import { expectHttp, expectOpening } from './expect-exchange.js';
import { expectLines } from './expect-lines.js';
import { expectMessage } from './expect-message.js';
import { expectStream } from './expect-stream.js';
import { expectAnswer, expectEvent } from './expect-sibling.js';
import type { Entry, SocketState } from './entries.js';
import type { Ledger } from './ledger.js';
import { match } from './match.js';
import type { Outcome } from './outcome.js';
import { heldAt, heldBy, received } from './outcome.js';
import { describe } from './subject.js';
import type { Subject } from './subject.js';

/** The text of the ping by which a step asks whether a socket lives. */
export const aliveText = (step: Step): string => `alive-${String(step.index)}`;

/** Evaluates one `expect`; its variables are already put in. */
export function evaluateExpect(ledger: Ledger, expect: Fields, step: Step): Outcome {
  const at = asText(expect['at']);
  const exchange = ledger.exchanges.get(at);
  if (exchange !== undefined) return expectHttp(exchange, expect);
  const socket = step.verb === 'fence' ? fencedOn(ledger, expect) : ledger.sockets.get(fullAt(at));
  if (socket === undefined) return { state: 'pending', expected: describe(expect), nearest: `${at} was never opened` };
  if (expect['opened'] !== undefined || expect['refused'] !== undefined) return expectOpening(socket, expect);
  const outcome = onSocket({ ledger, socket, expect, step });
  return outcome.state === 'pending' ? unlessGone(socket, outcome) : outcome;
}

// A member's command channel may be bound under another name by now.
function fencedOn(ledger: Ledger, { to }: Fields): SocketState | undefined {
  return ledger.all.find((each) => each.calls.some((call) => call.label === to));
}

function onSocket(subject: Subject): Outcome {
  const { expect, socket, step } = subject;
  if (expect['message'] !== undefined) return expectMessage(subject);
  if (expect['lines'] !== undefined) return expectLines(subject);
  if (expect['stream'] !== undefined) return expectStream(subject);
  if (expect['event'] !== undefined) return expectEvent(subject);
  if (expect['reply'] !== undefined || expect['error'] !== undefined) return expectAnswer(subject);
  if (expect['closed'] !== undefined) return expectClosed(socket, expect);
  if (expect['receipt'] !== undefined) return expectReceipt(socket, expect);
  const pong = expect['alive'] === true ? aliveText(step) : asText(expect['pong']);
  return expectPong(socket, pong);
}

function expectClosed(socket: SocketState, expect: Fields): Outcome {
  const expected = describe(expect);
  const record = socket.closed;
  if (record === undefined) return { state: 'pending', expected };
  const wanted: Json = expect['closed'] ?? {};
  const { code, reason = '', how } = record;
  const count = (kind: Entry['what']): number => socket.inbound.filter(({ what }) => what === kind).length;
  const seen: Json = {
    messages: count('message'),
    lines: count('line'),
    events: count('event'),
    ...(code === undefined ? {} : { code }),
    reason,
    ...(how === undefined ? {} : { how }),
  };
  if (wanted === 'any' || match(wanted, seen) === undefined) return heldAt(record, seen);
  return { state: 'failed', why: 'WRONG', expected, received: received(record), record: record.i };
}

/** The next receipt: what the transport itself said of a message of this pipe that was no nonce. */
function expectReceipt(socket: SocketState, expect: Fields): Outcome {
  const expected = describe(expect);
  const found = socket.inbound.find((each) => each.what === 'receipt' && !each.claimed && !each.nonce);
  if (found?.record.type !== 'socket') return { state: 'pending', expected };
  const { record } = found;
  const facts = record.json ?? {};
  if (match(expect['receipt'] ?? {}, facts) === undefined) return heldBy([found], facts);
  return { state: 'failed', why: 'WRONG', expected, received: received(record), record: record.i };
}

function expectPong(socket: SocketState, text: string): Outcome {
  const isIt = (each: Entry): boolean => !each.claimed && each.record.type === 'socket' && each.record.text === text;
  const found = socket.inbound.find((each) => each.what === 'pong' && isIt(each));
  return found === undefined ? { state: 'pending', expected: `a pong ${JSON.stringify(text)}` } : heldBy([found]);
}

// Nothing more can come over a connection that is gone.
function unlessGone(socket: SocketState, outcome: Outcome & { state: 'pending' }): Outcome {
  const end = socket.closed ?? socket.refused;
  if (end === undefined) return outcome;
  const nearest = outcome.nearest === undefined ? '' : `; before that ${outcome.nearest}`;
  return {
    state: 'failed',
    why: 'CLOSED',
    expected: outcome.expected,
    received: `${received(end)}${nearest}`,
    record: end.i,
  };
}
