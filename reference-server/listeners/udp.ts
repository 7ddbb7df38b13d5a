import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { Address, DatagramSocket, DatagramSockets } from '../ports/sockets.js';

/** Datagrams over the machine's own UDP. */
export const udpSockets: DatagramSockets = {
  async bind({ host, port }: Address, receive): Promise<DatagramSocket> {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    socket.on('message', (datagram, from) => receive(datagram, { host: from.address, port: from.port }));
    socket.bind(port, host);
    await once(socket, 'listening');
    // What cannot be sent, for want of a route or because nobody listens there, is lost like any other datagram.
    socket.on('error', () => undefined);
    const { address, port: actual } = socket.address();
    return {
      address: { host: address, port: actual },
      send: (datagram, to) => socket.send(datagram, to.port, to.host, () => undefined),
      close: () => void socket.close(),
    };
  },
};
