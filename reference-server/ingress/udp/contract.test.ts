import t from 'tap';
import { udpSockets } from '../../listeners/udp.js';
import type { Address, DatagramSockets } from '../../ports/sockets.js';
import { MemoryNetwork, UdpClient } from '../../testing/datagrams.js';
import { CountingEntropy } from '../../testing/time.js';
import { until } from '../../testing/until.js';
import { CLOSE_CODES } from '../testing/close-codes.js';
import { type IngressClient, type IngressUnderTest, runIngressContract } from '../testing/contract.js';
import { MOST_PAYLOAD_BYTES, TYPE, kindOf } from './datagram.js';
import { UdpIngress } from './ingress.js';

const ANY: Address = { host: '127.0.0.1', port: 0 };

/** Datagrams of a server that can be watched: whether it has looked at one, and whether it has answered. */
class Watched implements DatagramSockets {
  looked = 0;
  answered = 0;
  readonly #sockets: DatagramSockets;

  constructor(sockets: DatagramSockets) {
    this.#sockets = sockets;
  }

  async bind(at: Address, receive: (bytes: Buffer, from: Address) => void): ReturnType<DatagramSockets['bind']> {
    const socket = await this.#sockets.bind(at, (bytes, from) => {
      receive(bytes, from);
      this.looked++;
    });
    const send: typeof socket.send = (bytes, to) => {
      this.answered++;
      socket.send(bytes, to);
    };
    return { address: socket.address, send, close: () => socket.close() };
  }
}

function clientOf(client: UdpClient): IngressClient {
  return {
    send: (kind, payload) => client.send(kind, payload),
    async receive(count) {
      const messages = await client.messages(count);
      return messages.map(({ type, payload }) => ({ kind: kindOf(type) ?? 'binary', payload }));
    },
    pause: () => undefined,
    resume: () => undefined,
    close: () => client.say(TYPE.close),
    cut: () => client.close(),
    ended: async () => String((await client.next(TYPE.close)).payload.readUInt16BE()),
  };
}

function over(sockets: DatagramSockets): IngressUnderTest {
  return {
    transport: 'udp',
    words: CLOSE_CODES,
    mostBytes: MOST_PAYLOAD_BYTES,
    json: 'json',
    without: ['connection', 'backlog', 'shared frames', 'shown tickets'],
    async start(door) {
      const watched = new Watched(sockets);
      const ingress = await UdpIngress.listen({ sockets: watched, at: ANY, door, entropy: new CountingEntropy() });
      const clients: UdpClient[] = [];
      return {
        async connect(_ticket, grant) {
          const client = await new UdpClient(grant, ingress.address).bind(sockets);
          clients.push(client);
          const { looked, answered } = watched;
          client.say(TYPE.open);
          await until(() => watched.looked > looked);
          if (watched.answered === answered) return 'ticket_invalid'; // silence
          await client.prove();
          return clientOf(client);
        },
        stop() {
          for (const client of clients) client.close();
          ingress.close();
        },
      };
    },
  };
}

void t.test('over the network', (t) => runIngressContract(t, over(udpSockets)));
void t.test('in memory', (t) => runIngressContract(t, over(new MemoryNetwork())));
