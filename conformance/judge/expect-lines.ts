import type { Json } from '../timeline.js';
import type { Entry } from './entries.js';
import { match } from './match.js';
import type { Outcome } from './outcome.js';
import { heldBy, received } from './outcome.js';
import { describe } from './subject.js';
import type { Subject } from './subject.js';

/** `lines`: the next ones that nobody has claimed, each with what it must be. */
export function expectLines({ socket, expect }: Subject): Outcome {
  const { lines } = expect;
  const wanted: readonly Json[] = Array.isArray(lines) ? (lines as readonly Json[]) : [lines ?? {}];
  const expected = describe(expect);
  const come = socket.inbound.filter((each) => each.what === 'line' && !each.claimed).slice(0, wanted.length);
  const wrong = come.find((each, index) => match(wanted[index] ?? {}, textOf(each)) !== undefined);
  if (wrong !== undefined) {
    return { state: 'failed', why: 'WRONG', expected, received: received(wrong.record), record: wrong.record.i };
  }
  const last = come.at(-1);
  if (come.length < wanted.length || last === undefined) return { state: 'pending', expected };
  return heldBy(come, parsed(textOf(last)));
}

const textOf = ({ record }: Entry): string => (record.type === 'line' ? record.text : '');

/** What `save` can point into: the line, its facts (`name=value`), and the port that a 229 or 227 names. */
function parsed(line: string): Json {
  const facts = [...line.matchAll(/([a-z0-9]+)=(\S+)/gi)].map(([, name = '', value = '']) => [name, value] as const);
  const extended = /\(\|\|\|(\d+)\|\)/.exec(line)?.[1];
  const [high, low] = /\((?:\d+,){4}(\d+),(\d+)\)/.exec(line)?.slice(1) ?? [];
  const passive = high === undefined || low === undefined ? undefined : Number(high) * 256 + Number(low);
  const port = extended === undefined ? passive : Number(extended);
  return { line, ...(port === undefined ? {} : { port }), ...Object.fromEntries(facts) };
}
