import type { Dialled } from './connect.js';
import { errorName } from './connect.js';
import type { ResponseParser, ResponseState } from './http-response.js';

/**
 * Why there is no whole response. `connect`: no connection; `reset`: it broke; `eof`: it ended too early; `malformed`:
 * it cannot be read as HTTP/1.1. `error` is the system's name (ECONNREFUSED, ECONNRESET), or the violation met.
 */
export interface ExchangeFailure {
  readonly why: 'connect' | 'reset' | 'eof' | 'malformed';
  readonly error: string;
}

/** What is sent where, and who reads the answer. */
export interface ExchangeParts {
  readonly dialled: Dialled;
  readonly bytes: Buffer;
  readonly parser: ResponseParser;
  /** Whether it is connected already, by an earlier request. */
  readonly isReady?: boolean;
}

/**
 * Sends `bytes` once connected and feeds the answer to `parser`. Calls `settle` once, synchronously with the event that
 * decided, after taking its own listeners off: whoever adds one in `settle` misses no byte.
 */
export function exchange(parts: ExchangeParts, settle: (failure: ExchangeFailure | undefined) => void): void {
  const { dialled, bytes, parser, isReady = false } = parts;
  const { socket, readyEvent } = dialled;
  let connected = isReady;
  const finish = (failure?: ExchangeFailure): void => {
    socket.off(readyEvent, onReady).off('data', onData).off('end', onEnd).off('error', onError);
    settle(failure);
  };
  const onReady = (): void => {
    connected = true;
    socket.write(bytes);
  };
  const onData = (chunk: Buffer): void => {
    const state = parser.push(chunk);
    if (state === 'done') finish();
    else if (state === 'broken') finish({ why: 'malformed', error: parser.violations.at(-1) ?? 'malformed' });
  };
  const onEnd = (): void => {
    const state: ResponseState = parser.end();
    if (state === 'done') finish();
    else finish({ why: 'eof', error: parser.head === undefined ? 'no_response' : 'body_truncated' });
  };
  const onError = (error: Error): void => {
    finish({ why: connected ? 'reset' : 'connect', error: errorName(error) });
  };
  socket.on('data', onData).on('end', onEnd).on('error', onError);
  if (isReady) onReady();
  else socket.once(readyEvent, onReady);
}
