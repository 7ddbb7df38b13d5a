import { type IncomingMessage, STATUS_CODES, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { errors } from '../../generated/errors.js';
import type { HttpAnswer, HttpRefusal } from '../ports/exchange.js';
import type { Refusal } from '../ports/refusal.js';

type Headers = Readonly<Record<string, string>>;

/** What is wrong in the form that every HTTP refusal has (`schemas/http/refusal.json`). */
function refusalBody({ refused, message, limit, pointer }: Refusal, more: object = {}): string {
  const { code, meaning } = errors[refused];
  const data = limit === undefined && pointer === undefined ? {} : { data: { limit, pointer } };
  return JSON.stringify({ error: { name: refused, code, message: message ?? meaning, ...data }, ...more });
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
  const { headers, ...answer } = refusalAnswer(refusal);
  write(response, { ...answer, headers: { ...headers, ...closing } });
}

/** A refusal as it is written, with further members of its body. */
export function refusalAnswer(refusal: HttpRefusal, more?: object): HttpAnswer {
  const headers = { ...headersFor(refusal), ...refusal.headers };
  return { status: statusOf(refusal), headers, body: refusalBody(refusal, more) };
}

/** Whether a body, or the rest of one, is still on its way (RFC 9112, section 6.3). */
export function isUnread({ complete, headers }: IncomingMessage): boolean {
  return !complete && (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0);
}

function write(response: ServerResponse, answer: HttpAnswer): void {
  writeHead(response, answer).end(answer.body);
}

/** The head of an answer, with the length of its body and what every answer has. */
export function writeHead(response: ServerResponse, { status, headers, body }: HttpAnswer): ServerResponse {
  const length = { 'content-length': String(Buffer.byteLength(body)) };
  return response.writeHead(status, { ...PLAIN, ...headers, ...length });
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
