import { isIPv6 } from 'node:net';
import type { Entry, EntryParts } from './compose-entries.js';
import { FtpIngress } from './ingress/ftp/ingress.js';
import { withinPorts } from './listeners/range.js';
import { tcpListeners } from './listeners/tcp.js';

const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];
const EVERYWHERE = ['0.0.0.0', '::'];

/** Starts to listen for control connections; null where FTP is switched off. */
export async function startFtp(parts: EntryParts): Promise<Entry | null> {
  const { config, connections } = parts;
  if (!config.ftp) return null;
  const control = tcpListeners(connections);
  const { passiveAddress, passivePorts } = config.ftp;
  const listeners = passivePorts ? withinPorts(control, passivePorts) : control;
  const tlsOnly = !LOOPBACK.includes(config.host);
  const ingress = new FtpIngress({ ...parts, limits: config.limits, listeners, passiveAddress, tlsOnly });
  const at = { host: config.host, port: config.ftp.port };
  const listener = await control.listen(at, (socket) => ingress.connect(socket));
  const host = (EVERYWHERE.includes(config.host) ? config.hosts[0] : undefined) ?? listener.address.host;
  return {
    transport: 'ftp',
    pipe: `ftp://${isIPv6(host) ? `[${host}]` : host}:${String(listener.address.port)}`,
    sockets: control.open,
    drain: () => ingress.drain(),
    close: () => listener.close(),
  };
}
