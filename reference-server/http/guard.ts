import type { IncomingMessage } from 'node:http';
import type { Refusal } from '../ports/refusal.js';

export interface GuardRules {
  /** How the server's own pages are reached: `https` where a proxy ends TLS. */
  readonly scheme: 'http' | 'https';
  /** Host names under which the server answers, in lower case, without ports. */
  readonly hosts: readonly string[];
  /** Origins besides the server's own whose pages may use it, such as `https://app.example`. */
  readonly origins: readonly string[];
}

function hostName(host: string): string {
  return host.replace(/:\d+$/, '').toLowerCase();
}

/** The name that a request was sent to has to be one of the server's (WS-7, against DNS rebinding). */
export function guardHost(request: IncomingMessage, rules: GuardRules): Refusal | null {
  const hosts = request.headersDistinct.host ?? [];
  return hosts.length === 1 && rules.hosts.includes(hostName(hosts[0] ?? '')) ? null : { refused: 'host_refused' };
}

/** The page that sent a request, if a browser did, has to be the server's own or a listed one (WS-6). */
export function guardOrigin(request: IncomingMessage, rules: GuardRules): Refusal | null {
  const { origin, host = '' } = request.headers;
  if (origin === undefined || origin === `${rules.scheme}://${host.toLowerCase()}`) return null;
  return rules.origins.includes(origin) ? null : { refused: 'origin_refused' };
}
