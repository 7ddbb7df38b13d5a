import type { Duplex } from 'node:stream';
import type { Framing, Limits, NakedEndpoint } from '../generated/types.js';
import { startFtp } from './compose-ftp.js';
import { startTcp } from './compose-tcp.js';
import { startNaked } from './compose-naked.js';
import { startUdp } from './compose-udp.js';
import type { Config } from './config/config.js';
import type { Connections } from './listeners/connections.js';
import type { GrantDoor, Authenticator, RoomNames } from './ports/access.js';
import type { Clock, Entropy } from './ports/clock.js';
import type { PipeDoor } from './ports/pipe.js';
import type { SiblingDoor } from './ports/sibling.js';
import type { SecureSockets } from './ports/tls.js';

/** What an entry point may need of the rest of the server. */
export interface EntryParts {
  readonly config: Config;
  readonly door: PipeDoor;
  readonly siblings: SiblingDoor;
  readonly grants: GrantDoor;
  readonly rooms: RoomNames;
  /** TLS for connections of any transport; null without a certificate. */
  readonly tls: SecureSockets | null;
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly connections: Connections;
  readonly limits: Readonly<Required<Limits>>;
  readonly server: { readonly name: string; readonly version: string };
  /** A fault of the server's own. */
  readonly onError: (error: unknown) => void;
}

/** A way into the server beside HTTP, which listens by itself. */
export interface Entry {
  /** Name of the transport and of its profile. */
  readonly transport: string;
  /** Where its pipes are opened; absent where no client is told. */
  readonly pipe?: string;
  /** Where siblings are opened over it. */
  readonly sibling?: string;
  /** How its pipes can tell messages apart, where there are several ways; the usual one first. */
  readonly framings?: readonly Framing[];
  /** Endpoints without tickets of which clients are told. */
  readonly naked?: readonly NakedEndpoint[];
  /** Connections that a stopping server waits for. */
  readonly sockets: ReadonlySet<Duplex>;
  /** The server is about to stop: takes nobody new; who is there hears it from the router. */
  drain(): void;
  /** Stops to listen. */
  close(): void;
}

type StartEntry = (parts: EntryParts) => Promise<Entry | null>;

/** The entry points of this server; each is null where the operator has switched it off. */
const ENTRIES: readonly StartEntry[] = [startTcp, startUdp, startNaked, startFtp];

/** Starts to listen everywhere beside HTTP. Rejects with what a listener says, and leaves none behind. */
export async function startEntries(parts: EntryParts): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  try {
    for (const start of ENTRIES) {
      const entry = await start(parts);
      if (entry) entries.push(entry);
    }
    return entries;
  } catch (error) {
    for (const entry of entries) entry.close();
    throw error;
  }
}

interface Addresses {
  readonly pipe: Record<string, string>;
  readonly sibling: Record<string, string>;
  readonly framings: Record<string, readonly Framing[]>;
}

/** Adds where they are to the addresses that clients are told, and returns these. */
export function announce<T extends Addresses>(
  entries: readonly Pick<Entry, 'transport' | 'pipe' | 'sibling' | 'framings'>[],
  addresses: T,
): T {
  for (const { transport, pipe, sibling, framings } of entries) {
    if (pipe !== undefined) addresses.pipe[transport] = pipe;
    if (sibling !== undefined) addresses.sibling[transport] = sibling;
    if (framings !== undefined) addresses.framings[transport] = framings;
  }
  return addresses;
}
