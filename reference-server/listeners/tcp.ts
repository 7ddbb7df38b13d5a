import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Address, ByteListener, ByteListeners, ByteSocket } from '../ports/sockets.js';
import type { Connections } from './connections.js';

/** A connection of the machine's own. */
function byteSocket(socket: Socket): ByteSocket {
  return {
    stream: socket,
    local: { host: socket.localAddress ?? '', port: socket.localPort ?? 0 },
    remote: { host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 },
    reset: () => void socket.resetAndDestroy(),
  };
}

/** Listeners of one transport on the machine's own TCP. */
export interface TcpListeners extends ByteListeners {
  /** The connections that have come in by them and are not over. */
  readonly open: ReadonlySet<Duplex>;
}

/** Listeners on the machine's own TCP. Each connection counts among the server's. */
export function tcpListeners(connections: Connections): TcpListeners {
  const open = new Set<Duplex>();
  return {
    open,
    async listen({ host, port }: Address, accept): Promise<ByteListener> {
      const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
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
