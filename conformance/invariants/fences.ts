import type { Call, SocketState } from '../judge/entries.js';
import type { Ledger } from '../judge/ledger.js';
import { resultOf, shaOf, unitsOf } from '../judge/entries.js';
import { received } from '../judge/outcome.js';
import { isFields } from '../model.js';
import type { Fields } from '../model.js';
import type { Json } from '../timeline.js';
import type { FinishedRun, Violation } from './violation.js';
import { violation } from './violation.js';

/** FENCE-1 and FENCE-5: what a fence says is held against what the kit itself sent and received. */
export function fenceViolations({ ledger }: FinishedRun): Violation[] {
  return ledger.all.flatMap((socket) =>
    socket.calls.filter((call) => call.method === 'fence').flatMap((call) => checkFence(ledger, socket, call)),
  );
}

interface Rule {
  readonly requirement: string;
  readonly expected: string;
  readonly holds: boolean;
}

function checkFence(ledger: Ledger, socket: SocketState, call: Call): Violation[] {
  const counters = call.answer === undefined ? undefined : resultOf(call.answer);
  if (call.answer === undefined || !isFields(counters)) return [];
  const { record } = call.answer;
  const rules = [...ownRules(call, counters), ...pipeRules(ledger, socket, { call, counters })];
  return rules
    .filter(({ holds }) => !holds)
    .map(({ requirement, expected }) => violation({ requirement, record, expected, received: received(record) }));
}

const count = (value: Json | undefined): number => (typeof value === 'number' ? value : Number.NaN);

// A counter that is missing is the schema's business: comparisons with NaN are put so that they hold.
function ownRules({ params }: Call, counters: Fields): Rule[] {
  const after = isFields(params) ? params['after'] : undefined;
  const asked = isFields(after) && after['epoch'] === counters['epoch'] ? count(after['c2s']) : Number.NaN;
  const [routed, counted] = [count(counters['c2sRouted']), count(counters['c2sReceived'])];
  const [enqueued, written] = [count(counters['s2cEnqueued']), count(counters['s2cWritten'])];
  return [
    { requirement: 'FENCE-1', expected: `an answer only when ${String(asked)} are routed`, holds: !(routed < asked) },
    { requirement: 'FENCE-5', expected: 'no more routed than received', holds: !(routed > counted) },
    { requirement: 'FENCE-5', expected: 'no more written than enqueued', holds: !(written > enqueued) },
  ];
}

function pipeRules(ledger: Ledger, socket: SocketState, { call, counters }: { call: Call; counters: Fields }): Rule[] {
  const epoch = counters['epoch'];
  const pipe = ledger.all.find(
    ({ kind, member, life, ...each }) =>
      kind === 'pipe' && member === socket.member && life === socket.life && each.epoch === epoch && each.opened,
  );
  if (pipe === undefined || call.answer === undefined) return [];
  const { i } = call.answer.record;
  const own = ledger.sent.filter(({ record }) => record.conn === pipe.conn && record.i < i);
  const sent = own.reduce((sum, { record }) => sum + unitsOf(pipe, record), 0);
  // What arrives while the answer is under way may have been enqueued after it.
  const arrived = arrivedOf(pipe, call.record.i);
  const promised = count(counters['s2cEnqueued']) - count(counters['s2cDropped']);
  const behind = arrivedBySentinel(ledger, pipe, call);
  return [
    {
      requirement: 'FENCE-5',
      expected: `no more received than the ${String(sent)} sent`,
      holds: pipe.raw || !(count(counters['c2sReceived']) > sent),
    },
    {
      requirement: 'FENCE-5',
      expected: `the ${String(arrived)} messages that had arrived to be enqueued`,
      holds: !(promised < arrived),
    },
    {
      requirement: 'FENCE-5',
      expected: `the ${String(promised)} messages promised to come before the sentinel`,
      holds: behind === undefined || !(behind < promised),
    },
  ];
}

const arrivedOf = (pipe: SocketState, before: number): number =>
  pipe.inbound.reduce(
    (sum, { record }) => (record.type === 'message' && record.i < before ? sum + unitsOf(pipe, record) : sum),
    0,
  );

/** How many messages had arrived with the sentinel of the window that this fence opened; undefined where there is none. */
function arrivedBySentinel(ledger: Ledger, pipe: SocketState, { label }: Call): number | undefined {
  if (label?.startsWith('window:') !== true) return undefined;
  const name = label.replace('window:', 'sentinel:');
  const hash = ledger.sent.find(({ record }) => record.label === name)?.record.sha256;
  const index = pipe.inbound.findIndex((each) => hash !== undefined && shaOf(each) === hash);
  return index < 0 ? undefined : pipe.inbound.slice(0, index).filter((each) => each.what === 'message').length;
}
