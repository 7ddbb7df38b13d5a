import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import t from 'tap';
import type { EndCause } from '../../../generated/types.js';
import { packageRoot } from '../../../support/package-root.js';
import { Connections } from '../../listeners/connections.js';
import { tcpListeners } from '../../listeners/tcp.js';
import { secureListeners, secureSockets } from '../../listeners/tls.js';
import type { Kind } from '../../ports/message.js';
import { TcpClient } from '../../testing/tcp-client.js';
import { until } from '../../testing/until.js';
import { answeringDoor } from '../testing/answering-door.js';
import {
  type IngressClient,
  type IngressUnderTest,
  type RunningIngress,
  type Seen,
  runIngressContract,
} from '../testing/contract.js';
import { TcpIngress } from './ingress.js';

const pem = (name: string): string => readFileSync(join(packageRoot(), 'reference-server/testing/tls', name), 'utf8');
const context = createSecureContext({ cert: pem('cert.pem'), key: pem('key.pem') });

const KINDS: readonly Kind[] = ['text', 'text', 'binary', 'json'];

function framed(kind: Kind, payload: Buffer): Buffer {
  const header = Buffer.alloc(4);
  header[0] = KINDS.lastIndexOf(kind);
  header.writeUIntBE(payload.length, 1, 3);
  return Buffer.concat([header, payload]);
}

async function next(client: TcpClient): Promise<Seen> {
  const header = await client.read(4);
  const kind = KINDS[header[0] ?? 0] ?? 'text';
  return { kind: kind === 'json' ? 'text' : kind, payload: await client.read(header.readUIntBE(1, 3)) };
}

function clientOf(client: TcpClient): IngressClient {
  const { socket } = client;
  return {
    send: (kind, payload) => client.write(framed(kind, payload)),
    async receive(count) {
      const seen: Seen[] = [];
      while (seen.length < count) seen.push(await next(client));
      return seen;
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close: () => void socket.end(),
    cut: () => client.cut(),
    violate: () => client.write('\x00\x00\x00\x00'),
    async ended() {
      const { how } = await client.ended();
      socket.end();
      return how;
    },
  };
}

const WORDS: Readonly<Partial<Record<EndCause, string>>> = {
  closed_by_session: 'end',
  replaced: 'end',
  draining: 'end',
  room_closed: 'end',
  slow_consumer: 'reset',
  timeout: 'reset',
};

/** Over plain TCP, or inside TLS with the certificate of the tests. */
const overTcp = (ca?: string): IngressUnderTest => ({
  transport: 'tcp',
  framing: 'frame',
  words: WORDS,
  halfClose: true,
  async start(door, clock): Promise<RunningIngress> {
    const connections = new Connections(100);
    const opened: TcpClient[] = [];
    const limits = { preambleMs: 5000 };
    const { door: watched, answers } = answeringDoor(door);
    const ingress = new TcpIngress({ door: watched, clock, limits, sibling: ({ stream }) => void stream.destroy() });
    const plain = tcpListeners(connections);
    const listeners = ca === undefined ? plain : secureListeners(plain, secureSockets(context));
    const listener = await listeners.listen({ host: '127.0.0.1', port: 0 }, (socket) => ingress.accept(socket));
    return {
      async connect(ticket) {
        const client = TcpClient.pipe(listener.address, { ticket, framing: 'frame', ca });
        opened.push(client);
        const before = answers.length;
        await until(() => answers.length > before);
        const answer = answers[before] ?? '';
        if (answer === 'granted') return clientOf(client);
        const { rest } = await client.ended();
        return `${answer}${rest}`; // nothing is said
      },
      stop() {
        for (const { socket } of opened) socket.destroy();
        listener.close();
      },
    };
  },
});

void t.test('over TCP', (t) => runIngressContract(t, overTcp()));

void t.test('over TCP inside TLS', (t) => runIngressContract(t, overTcp(pem('cert.pem'))));
