import type { Entry, SocketState } from '../judge/entries.js';
import { fieldOf, resultOf } from '../judge/entries.js';
import { received } from '../judge/outcome.js';
import { isFields } from '../model.js';
import type { Json } from '../timeline.js';
import type { FinishedRun, Violation } from './violation.js';
import { violation } from './violation.js';

/** SIB-1 and RCPT-5: on one connection `seq` and `vseq` go up by one, over nothing but an announced gap. */
export function numberViolations({ ledger }: FinishedRun): Violation[] {
  const siblings = ledger.all.filter(({ kind }) => kind === 'sibling');
  return siblings.flatMap((socket) => [...seqViolations(socket), ...vseqViolations(socket)]);
}

const number = (value: Json | undefined): number | undefined => (typeof value === 'number' ? value : undefined);

function param(entry: Entry, key: string): Json | undefined {
  const params = fieldOf(entry, 'params');
  return isFields(params) ? params[key] : undefined;
}

function seqViolations(socket: SocketState): Violation[] {
  const found: Violation[] = [];
  let last: number | undefined;
  for (const entry of socket.inbound) {
    if (fieldOf(entry, 'method') === 'sibling.gap') last = number(param(entry, 'to'));
    const seq = number(param(entry, 'seq'));
    if (seq === undefined) continue;
    // The first one depends on what was acknowledged; where none is replayed it follows the head of the bind.
    const before = last ?? (param(entry, 'replay') === true ? undefined : headAt(socket, entry));
    if (before !== undefined && seq !== before + 1) found.push(hole(entry, 'SIB-1', `seq ${String(before + 1)}`));
    last = seq;
  }
  return found;
}

function headAt(socket: SocketState, before: Entry): number | undefined {
  const bind = socket.inbound.find((each) => each.call?.method === 'sibling.bind' && each.record.i < before.record.i);
  const result = bind === undefined ? undefined : resultOf(bind);
  return isFields(result) ? number(result['headSeq']) : undefined;
}

function vseqViolations(socket: SocketState): Violation[] {
  const numbered = socket.inbound.filter((entry) => number(param(entry, 'vseq')) !== undefined);
  return numbered
    .filter((entry, index) => param(entry, 'vseq') !== index + 1)
    .slice(0, 1)
    .map((entry) => hole(entry, 'RCPT-5', `vseq ${String(numbered.indexOf(entry) + 1)}`));
}

function hole(entry: Entry, requirement: string, expected: string): Violation {
  return violation({ requirement, record: entry.record, expected, received: received(entry.record) });
}
