import { asText, isFields } from '../model.js';
import type { Fields } from '../model.js';
import type { Json } from '../timeline.js';
import { errorFault } from './expect-exchange.js';
import type { Call, Entry, SocketState } from './entries.js';
import { fieldOf, resultOf } from './entries.js';
import type { Mismatch } from './match.js';
import { match } from './match.js';
import type { Outcome } from './outcome.js';
import { heldBy, received } from './outcome.js';
import { describe } from './subject.js';
import type { Subject } from './subject.js';

/** Whether an entry is the event that `fields` describe; else what is not as it should be. */
export function eventFault(fields: Fields, entry: Entry): Mismatch | undefined {
  const wrongName = match(fields['event'] ?? { $type: 'string' }, fieldOf(entry, 'method'), 'method');
  if (wrongName !== undefined || fields['params'] === undefined) return wrongName;
  return match(fields['params'], fieldOf(entry, 'params'), 'params');
}

/** `event`: the first unclaimed one that matches. */
export function expectEvent({ socket, expect }: Subject): Outcome {
  const events = socket.inbound.filter((each) => each.what === 'event' && !each.claimed);
  const found = events.find((each) => eventFault(expect, each) === undefined);
  if (found !== undefined) return heldBy([found], fieldOf(found, 'params'));
  const near = events.find((each) => fieldOf(each, 'method') === expect['event']);
  const expected = describe(expect);
  if (near === undefined) return { state: 'pending', expected };
  const fault = eventFault(expect, near);
  const nearest = `${fault ? `${fault.path}: ${fault.received} instead of ${fault.expected} in ` : ''}${received(near.record)}`;
  return { state: 'pending', expected, nearest, record: near.record.i };
}

/** Whether an entry answers as `fields` describe; else what is not as it should be. */
export function answerFault(fields: Fields, entry: Entry): Mismatch | undefined {
  const id = fields['id'];
  const wrongId = id === undefined ? undefined : match(id, fieldOf(entry, 'id'), 'id');
  if (wrongId !== undefined) return wrongId;
  if (fields['error'] !== undefined) return errorFault(fields, fieldOf(entry, 'error'));
  const result = resultOf(entry);
  if (result === undefined) return { path: '', expected: 'a result', received: 'an error' };
  return fields['reply'] === 'any' ? undefined : match(fields['reply'] ?? {}, result, 'result');
}

/** `reply` and `error`: the answer to a named call, or to the oldest whose answer no step took. */
export function expectAnswer({ socket, expect }: Subject): Outcome {
  const expected = describe(expect);
  const answer = expect['to'] === 'any' ? orphan(socket) : callFor(socket, expect['to'])?.answer;
  if (answer === undefined) return { state: 'pending', expected, ...nearestOrphan(socket) };
  const fault = answerFault(expect, answer);
  if (fault === undefined) return heldBy([answer], resultOf(answer) ?? fieldOf(answer, 'error'));
  const where = fault.path === '' ? '' : `${fault.path}: `;
  return {
    state: 'failed',
    why: 'WRONG',
    expected,
    received: `${where}${fault.received} instead of ${fault.expected} in ${received(answer.record)}`,
    record: answer.record.i,
  };
}

const orphan = (socket: SocketState): Entry | undefined =>
  socket.inbound.find((each) => each.what === 'answer' && each.call === undefined && !each.claimed);

function nearestOrphan(socket: SocketState): { readonly nearest?: string; readonly record?: number } {
  const found = orphan(socket);
  return found === undefined ? {} : { nearest: received(found.record), record: found.record.i };
}

/** The call that `to` names; without it the oldest call of the case whose answer is not claimed. */
export function callFor(socket: SocketState, to: Json | undefined): Call | undefined {
  if (to !== undefined) return socket.calls.find((each) => each.label === to);
  return socket.calls.find((each) => !each.kit && each.answer?.claimed !== true);
}

/** Whether any frame of a window is what a matcher of `frames` describes. */
export function frameFault(matcher: Json, entry: Entry): Mismatch | undefined {
  if (!isFields(matcher)) return undefined;
  if (matcher['event'] !== undefined) return eventFault(matcher, entry);
  const to = matcher['to'];
  if (to !== undefined && to !== 'any' && entry.call?.label !== to) {
    return { path: 'id', expected: `the answer to ${asText(to)}`, received: received(entry.record) };
  }
  if (matcher['reply'] !== undefined && to === undefined && entry.call === undefined) {
    return { path: 'id', expected: 'the answer to a call', received: received(entry.record) };
  }
  return answerFault(matcher, entry);
}
