import { parseObject } from '../json.js';
import type { Endpoint, HttpRequest, HttpResponse } from '../mutant.js';
import type { Framing, Head } from './http-head.js';
import { encodeHead, framingOf, headerOf, withHeader } from './http-head.js';
import { decodeChunked } from './http-splitter.js';

const bodyless = (status: number): boolean => status < 200 || status === 204 || status === 304;

/** The status code in a response's first line, 0 where there is none. */
export function statusOf(head: Head): number {
  return Number(/^HTTP\/1\.[01] (\d{3})/.exec(head.start)?.[1] ?? 0);
}

/** How the body of this response ends (RFC 9112 §6.3). */
export function responseFraming(head: Head, method: string): Framing {
  const status = statusOf(head);
  if (status === 101) return { kind: 'suspend' };
  return bodyless(status) || method === 'HEAD' ? { kind: 'none' } : framingOf(head.headers, { kind: 'close' });
}

function contentOf(head: Head, raw: Buffer): Buffer {
  return framingOf(head.headers, { kind: 'none' }).kind === 'chunked' ? decodeChunked(raw) : raw;
}

/** A request made of its head and the raw bytes of its body. */
export function readRequest(head: Head, raw: Buffer, endpointOf: (path: string) => Endpoint): HttpRequest {
  const [method = '', target = ''] = head.start.split(' ');
  const body = contentOf(head, raw);
  return { method, target, endpoint: endpointOf(target), headers: head.headers, body, json: parseObject(body) };
}

/** A response made of its head and the raw bytes of its body. */
export function readResponse(head: Head, raw: Buffer): HttpResponse {
  const body = contentOf(head, raw);
  const reason = /^HTTP\/1\.[01] \d{3} ?(.*)$/.exec(head.start)?.[1] ?? '';
  return { status: statusOf(head), reason, headers: head.headers, body, json: parseObject(body) };
}

/** The bytes of a request that is not as the client sent it. */
export function encodeRequest(request: HttpRequest): Buffer {
  const { method, target, body } = request;
  const plain = withHeader(request.headers, 'transfer-encoding', undefined);
  const length = body.length > 0 || headerOf(request.headers, 'content-length') !== undefined;
  const headers = length ? withHeader(plain, 'Content-Length', String(body.length)) : plain;
  return Buffer.concat([encodeHead(`${method} ${target} HTTP/1.1`, headers), body]);
}

/** The bytes of a response that is not as the server sent it. */
export function encodeResponse(response: HttpResponse): Buffer {
  const start = `HTTP/1.1 ${String(response.status)} ${response.reason}`;
  const plain = withHeader(response.headers, 'transfer-encoding', undefined);
  if (bodyless(response.status)) return encodeHead(start, plain);
  const headers = withHeader(plain, 'Content-Length', String(response.body.length));
  return Buffer.concat([encodeHead(start, headers), response.body]);
}

/** Whether a request asks for a WebSocket (RFC 6455 §4.1). */
export function asksUpgrade(head: Head): boolean {
  return /\bwebsocket\b/i.test(headerOf(head.headers, 'upgrade') ?? '');
}
