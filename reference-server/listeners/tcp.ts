import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Address, ByteListener, ByteListeners, ByteSocket } from '../ports/sockets.js';
import type { Connections } from './connections.js';

/** After a FIN there is nothing to reset any more, and Node would keep the connection for ever. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/** A connection of the machine's own. */
function byteSocket(socket: Socket): ByteSocket {
  return {
    stream: socket,
    local: { host: socket.localAddress ?? '', port: socket.localPort ?? 0 },
    remote: { host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 },
    reset: () => reset(socket),
  };
}

const OPTIONS = { allowHalfOpen: true, noDelay: true, keepAlive: true };

/** Listeners of one transport on the machine's own TCP. */
export interface TcpListeners extends ByteListeners {
  /** The connections that have come in by them and are not over. */
  readonly open: ReadonlySet<Duplex>;
}

/**
 * Listeners on the machine's own TCP. Each connection counts among the server's. After so many milliseconds of silence
 * the system asks whether the other side is still there (RFC 1122, section 4.2.3.6), by its own default where that is 0.
 */
export function tcpListeners(connections: Connections, keepAliveInitialDelay = 0): TcpListeners {
  const open = new Set<Duplex>();
  return {
    open,
    async listen({ host, port }: Address, accept): Promise<ByteListener> {
      const server = createServer({ ...OPTIONS, keepAliveInitialDelay }, (socket) => {
        if (!connections.admit(socket)) return;
        open.add(socket);
        socket.once('close', () => open.delete(socket));
        accept(byteSocket(socket));
      });
      server.listen(port, host);
      await once(server, 'listening');
      const { address, port: actual } = server.address() as AddressInfo;
      return { address: { host: address, port: actual }, close: () => void server.close() };
    },
  };
}
