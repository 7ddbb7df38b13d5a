import { randomBytes } from 'node:crypto';
import { acceptFor } from '../drivers/websocket/handshake.js';
import type { Json, JsonObject } from './json.js';
import { objectAt, stringAt, withAt } from './json.js';
import type { Alterations, Header, HttpRequest, HttpResponse, Link, Message, WireMutant } from './mutant.js';
import { headerOf, withHeader } from './wire/http-head.js';

export { headerOf, withHeader } from './wire/http-head.js';
export { numberAt, objectAt, stringAt, withAt } from './json.js';

/** State of one link (or session), made when it is first asked for: `const seen = perLink(() => ({ count: 0 }))`. */
export function perLink<T>(make: () => T): (of: object) => T {
  const states = new WeakMap<object, T>();
  return (of) => {
    const state = states.get(of) ?? make();
    states.set(of, state);
    return state;
  };
}

/** A mutant without state. */
export function stateless(mutant: Omit<WireMutant, 'alter'> & { readonly alter: Alterations }): WireMutant {
  return { ...mutant, alter: () => mutant.alter };
}

/** A text message. */
export const text = (content: string): Message => ({ kind: 'text', payload: Buffer.from(content, 'utf8') });

/** Whether `json` is a call (from a client), of this method where one is named. */
export function isCall(json: JsonObject, method?: string): boolean {
  return typeof json['method'] === 'string' && (method === undefined || json['method'] === method);
}

/** Whether `json` is an event (from the server), of this name where one is given. */
export const isEvent = isCall;

/** Whether `json`, seen on `link`, is a successful reply to a call of `method`. */
export function isResultOf(json: JsonObject, link: Link, method: string): boolean {
  return json['result'] !== undefined && link.callFor(json)?.method === method;
}

/** The registry name of the error that `json` reports, undefined for anything but an error reply. */
export function errorName(json: JsonObject): string | undefined {
  return stringAt(objectAt(objectAt(json, 'error'), 'data'), 'name');
}

/** `json` with other params. */
export function withParams(json: JsonObject, changes: JsonObject): JsonObject {
  return withAt(json, ['params'], changes);
}

/** `json` with another result; only the members named in `changes` differ. */
export function withResult(json: JsonObject, changes: JsonObject): JsonObject {
  return withAt(json, ['result'], changes);
}

/** A successful reply to `call`. */
export function reply(call: JsonObject, result: JsonObject): JsonObject {
  return { jsonrpc: '2.0', id: call['id'] ?? null, result };
}

/** `response` with another JSON body. */
export function withJson(response: HttpResponse, json: JsonObject): HttpResponse {
  return { ...response, json, body: Buffer.from(JSON.stringify(json), 'utf8') };
}

/** `response` with one header set, or removed where `value` is undefined. */
export function withResponseHeader(response: HttpResponse, name: string, value: string | undefined): HttpResponse {
  return { ...response, headers: withHeader(response.headers, name, value) };
}

/** The registry name in the body of a refusal, undefined for any other response. */
export function refusalName(response: HttpResponse): string | undefined {
  return stringAt(objectAt(response.json, 'error'), 'name');
}

/** A response of the mutant's own with a JSON body. */
export function jsonResponse(status: number, json: Json, headers: readonly Header[] = []): HttpResponse {
  const body = Buffer.from(JSON.stringify(json), 'utf8');
  const all: readonly Header[] = [['Content-Type', 'application/json'], ['Cache-Control', 'no-store'], ...headers];
  return { status, reason: 'Altered', headers: all, body, json: undefined };
}

/** Random bytes as base64url without padding: 16 for a nonce or sid, 32 for a ticket or secret. */
export const fresh = (bytes: number): string => randomBytes(bytes).toString('base64url');

/** A grant like `grant`, that no server knows. */
export function forgedGrant(grant: JsonObject): JsonObject {
  return { ...grant, sid: `s_${fresh(16)}`, pipeTicket: fresh(32), siblingSecret: fresh(32) };
}

/** A 101 for `request` that selects `protocol` (RFC 6455 §4.2.2), where the server itself refused or was never asked. */
export function switchingProtocols(request: HttpRequest, protocol: string): HttpResponse {
  const key = headerOf(request.headers, 'sec-websocket-key') ?? '';
  const headers: readonly Header[] = [
    ['Upgrade', 'websocket'],
    ['Connection', 'Upgrade'],
    ['Sec-WebSocket-Accept', acceptFor(key)],
    ['Sec-WebSocket-Protocol', protocol],
  ];
  return { status: 101, reason: 'Switching Protocols', headers, body: Buffer.alloc(0), json: undefined };
}

/** The names in a `Sec-WebSocket-Protocol` header. */
export function offeredProtocols(request: HttpRequest): readonly string[] {
  const header = headerOf(request.headers, 'sec-websocket-protocol') ?? '';
  return header.split(',').map((name) => name.trim());
}
