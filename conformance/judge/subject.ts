import { asText } from '../model.js';
import type { Fields, Step } from '../model.js';
import type { SocketState } from './entries.js';
import type { Ledger } from './ledger.js';
import { brief } from './outcome.js';

/** What an expectation is held against. */
export interface Subject {
  readonly ledger: Ledger;
  readonly socket: SocketState;
  readonly expect: Fields;
  readonly step: Step;
}

// A step is looked at after every record, and most of them name nothing that would have to be put in.
const described = new WeakMap<Fields, string>();

/** An expectation as a report says it. */
export function describe(expect: Fields): string {
  const known = described.get(expect);
  if (known !== undefined) return known;
  const { at, within: _within, ...rest } = expect;
  const text = brief(`at ${asText(at)}: ${JSON.stringify(rest)}`);
  described.set(expect, text);
  return text;
}
