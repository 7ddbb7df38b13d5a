import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { Address, DatagramSocket, DatagramSockets } from '../ports/sockets.js';

/** What may wait for a network that is slower than the server; what is sent beyond that is lost. */
const MOST_WAITING_BYTES = 4 * 1024 * 1024;

/** Datagrams over the machine's own UDP. */
export const udpSockets: DatagramSockets = {
  async bind({ host, port }: Address, receive): Promise<DatagramSocket> {
    const family = isIPv6(host) ? 6 : 4;
    // Every address came with a datagram: there is nothing to resolve, which costs a tick for each that is sent.
    const socket = createSocket({
      type: `udp${family}`,
      lookup: (address, _options, told) => told(null, address, family),
    });
    socket.on('message', (datagram, from) => receive(datagram, { host: from.address, port: from.port }));
    const listening = once(socket, 'listening');
    socket.bind(port, host);
    await listening;
    // What cannot be sent, for want of a route or because nobody listens there, is lost like any other datagram.
    socket.on('error', () => undefined);
    const { address, port: actual } = socket.address();
    let open = true;
    let underWay = 0;
    const sent = (): void => {
      underWay--;
      if (!open && underWay === 0) socket.close(); // not before the last words have left
    };
    return {
      address: { host: address, port: actual },
      send(datagram, to) {
        if (!open || socket.getSendQueueSize() > MOST_WAITING_BYTES) return;
        underWay++;
        socket.send(datagram, to.port, to.host, sent);
      },
      close() {
        if (open && underWay === 0) socket.close();
        open = false;
      },
    };
  },
};
