import { connect as connectTcp, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';
import type { ConnectionOptions, SecureContext } from 'node:tls';

/** A header field as it stands on the wire; names keep their case, repeated fields stay apart. */
export type HeaderField = readonly [name: string, value: string];

/** Certificate settings for `https:` and `wss:`, as node:tls takes them. */
export type TlsSettings = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'servername'>;

/** Where a URL points. `authority` is what belongs in a Host header field; an IPv6 `host` has no brackets. */
export interface Target {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  readonly authority: string;
  readonly path: string;
}

/** Reads a ws:, wss:, http: or https: URL; any other scheme is a TypeError, since that is a bug of the caller. */
export function targetOf(url: string | URL): Target {
  const { protocol, hostname, port, host, pathname, search } = new URL(url);
  if (!/^(ws|http)s?:$/.test(protocol)) throw new TypeError(`not a URL that this driver can dial: ${protocol}`);
  const secure = protocol === 'wss:' || protocol === 'https:';
  return {
    secure,
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? (secure ? 443 : 80) : Number(port),
    authority: host,
    path: `${pathname}${search}`,
  };
}

/** A connection being made. `socket` carries the bytes; `reset` ends it at once, with RST unless our FIN has gone out already. */
export interface Dialled {
  readonly socket: Socket;
  readonly readyEvent: 'connect' | 'secureConnect';
  reset(): void;
}

/** Starts to connect. Listeners put on `socket` before the caller yields miss nothing. */
export function dial(target: Target, tls: TlsSettings = {}): Dialled {
  const raw = connectTcp({ host: target.host, port: target.port, noDelay: true });
  const socket = target.secure ? connectTls({ host: target.host, ...identityOf(target.host, tls), socket: raw }) : raw;
  // An error after the caller lost interest must not end the process.
  for (const each of new Set([raw, socket])) each.on('error', () => undefined);
  const reset = (): void => {
    resetTcp(raw, socket.writableEnded);
    socket.destroy();
  };
  return { socket, readyEvent: target.secure ? 'secureConnect' : 'connect', reset };
}

/**
 * Ends `raw` with RST at once. Left to itself `resetAndDestroy` first writes out what is pending, through
 * `destroySoon`, which a peer that does not read can put off for ever. After a FIN it must not be called at all: the
 * reset is refused while a shutdown is in flight, and the handle then leaks and keeps the process from exiting. A socket
 * without a connection has nothing to reset.
 */
export function resetTcp(raw: Socket, finSent: boolean): void {
  if (raw.connecting || raw.destroyed || raw.writableEnded || finSent) {
    raw.destroy();
    return;
  }
  raw.destroySoon = () => raw.destroy();
  raw.resetAndDestroy();
}

/** What node:tls is to be given for a connection to `host`; an address has no name to ask for. */
export const identityOf = (host: string, settings: TlsSettings): ConnectionOptions => ({
  ...(isIP(host) === 0 ? { servername: host } : {}),
  ...settings,
  secureContext: contextOf(settings),
});

// To read certificates takes longer than to shake hands.
const contexts = new WeakMap<TlsSettings, SecureContext>();

function contextOf(settings: TlsSettings): SecureContext {
  const context = contexts.get(settings) ?? createSecureContext(settings);
  contexts.set(settings, context);
  return context;
}

/** The system's name of a connection error, such as ECONNRESET; the message where it has none. */
export function errorName(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}

/** Calls `then` once when `signal` aborts, at once if it has. The function returned stops listening. */
export function onAbort(signal: AbortSignal | undefined, then: (reason: unknown) => void): () => void {
  if (signal === undefined) return () => undefined;
  const listener = (): void => {
    then(signal.reason);
  };
  if (signal.aborted) listener();
  else signal.addEventListener('abort', listener, { once: true });
  return () => {
    signal.removeEventListener('abort', listener);
  };
}
