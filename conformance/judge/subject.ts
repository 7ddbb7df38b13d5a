import { asText } from '../model.js';
import type { Fields, Step } from '../model.js';
import type { Ledger, SocketState } from './ledger.js';
import { brief } from './outcome.js';

/** What an expectation is held against. */
export interface Subject {
  readonly ledger: Ledger;
  readonly socket: SocketState;
  readonly expect: Fields;
  readonly step: Step;
}

/** An expectation as a report says it. */
export function describe(expect: Fields): string {
  const { at, within: _within, ...rest } = expect;
  return brief(`at ${asText(at)}: ${JSON.stringify(rest)}`);
}
