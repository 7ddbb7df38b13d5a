import type { NakedEndpoint } from '../generated/types.js';
import type { Entry, EntryParts } from './compose-entries.js';
import { entryUrl } from './compose-url.js';
import { ConfigError, type Naked } from './config/config.js';
import { enter } from './ingress/enter.js';
import { NakedTcp } from './ingress/tcp/naked.js';
import { NakedUdp } from './ingress/udp/naked.js';
import { nakedPath } from './ingress/form/ingress.js';
import { type TcpListeners, tcpListeners } from './listeners/tcp.js';
import { secureListeners } from './listeners/tls.js';
import { udpSockets } from './listeners/udp.js';
import type { Refusal } from './ports/refusal.js';

type Of<T extends Naked['transport']> = Extract<Naked, { transport: T }>;

/** An endpoint that is open, and where. */
interface Opened extends Pick<Entry, 'drain' | 'close'> {
  readonly url: string;
}

interface NakedParts extends EntryParts {
  /** For all endpoints over TCP. */
  readonly plain: TcpListeners;
}

async function openUdp({ config, door, grants, clock }: EntryParts, naked: Of<'udp'>): Promise<Opened | Refusal> {
  const at = { host: config.host, port: naked.port };
  const open = await NakedUdp.listen({ ...naked, sockets: udpSockets, at, door, grants, clock });
  if (!(open instanceof NakedUdp)) return open;
  const close = (): void => open.close();
  return { url: entryUrl('udp', config, open.address.port), drain: close, close };
}

async function openTcp(parts: NakedParts, naked: Of<'tcp'>): Promise<Opened | Refusal> {
  const { config, plain, limits, clock } = parts;
  const ingress = new NakedTcp({ ...parts, ...naked });
  const admitted = ingress.check();
  if ('refused' in admitted) return admitted;
  const tls = naked.tls === false ? null : parts.tls;
  // Nobody is a member who has not come through the handshake.
  const listeners = tls ? secureListeners(plain, tls, { clock, ms: limits.preambleMs }) : plain;
  const listener = await listeners.listen({ host: config.host, port: naked.port }, (socket) => ingress.accept(socket));
  return {
    url: entryUrl(tls ? 'tls' : 'tcp', config, listener.address.port),
    drain: () => ingress.drain(),
    close: () => listener.close(),
  };
}

function openForm(parts: EntryParts, { room }: Of<'form'>): Opened | Refusal {
  const asked = { room, transport: 'websocket', scopes: ['send' as const], limits: { sessionLingerMs: 1 } };
  const offer = enter(parts, asked, null);
  if ('refused' in offer) return offer;
  offer.abandon();
  const nothing = (): void => undefined;
  return { url: nakedPath(room), drain: nothing, close: nothing };
}

function opening(parts: NakedParts, naked: Naked): Promise<Opened | Refusal> | Opened | Refusal {
  if (naked.transport === 'udp') return openUdp(parts, naked);
  return naked.transport === 'tcp' ? openTcp(parts, naked) : openForm(parts, naked);
}

/** What clients are told of one. */
function listingOf(naked: Naked, url: string): NakedEndpoint {
  const { transport, room, maxBytes, messagesPerSecond } = naked;
  const common = { transport, url, room, maxMessageBytes: maxBytes, messagesPerSecond };
  if (transport === 'tcp') {
    const { scopes, framing, maxConnections } = naked;
    return { ...common, scopes: [...scopes], framing, maxConnections };
  }
  return { ...common, scopes: ['send'], ...(transport === 'udp' && { kind: naked.kind }) };
}

/**
 * Opens the naked endpoints; null where there are none. Rejects with what the system says.
 *
 * @throws ConfigError where a room does not admit what would come.
 */
export async function startNaked(parts: EntryParts): Promise<Entry | null> {
  const plain = tcpListeners(parts.connections, parts.limits.keepaliveMs);
  const open: Opened[] = [];
  const listed: NakedEndpoint[] = [];
  const close = (): void => open.forEach((each) => each.close());
  try {
    for (const [index, naked] of parts.config.naked.entries()) {
      const opened = await opening({ ...parts, plain }, naked);
      if ('refused' in opened) {
        throw new ConfigError(`naked/${String(index)}/room: ${naked.room} does not admit it: ${opened.refused}`);
      }
      open.push(opened);
      if (naked.listed) listed.push(listingOf(naked, opened.url));
    }
  } catch (error) {
    close();
    throw error;
  }
  if (open.length === 0) return null;
  return {
    transport: 'naked',
    naked: listed,
    sockets: plain.open,
    drain: () => open.forEach((each) => each.drain()),
    close,
  };
}
