import type { Entry, EntryParts } from './compose-entries.js';
import { ConfigError } from './config/config.js';
import { UdpIngress } from './ingress/udp/ingress.js';
import { NakedUdp } from './ingress/udp/naked.js';
import { udpSockets } from './listeners/udp.js';

/** Starts to listen for datagrams; null where the operator has switched that off. Rejects with what the system says. */
export async function startUdp({ config, door, entropy }: EntryParts): Promise<Entry | null> {
  if (!config.udp) return null;
  const ingress = await UdpIngress.listen({
    sockets: udpSockets,
    at: { host: config.host, port: config.udp.port },
    door,
    entropy,
  });
  const { host, port } = ingress.address;
  return {
    transport: 'udp',
    pipe: `udp://${host.includes(':') ? `[${host}]` : host}:${String(port)}`,
    sockets: new Set(),
    drain: () => undefined, // the router refuses whoever comes, and ends whoever is there
    close: () => ingress.close(),
  };
}

/**
 * Starts the naked endpoints, of which no client is told; null where there are none. Rejects with what the system says.
 *
 * @throws ConfigError where a room does not admit what would come.
 */
export async function startNakedUdp({ config, door, grants, clock }: EntryParts): Promise<Entry | null> {
  const open: NakedUdp[] = [];
  const close = (): void => open.forEach((naked) => naked.close());
  for (const [index, { port, ...settings }] of config.naked.entries()) {
    const at = { host: config.host, port };
    const naked = await NakedUdp.listen({ ...settings, sockets: udpSockets, at, door, grants, clock }).catch(
      (error: unknown) => {
        close();
        throw error;
      },
    );
    if (naked instanceof NakedUdp) open.push(naked);
    else {
      close();
      throw new ConfigError(`naked/${String(index)}/room: ${settings.room} does not admit it: ${naked.refused}`);
    }
  }
  if (open.length === 0) return null;
  return { transport: 'udp', sockets: new Set(), drain: close, close };
}
