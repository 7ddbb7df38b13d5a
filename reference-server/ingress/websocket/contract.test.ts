import { Duplex, duplexPair } from 'node:stream';
import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import t from 'tap';
import { createFront } from '../../http/front.js';
import type { PipeDoor } from '../../ports/pipe.js';
import { dial, errorOf } from '../../testing/http.js';
import { OPCODE, WebSocketClient, closeFrame } from '../../testing/web-socket.js';
import { Connections } from '../../listeners/connections.js';
import { World } from '../../testing/world.js';
import { CLOSE_CODES } from '../testing/close-codes.js';
import {
  type IngressClient,
  type IngressUnderTest,
  type RunningIngress,
  runIngressContract,
} from '../testing/contract.js';
import { WebSocketIngress } from './ingress.js';

const PATH = '/pipe';
const HARBOUR = { protocol: 'porthouse' } as never;

function clientOf(webSocket: WebSocketClient): IngressClient {
  const { socket } = webSocket;
  return {
    send: (kind, payload) => webSocket.send({ opcode: kind === 'binary' ? OPCODE.binary : OPCODE.text, payload }),
    async receive(count) {
      const messages = await webSocket.messages(count);
      return messages.map(({ opcode, payload }) => ({ kind: opcode === OPCODE.binary ? 'binary' : 'text', payload }));
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close: () => webSocket.send(closeFrame(1000)),
    cut: () => webSocket.cut(),
    violate: () => webSocket.send({ opcode: 3 }),
    ended: async () => String(await webSocket.closed()),
  };
}

/** How connections come to the server: by the network, or from within, as those of a dumb ingress will. */
interface Medium {
  readonly reach: (front: Server) => Promise<() => Duplex>;
}

const network: Medium = {
  async reach(front) {
    await once(front.listen(0, '127.0.0.1'), 'listening');
    const { port } = front.address() as { port: number };
    return () => dial(`http://127.0.0.1:${String(port)}`);
  },
};

const memory: Medium = {
  reach: (front) =>
    Promise.resolve(() => {
      const [near, far] = duplexPair();
      near.once('end', () => near.end());
      near.once('close', () => far.destroy()); // what a reset is to a network
      far.once('close', () => near.destroy());
      front.emit('connection', far);
      return near;
    }),
};

function frontOf(door: PipeDoor): { front: Server; ingress: WebSocketIngress } {
  const ingress = new WebSocketIngress({ path: PATH, door });
  const { services } = new World();
  const guard = () => ({ scheme: 'http' as const, hosts: ['localhost'], origins: [] });
  const onError = services.onError;
  const limits = { httpBodyBytes: 16384 };
  const connections = new Connections(100);
  const { grants, authenticator } = services;
  return {
    ingress,
    front: createFront({
      guard,
      discovery: HARBOUR,
      upgrades: [ingress],
      connections,
      onError,
      grants,
      authenticator,
      ...limits,
    }),
  };
}

function over(medium: Medium): IngressUnderTest {
  return {
    transport: 'websocket',
    words: CLOSE_CODES,
    async start(door): Promise<RunningIngress> {
      const { front, ingress } = frontOf(door);
      const connect = await medium.reach(front);
      const protocols = (ticket: string): string => `porthouse.pipe.v1, porthouse.ticket.${ticket}`;
      const opened: Duplex[] = [];
      return {
        async connect(ticket) {
          const socket = connect();
          opened.push(socket);
          const headers = { 'sec-websocket-protocol': protocols(ticket) };
          const client = await WebSocketClient.open(socket, { path: PATH, headers });
          return client instanceof WebSocketClient ? clientOf(client) : (errorOf(client) ?? 'no answer');
        },
        vanish(ticket) {
          const socket = new Duplex({ read: () => undefined });
          socket.destroy();
          const headers = {
            upgrade: 'websocket',
            'sec-websocket-version': '13',
            'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
          };
          const request = { method: 'GET', url: PATH, headers } as unknown as IncomingMessage;
          const offered = protocols(ticket).split(', ');
          ingress.upgrade({ request, socket, head: Buffer.alloc(0), protocols: offered, refuse: () => undefined });
        },
        stop() {
          for (const socket of opened) socket.destroy();
          front.close();
        },
      };
    },
  };
}

void t.test('over the network', (t) => runIngressContract(t, over(network)));
void t.test('over connections in memory', (t) => runIngressContract(t, over(memory)));
