import type { HeaderField, TlsSettings } from './connect.js';
import { dial, onAbort, targetOf } from './connect.js';
import type { ExchangeFailure } from './http-exchange.js';
import { exchange } from './http-exchange.js';
import type { ResponseViolation } from './http-response.js';
import { ResponseParser } from './http-response.js';

export type { HeaderField, TlsSettings } from './connect.js';
export type { ResponseViolation } from './http-response.js';
export { headerList, headerValues } from './http-response.js';

/**
 * A request. Host, Connection: close and, with a body, Content-Length are added unless `headers` names them (or
 * Transfer-Encoding, for the length). `rawRequest` is sent as it is instead of all that, to any illegal effect.
 */
export interface HttpRequest {
  readonly url: string | URL;
  readonly method?: string | undefined;
  readonly headers?: readonly HeaderField[] | undefined;
  readonly body?: Buffer | string | undefined;
  readonly rawRequest?: Buffer | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly tls?: TlsSettings | undefined;
  readonly maxBodyBytes?: number | undefined;
}

/** A whole response. `headers` are in order and as received; `interim` holds the statuses of 1xx responses before it. */
export interface HttpResponse {
  readonly type: 'response';
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly HeaderField[];
  readonly body: Buffer;
  readonly interim: readonly number[];
  readonly violations: readonly ResponseViolation[];
}

/** No whole response. `status` is there if the head came. */
export interface HttpFailure extends ExchangeFailure {
  readonly type: 'failed';
  readonly status: number | undefined;
  readonly violations: readonly ResponseViolation[];
}

/** What came of a request. */
export type HttpResult = HttpResponse | HttpFailure;

const BREAKS_LINE = /[\r\n\0]/;

/** The bytes of `request`, for those who send them elsewhere. A line break in a field is a TypeError: use `rawRequest`. */
export function encodeRequest(request: HttpRequest): Buffer {
  if (request.rawRequest !== undefined) return request.rawRequest;
  const target = targetOf(request.url);
  const given = request.headers ?? [];
  const named = new Set(given.map(([name]) => name.toLowerCase()));
  const body = Buffer.from(request.body ?? '');
  const framed = named.has('content-length') || named.has('transfer-encoding') || request.body === undefined;
  const fields: HeaderField[] = [
    ...(named.has('host') ? [] : [['Host', target.authority] as const]),
    ...given,
    ...(named.has('connection') ? [] : [['Connection', 'close'] as const]),
    ...(framed ? [] : [['Content-Length', String(body.length)] as const]),
  ];
  const lines = [
    `${request.method ?? 'GET'} ${target.path} HTTP/1.1`,
    ...fields.map(([name, value]) => `${name}: ${value}`),
  ];
  if (lines.some((line) => BREAKS_LINE.test(line))) throw new TypeError('a line break belongs into rawRequest');
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

function methodOf(request: HttpRequest): string {
  return request.method ?? /^[A-Z]+(?= )/.exec(request.rawRequest?.toString('latin1', 0, 16) ?? '')?.[0] ?? 'GET';
}

/**
 * Makes one request on a connection of its own and resolves with what came of it; rejects only with the reason of an
 * aborted `signal`. A response that arrives before the request was taken whole counts: a server may refuse early.
 */
export function request(options: HttpRequest): Promise<HttpResult> {
  return new Promise((resolve, reject) => {
    options.signal?.throwIfAborted();
    const bytes = encodeRequest(options);
    const parser = new ResponseParser({ method: methodOf(options), maxBodyBytes: options.maxBodyBytes });
    const dialled = dial(targetOf(options.url), options.tls);
    const stopListening = onAbort(options.signal, (reason) => {
      dialled.socket.destroy();
      reject(reason);
    });
    exchange({ dialled, bytes, parser }, (failure) => {
      stopListening();
      dialled.socket.destroy();
      resolve(resultOf(parser, failure));
    });
  });
}

function resultOf(parser: ResponseParser, failure: ExchangeFailure | undefined): HttpResult {
  const { head, body, interim, violations } = parser;
  if (failure !== undefined || head === undefined) {
    const { why, error } = failure ?? { why: 'malformed', error: 'no head' };
    return { type: 'failed', why, error, status: head?.status, violations };
  }
  if (head.status !== 101 && parser.takeRest().length > 0) violations.push('bytes_after_response');
  const { status, statusText, headers } = head;
  return { type: 'response', status, statusText, headers, body, interim, violations };
}
