import type { Entry, EntryParts } from './compose-entries.js';
import { entryUrl } from './compose-url.js';
import { TcpIngress } from './ingress/tcp/ingress.js';
import { tcpListeners } from './listeners/tcp.js';
import { secureListeners } from './listeners/tls.js';
import { SiblingLines } from './sibling/tcp.js';

/** Pipes and siblings over TCP, on one port; inside TLS where the server has a certificate (TCP-27). */
export async function startTcp(parts: EntryParts): Promise<Entry | null> {
  const { config, limits } = parts;
  if (config.tcp === null) return null;
  const siblings = new SiblingLines(parts);
  const ingress = new TcpIngress({ ...parts, sibling: (socket, rest) => siblings.serve(socket, rest) });
  const plain = tcpListeners(parts.connections, limits.keepaliveMs);
  const listeners = parts.tls ? secureListeners(plain, parts.tls) : plain;
  const at = { host: config.host, port: config.tcp.port };
  const listener = await listeners.listen(at, (socket) => ingress.accept(socket));
  const url = entryUrl(parts.tls || config.tlsTerminatedByProxy ? 'tls' : 'tcp', config, listener.address.port);
  return {
    transport: 'tcp',
    pipe: url,
    sibling: url,
    framings: ['frame', 'line', 'raw'],
    sockets: plain.open,
    drain() {
      ingress.drain();
      siblings.drain();
    },
    close: () => listener.close(),
  };
}
