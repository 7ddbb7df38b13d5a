import type { Dialled, HeaderField, TlsSettings } from '../connect.js';
import { targetOf } from '../connect.js';
import type { ExchangeFailure } from '../http-exchange.js';
import { exchange } from '../http-exchange.js';
import { ResponseParser } from '../http-response.js';
import type { HandshakeViolation, UpgradeOptions, UpgradeRequest } from './handshake.js';
import { buildUpgrade, checkUpgrade, selectedSubprotocol } from './handshake.js';

/** Where and how to open. `rawRequest` is sent instead of the built request; give its `key` for the check to fit. */
export interface OpenOptions extends UpgradeOptions {
  readonly url: string | URL;
  readonly rawRequest?: Buffer | undefined;
  readonly tls?: TlsSettings | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The server answered 101. Whether it did so by the rules stands in `violations`. */
export interface Opened {
  readonly type: 'opened';
  readonly subprotocol: string | undefined;
  readonly headers: readonly HeaderField[];
  readonly violations: readonly HandshakeViolation[];
}

/** The server answered another status; the connection is closed. */
export interface Refused {
  readonly type: 'refused';
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly HeaderField[];
  readonly body: Buffer;
  readonly violations: readonly HandshakeViolation[];
}

/** No whole answer. `status` is there if a head came. */
export interface OpenFailure extends ExchangeFailure {
  readonly type: 'failed';
  readonly status: number | undefined;
  readonly violations: readonly HandshakeViolation[];
}

/** What came of opening. */
export type OpenResult = Opened | Refused | OpenFailure;

/** The request that `options` describe, as it will be sent. */
export function upgradeOf(options: OpenOptions): UpgradeRequest {
  const upgrade = buildUpgrade(targetOf(options.url), options);
  return options.rawRequest === undefined ? upgrade : { ...upgrade, bytes: options.rawRequest };
}

/** Runs the handshake and calls `settle` once, with the bytes that came behind the head of a 101. */
export function shakeHands(
  dialled: Dialled,
  upgrade: UpgradeRequest,
  settle: (result: OpenResult, rest: Buffer) => void,
): void {
  const parser = new ResponseParser();
  exchange({ dialled, bytes: upgrade.bytes, parser }, (failure) => {
    settle(resultOf(parser, upgrade, failure), parser.takeRest());
  });
}

function resultOf(parser: ResponseParser, upgrade: UpgradeRequest, failure: ExchangeFailure | undefined): OpenResult {
  const { head, body, violations } = parser;
  if (failure !== undefined || head === undefined) {
    const { why, error } = failure ?? { why: 'malformed', error: 'no_head' };
    return { type: 'failed', why, error, status: head?.status, violations };
  }
  const { status, statusText, headers } = head;
  if (status !== 101 && parser.takeRest().length > 0) violations.push('bytes_after_response');
  if (status !== 101) return { type: 'refused', status, statusText, headers, body, violations };
  const found = [...violations, ...checkUpgrade(upgrade, head)];
  return { type: 'opened', subprotocol: selectedSubprotocol(head), headers, violations: found };
}
