import type { Dialled, HeaderField, TlsSettings } from './connect.js';
import { dial, onAbort, targetOf } from './connect.js';
import type { ExchangeFailure } from './http-exchange.js';
import { exchange } from './http-exchange.js';
import type { ResponseViolation } from './http-response.js';
import { ResponseParser, headerList, headerValues } from './http-response.js';
import type { KeptConnections } from './kept-connections.js';

export type { HeaderField, TlsSettings } from './connect.js';
export type { ResponseViolation } from './http-response.js';
export { headerList, headerValues } from './http-response.js';

/**
 * A request. Host, Connection: close and, with a body, Content-Length are added unless `headers` names them (or
 * Transfer-Encoding, for the length). `rawRequest` is sent as it is instead of all that, to any illegal effect. With
 * `kept` it goes over a connection that is left of an earlier request, if there is one, and leaves it to a later one.
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
  readonly kept?: KeptConnections | undefined;
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
    ...(named.has('connection') || request.kept !== undefined ? [] : [['Connection', 'close'] as const]),
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
 * Makes one request and resolves with what came of it; rejects only with the reason of an aborted `signal`. A response
 * that arrives before the request was taken whole counts: a server may refuse early.
 */
export async function request(options: HttpRequest): Promise<HttpResult> {
  const kept = options.kept?.take(targetOf(options.url));
  if (kept === undefined) return (await attempt(options)).result;
  const { result, isUnanswered } = await attempt(options, kept);
  // The server may have ended it in that very moment (RFC 9112 section 9.3.1), which says nothing of the request.
  return isUnanswered ? (await attempt(options)).result : result;
}

interface Attempt {
  readonly result: HttpResult;
  /** The connection ended, and not a byte had come. */
  readonly isUnanswered: boolean;
}

function attempt(options: HttpRequest, kept?: Dialled): Promise<Attempt> {
  return new Promise((resolve, reject) => {
    options.signal?.throwIfAborted();
    const target = targetOf(options.url);
    const bytes = encodeRequest(options);
    const parser = new ResponseParser({ method: methodOf(options), maxBodyBytes: options.maxBodyBytes });
    const dialled = kept ?? dial(target, options.tls);
    const before = dialled.socket.bytesRead;
    const stopListening = onAbort(options.signal, (reason) => {
      dialled.socket.destroy();
      reject(reason);
    });
    exchange({ dialled, bytes, parser, isReady: kept !== undefined }, (failure) => {
      stopListening();
      const result = resultOf(parser, failure);
      if (options.kept !== undefined && mayGoOn(result)) options.kept.keep(target, dialled);
      else dialled.socket.destroy();
      resolve({ result, isUnanswered: result.type === 'failed' && dialled.socket.bytesRead === before });
    });
  });
}

// A body that only the end of the connection ends has no length of any kind.
function mayGoOn(result: HttpResult): boolean {
  if (result.type === 'failed' || result.violations.length > 0) return false;
  const { headers } = result;
  const isFramed = ['content-length', 'transfer-encoding'].some((name) => headerValues(headers, name).length > 0);
  return isFramed && !headerList(headers, 'connection').some((option) => option.toLowerCase() === 'close');
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
