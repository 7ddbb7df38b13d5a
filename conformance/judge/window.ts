import { asText, fullAt, isFields } from '../model.js';
import type { Fields, Step } from '../model.js';
import type { Json } from '../timeline.js';
import type { WantedMessage } from './expect-message.js';
import { isWanted, openMessages, wantedMessages } from './expect-message.js';
import { eventFault, frameFault } from './expect-sibling.js';
import type { Entry, SocketState } from './entries.js';
import type { Ledger } from './ledger.js';
import { fieldOf, resultOf, shaOf } from './entries.js';
import type { Outcome, Pending } from './outcome.js';
import { brief, heldBy, received } from './outcome.js';

/** The label of the nonce that closes the window of a step. */
export const sentinelLabel = (step: Step): string => `sentinel:${String(step.index)}`;

/** The label of the fence on the observer's own sibling that closes the window of a step. */
export const windowLabel = (step: Step): string => `window:${String(step.index)}`;

/** Evaluates `exactly` and `none`; `fields` have their variables put in. */
export function evaluateWindow(ledger: Ledger, fields: Fields, step: Step): Outcome {
  const at = fullAt(asText(fields['at']));
  const socket = ledger.sockets.get(at);
  if (socket === undefined) return { state: 'pending', expected: brief(fields), nearest: `${at} was never opened` };
  if (fields['messages'] !== undefined || fields['message'] !== undefined) {
    return messageWindow(ledger, { socket, fields, step });
  }
  return siblingWindow({ socket, fields, step });
}

interface Window {
  readonly socket: SocketState;
  readonly fields: Fields;
  readonly step: Step;
}

function messageWindow(ledger: Ledger, { socket, fields, step }: Window): Outcome {
  const matchers = isList(fields['messages']) ? fields['messages'] : [];
  const wanted = matchers.flatMap((each) => wantedMessages(ledger, each, socket));
  const expected = `at ${socket.at}: exactly ${wanted.length === 0 ? 'nothing' : wanted.map(({ text }) => text).join(', then ')}`;
  const end = pipeEnd(ledger, { socket, fields, step });
  const open = openMessages(socket.inbound).filter((each) => end === undefined || each.record.i < end.record.i);
  const fault = fields['anyOrder'] === true ? unorderedFault(wanted, open) : orderedFault(wanted, open);
  if (fault !== undefined) {
    const { why, entry } = fault;
    return { state: 'failed', why, expected, received: received(entry.record), record: entry.record.i };
  }
  if (end === undefined) return waiting(socket, expected, open.length);
  if (open.length < wanted.length) {
    const got = `${String(open.length)} of ${String(wanted.length)} messages before the sentinel`;
    return { state: 'failed', why: 'MISSING', expected, received: got, record: end.record.i };
  }
  return { ...heldBy(open), record: end.record.i, at: end.record.t };
}

function waiting(socket: SocketState, expected: string, count: number): Outcome {
  const pending: Pending = { state: 'pending', expected };
  const gone = socket.closed ?? socket.refused;
  if (gone === undefined && count === 0) return pending;
  if (gone === undefined)
    return { ...pending, why: 'SILENT', nearest: `${String(count)} of them, but nothing that ends the window` };
  return { state: 'failed', why: 'CLOSED', expected, received: received(gone), record: gone.i };
}

// The sentinel's arrival ends the window; where no one can send one, what the observer's own fence promised.
function pipeEnd(ledger: Ledger, { socket, fields, step }: Window): Entry | undefined {
  if (fields['sentinel'] === 'none') return promised(ledger, socket, step);
  if (fields['sentinel'] === 'ping') return pongOf(socket, step);
  const hash = ledger.sent.find(({ record }) => record.label === sentinelLabel(step))?.record.sha256;
  return hash === undefined ? undefined : socket.inbound.find((each) => shaOf(each) === hash);
}

function pongOf(socket: SocketState, step: Step): Entry | undefined {
  return socket.inbound.find(
    (each) => each.record.type === 'socket' && each.what === 'pong' && each.record.text === windowLabel(step),
  );
}

function promised(ledger: Ledger, socket: SocketState, step: Step): Entry | undefined {
  const siblings = ledger.all.filter((each) => each.member === socket.member && each.kind === 'sibling');
  const fence = siblings.map((each) => fenceAnswer(each, step)).find((answer) => answer !== undefined);
  const counters = fence === undefined ? undefined : resultOf(fence);
  if (fence === undefined || !isFields(counters)) return fence;
  const count = Number(counters['s2cEnqueued']) - Number(counters['s2cDropped'] ?? 0);
  if (socket.received < count) return undefined;
  // What arrived after the reply was promised by it all the same.
  const last = socket.inbound.at(-1);
  return last === undefined || last.record.i < fence.record.i
    ? fence
    : { ...fence, record: { ...fence.record, i: last.record.i + 1 } };
}

const fenceAnswer = (socket: SocketState | undefined, step: Step): Entry | undefined =>
  socket?.calls.find((each) => each.label === windowLabel(step))?.answer;

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

interface Surprise {
  readonly why: 'WRONG' | 'EXTRA';
  readonly entry: Entry;
}

function orderedFault(wanted: readonly WantedMessage[], open: readonly Entry[]): Surprise | undefined {
  const index = open.findIndex((each, i) => !isWanted(wanted[i] ?? NOTHING, each));
  const entry = open[index];
  return entry && { why: index < wanted.length ? 'WRONG' : 'EXTRA', entry };
}

function unorderedFault(wanted: readonly WantedMessage[], open: readonly Entry[]): Surprise | undefined {
  const left = [...wanted];
  for (const entry of open) {
    const index = left.findIndex((each) => isWanted(each, entry));
    if (index < 0) return { why: left.length === 0 ? 'EXTRA' : 'WRONG', entry };
    left.splice(index, 1);
  }
  return undefined;
}

const NOTHING: WantedMessage = { text: 'nothing', bytes: -1 };

function siblingWindow({ socket, fields, step }: Window): Outcome {
  const fence = fenceAnswer(socket, step);
  const expected = `at ${socket.at}: ${brief(withoutAt(fields))}`;
  const before = (each: Entry): boolean => fence === undefined || each.record.i < fence.record.i;
  const open = socket.inbound.filter((each) => !each.claimed && before(each) && isInWindow(each, fields));
  const surprise = siblingFault(fields, open);
  if (surprise !== undefined) {
    const { why, entry } = surprise;
    return { state: 'failed', why, expected, received: received(entry.record), record: entry.record.i };
  }
  if (fence === undefined) return waiting(socket, expected, open.length);
  const missing = wantedFrames(fields).length - open.length;
  if (missing > 0) {
    const got = `${String(missing)} fewer before the fence's reply`;
    return { state: 'failed', why: 'MISSING', expected, received: got, record: fence.record.i };
  }
  const claims = fields['event'] === undefined ? open : [];
  return { ...heldBy(claims), record: fence.record.i, at: fence.record.t };
}

function withoutAt({ at: _at, ...rest }: Fields): Fields {
  return rest;
}

function wantedFrames(fields: Fields): readonly Json[] {
  const wanted = fields['events'] ?? fields['frames'];
  return isList(wanted) ? wanted : [];
}

function isInWindow(entry: Entry, fields: Fields): boolean {
  if (entry.what === 'pong' || entry.call?.kit === true) return false;
  if (fieldOf(entry, 'method') === 'sibling.hello') return false;
  if (fields['frames'] !== undefined) return true;
  const params = fieldOf(entry, 'params');
  if (fields['events'] !== undefined) return isFields(params) && params['seq'] !== undefined;
  return entry.what === 'event' && eventFault(fields, entry) === undefined;
}

function siblingFault(fields: Fields, open: readonly Entry[]): Surprise | undefined {
  const wanted = wantedFrames(fields);
  const index = open.findIndex((each, i) => {
    const matcher = wanted[i];
    return matcher === undefined || frameFault(matcher, each) !== undefined;
  });
  const entry = open[index];
  return entry && { why: index < wanted.length ? 'WRONG' : 'EXTRA', entry };
}
