import { createHash, randomBytes } from 'node:crypto';
import type { HeaderField, Target } from '../connect.js';
import type { ResponseHead, ResponseViolation } from '../http-response.js';
import { headerList, headerValues } from '../http-response.js';

/** What a server can do wrong in accepting an upgrade (RFC 6455 §4.1, §4.2.2, §9.1). */
export type HandshakeViolation =
  | ResponseViolation
  | 'http_version_too_low'
  | 'upgrade_header_wrong'
  | 'connection_header_wrong'
  | 'accept_missing'
  | 'accept_repeated'
  | 'accept_wrong'
  | 'subprotocol_not_offered'
  | 'subprotocol_repeated'
  | 'extension_not_offered';

/**
 * What the client asks for. `headers` are added, and take the place of the standard field of the same name (in any
 * case); `omit` leaves standard fields out. `version` is of Sec-WebSocket-Version, `host` of Host.
 */
export interface UpgradeOptions {
  readonly subprotocols?: readonly string[] | undefined;
  readonly origin?: string | undefined;
  readonly host?: string | undefined;
  readonly headers?: readonly HeaderField[] | undefined;
  readonly omit?: readonly string[] | undefined;
  readonly version?: string | undefined;
  readonly key?: string | undefined;
  readonly method?: string | undefined;
}

/** The request's bytes and what the response will be held against. */
export interface UpgradeRequest {
  readonly bytes: Buffer;
  readonly key: string;
  readonly subprotocols: readonly string[];
}

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** A new Sec-WebSocket-Key: 16 random bytes in base64 (RFC 6455 §4.1). */
export const newKey = (): string => randomBytes(16).toString('base64');

/** The Sec-WebSocket-Accept that belongs to `key` (RFC 6455 §4.2.2). */
export const acceptFor = (key: string): string => createHash('sha1').update(`${key}${GUID}`).digest('base64');

function standardFields(target: Target, options: UpgradeOptions, key: string): HeaderField[] {
  const fields: HeaderField[] = [
    ['Host', options.host ?? target.authority],
    ['Upgrade', 'websocket'],
    ['Connection', 'Upgrade'],
    ['Sec-WebSocket-Key', key],
    ['Sec-WebSocket-Version', options.version ?? '13'],
  ];
  const offered = options.subprotocols ?? [];
  if (offered.length > 0) fields.push(['Sec-WebSocket-Protocol', offered.join(', ')]);
  if (options.origin !== undefined) fields.push(['Origin', options.origin]);
  return fields;
}

/** Builds the opening request. A line break in a field is a TypeError: requests that need one are sent raw. */
export function buildUpgrade(target: Target, options: UpgradeOptions = {}): UpgradeRequest {
  const key = options.key ?? newKey();
  const extra = options.headers ?? [];
  const replaced = new Set([...extra.map(([name]) => name), ...(options.omit ?? [])].map((name) => name.toLowerCase()));
  const kept = standardFields(target, options, key).filter(([name]) => !replaced.has(name.toLowerCase()));
  const fields = [...kept, ...extra].map(([name, value]) => `${name}: ${value}`);
  const lines = [`${options.method ?? 'GET'} ${target.path} HTTP/1.1`, ...fields];
  if (lines.some((line) => /[\r\n\0]/.test(line))) throw new TypeError('a line break belongs into a raw request');
  const bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  return { bytes, key, subprotocols: options.subprotocols ?? [] };
}

/** The subprotocol that the server selected; undefined if none. */
export const selectedSubprotocol = (head: ResponseHead): string | undefined =>
  headerList(head.headers, 'sec-websocket-protocol')[0];

/** Holds the head of a 101 against the request; empty if the server kept every rule. */
export function checkUpgrade(request: UpgradeRequest, head: ResponseHead): HandshakeViolation[] {
  const found: HandshakeViolation[] = [];
  const upgrade = headerList(head.headers, 'upgrade').map((token) => token.toLowerCase());
  const connection = headerList(head.headers, 'connection').map((token) => token.toLowerCase());
  if (head.version < '1.1') found.push('http_version_too_low');
  if (upgrade.length !== 1 || upgrade[0] !== 'websocket') found.push('upgrade_header_wrong');
  if (!connection.includes('upgrade')) found.push('connection_header_wrong');
  found.push(...checkAccept(request.key, headerValues(head.headers, 'sec-websocket-accept')));
  // The driver offers no extension, so that RSV bits and payloads stay as the server's application made them.
  if (headerList(head.headers, 'sec-websocket-extensions').length > 0) found.push('extension_not_offered');
  return [...found, ...checkSubprotocol(request, head)];
}

function checkAccept(key: string, values: readonly string[]): HandshakeViolation[] {
  if (values.length === 0) return ['accept_missing'];
  const wrong = values.some((value) => value !== acceptFor(key));
  return [...(values.length > 1 ? ['accept_repeated' as const] : []), ...(wrong ? ['accept_wrong' as const] : [])];
}

function checkSubprotocol(request: UpgradeRequest, head: ResponseHead): HandshakeViolation[] {
  const selected = headerList(head.headers, 'sec-websocket-protocol');
  const stranger = selected.some((protocol) => !request.subprotocols.includes(protocol));
  return [
    ...(selected.length > 1 ? ['subprotocol_repeated' as const] : []),
    ...(stranger ? ['subprotocol_not_offered' as const] : []),
  ];
}
