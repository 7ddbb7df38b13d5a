import type { IncomingMessage } from 'node:http';
import type { HttpRefusal } from '../ports/exchange.js';

/** 16 bytes in base64 (RFC 6455, section 4.1). */
const KEY = /^[+/0-9A-Za-z]{22}==$/;
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/**
 * What an upgrade lacks of an opening handshake (RFC 6455, section 4.2.1); null where it lacks nothing. Looked for
 * before anything is spent on it: the library answers in words of its own, and would do so after the ticket is gone.
 */
export function handshakeFault(request: IncomingMessage): HttpRefusal | null {
  if (request.method !== 'GET') return { refused: 'method_not_allowed', headers: { allow: 'GET' } };
  const { upgrade, 'sec-websocket-key': key, 'sec-websocket-version': version } = request.headers;
  if (upgrade?.toLowerCase() !== 'websocket' || version !== '13') return { refused: 'upgrade_required' };
  return KEY.test(key ?? '') ? null : { refused: 'invalid_request' };
}

/** The subprotocols that an upgrade offers; none where the header is not a list of different tokens. */
export function offeredProtocols(request: IncomingMessage): readonly string[] {
  const names = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  const clean = names.every((name) => TOKEN.test(name)) && new Set(names).size === names.length;
  return clean ? names : [];
}
