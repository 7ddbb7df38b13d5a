import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

// What most people write first, and so what everything else is compared with.
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
server.on('connection', (sender) => {
  sender.on('message', (data, binary) => {
    for (const client of server.clients) {
      if (client !== sender && client.readyState === WebSocket.OPEN) client.send(data, { binary });
    }
  });
});
await once(server, 'listening');
process.stdout.write(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}\n`);
