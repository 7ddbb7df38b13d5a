import type { Entry, EntryParts } from './compose-entries.js';
import { UdpIngress } from './ingress/udp/ingress.js';
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
