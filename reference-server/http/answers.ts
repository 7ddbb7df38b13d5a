import { type IncomingMessage, STATUS_CODES, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { errors } from '../../generated/errors.js';
import type { Refusal } from '../ports/refusal.js';

type Headers = Readonly<Record<string, string>>;

/** A refusal with what else its status calls for. */
export type HttpRefusal = Refusal & { readonly headers?: Headers };

/** What is wrong in the form that every HTTP refusal has (`schemas/http/refusal.json`). */
function refusalBody({ refused, message, limit, pointer }: Refusal): string {
  const { code, meaning } = errors[refused];
  const data = limit === undefined && pointer === undefined ? {} : { data: { limit, pointer } };
  return JSON.stringify({ error: { name: refused, code, message: message ?? meaning, ...data } });
}

export function statusOf(refusal: Refusal): number {
  return errors[refusal.refused].http ?? 500;
}

/** Headers that a status calls for (RFC 6750 section 3, RFC 9110 sections 10.2.3 and 15.5.22). */
function headersFor(refusal: Refusal): Headers {
  if (refusal.refused === 'unauthenticated') return { 'www-authenticate': 'Bearer' };
  if (refusal.refused === 'upgrade_required') return { upgrade: 'websocket', 'sec-websocket-version': '13' };
  return statusOf(refusal) === 503 ? { 'retry-after': '1' } : {};
}

const PLAIN: Headers = {
  'content-type': 'application/json',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
};

export function answer(response: ServerResponse, status: number, body: object): void {
  write(response, { status, headers: {}, body: JSON.stringify(body) });
}

/** Refuses a request; a body that is still arriving is not read to its end. */
export function refuse(request: IncomingMessage, response: ServerResponse, refusal: HttpRefusal): void {
  const closing: Headers = isUnread(request) ? { connection: 'close' } : {};
  const headers = { ...headersFor(refusal), ...refusal.headers, ...closing };
  write(response, { status: statusOf(refusal), headers, body: refusalBody(refusal) });
}

/** Whether a body, or the rest of one, is still on its way (RFC 9112, section 6.3). */
function isUnread({ complete, headers }: IncomingMessage): boolean {
  return !complete && (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0);
}

function write(response: ServerResponse, answer: { status: number; headers: Headers; body: string }): void {
  const length = { 'content-length': String(Buffer.byteLength(answer.body)) };
  response.writeHead(answer.status, { ...PLAIN, ...answer.headers, ...length }).end(answer.body);
}

/** The same for a request that asked for an upgrade, where only the socket is left to write on. */
export function refuseUpgrade(socket: Duplex, refusal: HttpRefusal): void {
  const body = refusalBody(refusal);
  const status = statusOf(refusal);
  const headers = {
    ...PLAIN,
    ...headersFor(refusal),
    ...refusal.headers,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.resume(); // a reset for what was not read might overtake the answer
  const sent = (): void => void socket.destroy(); // and not half open for as long as the client likes
  socket.end(`HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('\r\n')}\r\n\r\n${body}`, sent);
}
