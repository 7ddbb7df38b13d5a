import { isIPv6 } from 'node:net';
import type { Config } from './config/config.js';

/** Where an entry point is found, as clients are told: by a name of the server's, or where it listens. */
export function entryUrl(scheme: string, { hosts, host }: Config, port: number): string {
  const [name = host] = hosts;
  return `${scheme}://${isIPv6(name) ? `[${name}]` : name}:${String(port)}`;
}
