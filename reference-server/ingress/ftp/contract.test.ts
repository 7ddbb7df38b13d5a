import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import t from 'tap';
import type { EndCause } from '../../../generated/types.js';
import { Connections } from '../../listeners/connections.js';
import { tcpListeners } from '../../listeners/tcp.js';
import type { Kind } from '../../ports/message.js';
import { FtpClient } from '../../testing/ftp.js';
import { World } from '../../testing/world.js';
import { type IngressClient, type IngressUnderTest, type Seen, runIngressContract } from '../testing/contract.js';
import { FtpIngress } from './ingress.js';

/** Commands one after the other, as a client of FTP says them. */
class Commands implements IngressClient {
  readonly #client: FtpClient;
  readonly #told: string[] = [];
  #heard = '';
  #last: Promise<unknown> = Promise.resolve();

  constructor(client: FtpClient) {
    this.#client = client;
  }

  send(kind: Kind, payload: Buffer): void {
    this.#then(async () => {
      await this.#client.say(kind === 'text' ? 'TYPE A' : 'TYPE I');
      this.#heard = (await this.#client.store(payload)) ?? '';
      const [code, name = ''] = this.#heard.split(' ');
      this.#told.push(code === '226' ? 'accepted' : name);
    });
  }

  async receive(count: number): Promise<readonly Seen[]> {
    const seen: Seen[] = [];
    while (seen.length < count) {
      const data = await this.#client.data();
      const begun = await this.#client.say('RETR wait');
      const kind = /kind=(text|binary|json)/.exec(begun ?? '')?.[1] as Kind;
      seen.push({ kind, payload: await buffer(data) });
      await this.#client.reply();
    }
    return seen;
  }

  pause(): void {
    this.#client.socket.pause();
  }

  resume(): void {
    this.#client.socket.resume();
  }

  close(): void {
    this.#then(() => this.#client.write('QUIT\r\n'));
  }

  cut(): void {
    this.#then(() => this.#client.socket.destroy());
  }

  violate(): void {
    this.#then(() => this.#client.write('x'.repeat(600)));
  }

  /** The last words on the control connection. */
  async ended(): Promise<string> {
    await this.#last;
    let last = this.#heard;
    for (let reply = await this.#client.reply(); reply !== null; reply = await this.#client.reply()) last = reply;
    return last;
  }

  async told(): Promise<readonly string[]> {
    await this.#last;
    return this.#told;
  }

  #then(say: () => unknown): void {
    this.#last = this.#last.then(say);
  }
}

const CAUSES: readonly EndCause[] = [
  'closed_by_session',
  'replaced',
  'draining',
  'room_closed',
  'slow_consumer',
  'timeout',
];

const overFtp: IngressUnderTest = {
  transport: 'ftp',
  words: Object.fromEntries(CAUSES.map((cause) => [cause, `421 ${cause}`])),
  json: 'json',
  without: ['backlog', 'shared frames', 'push'],
  async start(door, clock) {
    const { router, limits } = new World(); // for strangers, of whom there are none here
    const listeners = tcpListeners(new Connections(100));
    const ingress = new FtpIngress({
      ...{ door, clock, limits, listeners, grants: router, rooms: router },
      ...{ tls: null, tlsOnly: false, passiveAddress: null },
      onError: (error) => {
        throw error;
      },
    });
    const listener = await listeners.listen({ host: '127.0.0.1', port: 0 }, (socket) => ingress.connect(socket));
    return {
      async connect(ticket) {
        const client = FtpClient.dial(listener.address.port);
        await once(client.socket, 'connect');
        const [code, name = ''] = ((await client.login(ticket)) ?? '').split(' ');
        return code === '230' ? new Commands(client) : name;
      },
      stop() {
        listener.close();
        for (const stream of listeners.open) stream.destroy();
      },
    };
  },
};

void t.test('over FTP', (t) => runIngressContract(t, overFtp));
