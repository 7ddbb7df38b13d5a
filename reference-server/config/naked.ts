import type { Framing, Scope } from '../../generated/types.js';
import type { Kind } from '../ports/message.js';
import { ConfigError } from './error.js';

/** What all endpoints without tickets have (naked.md). */
interface Common {
  readonly room: string;
  readonly maxBytes: number;
  readonly messagesPerSecond: number;
  /** Whether the discovery document tells of it. */
  readonly listed: boolean;
}

/** Each datagram is a message; nothing is ever sent. */
export interface NakedUdpPort extends Common {
  readonly transport: 'udp';
  readonly port: number;
  readonly kind: Kind;
}

/** Each connection is a member. */
export interface NakedTcpPort extends Common {
  readonly transport: 'tcp';
  readonly port: number;
  readonly framing: Framing;
  readonly scopes: readonly Scope[];
  readonly maxConnections: number;
  /** Whether it is inside TLS; absent: where the server has a certificate. */
  readonly tls?: boolean;
}

/** Whoever posts to its path sends. */
export interface NakedFormPath extends Common {
  readonly transport: 'form';
}

export type Naked = NakedUdpPort | NakedTcpPort | NakedFormPath;

/** One as it is written, with what belongs to any of them. */
export interface NakedFile extends Partial<Common> {
  readonly transport: Naked['transport'];
  readonly room: string;
  readonly port?: number;
  readonly kind?: Kind;
  readonly framing?: Framing;
  readonly scopes?: readonly Scope[];
  readonly maxConnections?: number;
  readonly tls?: boolean;
}

const COMMON = { maxBytes: 1200, messagesPerSecond: 100, listed: false };
const TCP = { framing: 'line', scopes: ['send', 'receive'], maxConnections: 100 } as const;

/** To which transports a setting belongs that does not belong to all. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  port: ['udp', 'tcp'],
  kind: ['udp'],
  framing: ['tcp'],
  scopes: ['tcp'],
  maxConnections: ['tcp'],
  tls: ['tcp'],
};

function settled(each: NakedFile, at: string): Naked {
  const { transport, room, port = 0, kind = 'binary', framing, scopes, maxConnections, tls, ...own } = each;
  for (const [name, owners] of Object.entries(OWNERS)) {
    if (Object.hasOwn(each, name) && !owners.includes(transport)) {
      throw new ConfigError(`${at}/${name}: belongs to ${owners.join(' and ')}`);
    }
  }
  const common = { ...COMMON, ...own, room };
  if (transport === 'form') return { ...common, transport };
  if (each.port === undefined) throw new ConfigError(`${at}/port: is needed`);
  if (transport === 'udp') return { ...common, transport, port, kind };
  const asked = { ...(framing && { framing }), ...(scopes && { scopes }), ...(maxConnections && { maxConnections }) };
  return { ...common, ...TCP, ...asked, ...(tls !== undefined && { tls }), transport, port };
}

/**
 * Endpoints without tickets, with what was left out.
 *
 * @throws ConfigError where one has a setting of another transport, or needs what the server has not.
 */
export function nakedOf(
  files: readonly NakedFile[],
  { tls, form }: { readonly tls: object | null; readonly form: boolean },
): readonly Naked[] {
  const all = files.map((each, index) => settled(each, `naked/${String(index)}`));
  const fault = (what: string, test: (each: Naked) => boolean): void => {
    const at = all.findIndex(test);
    if (at >= 0) throw new ConfigError(`naked/${String(at)}/${what}`);
  };
  fault('tls: needs the setting `tls`', (each) => each.transport === 'tcp' && each.tls === true && !tls);
  fault('transport: `form` is switched off', (each) => each.transport === 'form' && !form);
  fault(
    'room: has one path for forms',
    (each) =>
      each.transport === 'form' &&
      all.some((other) => other.transport === 'form' && other !== each && other.room === each.room),
  );
  return all;
}
