import type { TlsSettings } from './drivers/connect.js';
import { isFields } from './model.js';
import type { Fields } from './model.js';
import type { Json } from './timeline.js';

/** The server under test, as its well-known document describes it. Addresses are absolute. */
export interface Target {
  readonly discovery: Json;
  readonly wellKnown: URL;
  readonly sessions: URL;
  readonly pipe: URL;
  readonly sibling: URL;
  /** Where the hooks of tests are, on a server that has them. */
  readonly hooks?: URL;
  /** Whom to trust, where that is not what the machine trusts. */
  readonly tls?: TlsSettings;
}

/** Path of the well-known document. */
export const WELL_KNOWN = '/.well-known/porthouse';

const field = (of: Json | undefined, key: string): Json | undefined => (isFields(of) ? of[key] : undefined);

/** Reads the endpoints out of a well-known document; those that it does not name have the paths of the specification. */
export function targetFrom(wellKnown: URL, discovery: Json, tls?: TlsSettings): Target {
  const endpoints = field(discovery, 'endpoints');
  const at = (value: Json | undefined, path: string): URL => absolute(value, wellKnown) ?? new URL(path, wellKnown);
  const hooks = absolute(field(endpoints, 'hooks'), wellKnown);
  return {
    ...(hooks === undefined ? {} : { hooks }),
    ...(tls === undefined ? {} : { tls }),
    discovery,
    wellKnown,
    sessions: at(field(endpoints, 'sessions'), '/porthouse/v1/sessions'),
    pipe: at(field(field(endpoints, 'pipe'), 'websocket'), '/porthouse/v1/pipe'),
    sibling: at(field(field(endpoints, 'sibling'), 'websocket'), '/porthouse/v1/sibling'),
  };
}

/** Whether TLS can be had over a transport: it is in the address, or the server is known by https and so has a certificate. */
export function hasTls({ discovery, wellKnown }: Pick<Target, 'discovery' | 'wellKnown'>, transport: string): boolean {
  if (transport !== 'tcp') return wellKnown.protocol === 'https:';
  const address = field(field(field(discovery, 'endpoints'), 'pipe'), transport);
  return typeof address === 'string' && address.startsWith('tls:');
}

/** The first naked endpoint that the server lists with these members; an array must have the same items. */
export function nakedOf({ discovery }: Pick<Target, 'discovery'>, wanted: Fields): Fields | undefined {
  const listed = field(field(discovery, 'endpoints'), 'naked');
  const has = (each: Fields, key: string): boolean => {
    const [own, value] = [each[key], wanted[key]];
    if (Array.isArray(own) && Array.isArray(value))
      return value.length === own.length && value.every((item) => own.includes(item));
    return own === value;
  };
  return (Array.isArray(listed) ? listed.filter(isFields) : []).find((each) =>
    Object.keys(wanted).every((key) => has(each, key)),
  );
}

/** Which socket is to be opened. */
export interface Wanted {
  readonly grant: Json | undefined;
  /** Whether the grant came over a sibling: what is relative in it is so to the discovery document. */
  readonly overSibling: boolean;
  readonly kind: 'pipe' | 'sibling';
  readonly transport: string;
}

/** The address of a member's socket: its grant's where that is of this transport, else the server's. */
export function endpointOf(target: Target, { grant, overSibling, kind, transport }: Wanted): URL {
  const endpoints = field(grant, 'endpoints');
  const granted = field(grant, 'transport') === transport ? field(endpoints, 'pipe') : undefined;
  const value = kind === 'pipe' ? granted : field(field(endpoints, 'sibling'), transport);
  const declared = field(field(field(target.discovery, 'endpoints'), kind), transport);
  const base = overSibling ? target.wellKnown : target.sessions;
  const found = absolute(value, base) ?? absolute(declared, target.wellKnown);
  if (found !== undefined) return found;
  if (transport === 'websocket') return target[kind];
  throw new Error(`the server names no address for a ${kind} over ${transport}`);
}

const LOOPBACK = /^(127\.|\[::1\]$|localhost$)/;

/** Whether the kit can log in where a transport's pipes are opened: FTP off loopback wants TLS, which its driver has not. */
export function isInReach(transport: string, { discovery, wellKnown }: Target): boolean {
  if (transport !== 'ftp') return true;
  const declared = field(field(field(discovery, 'endpoints'), 'pipe'), transport);
  return LOOPBACK.test(absolute(declared, wellKnown)?.hostname ?? '');
}

function absolute(value: Json | undefined, base: URL): URL | undefined {
  if (typeof value !== 'string') return undefined;
  return URL.canParse(value, base.href) ? new URL(value, base) : undefined;
}
