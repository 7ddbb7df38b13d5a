import { once } from 'node:events';
import type { Socket } from 'node:net';
import t from 'tap';
import type { EndCause } from '../../../generated/types.js';
import { createFront } from '../../http/front.js';
import { Connections } from '../../listeners/connections.js';
import type { Kind } from '../../ports/message.js';
import { Incoming } from '../../testing/bytes.js';
import { type Answer, dial, errorOf, readAnswer, requestText } from '../../testing/http.js';
import { until } from '../../testing/until.js';
import { World } from '../../testing/world.js';
import { answeringDoor } from '../testing/answering-door.js';
import { type IngressClient, type IngressUnderTest, runIngressContract } from '../testing/contract.js';
import { FormIngress } from './ingress.js';
import { at, messagesOf } from './testing/forms.js';

const HEADERS = { 'content-type': 'multipart/form-data; boundary=b', 'transfer-encoding': 'chunked' };

/** One form that is posted field by field, each whole at once. */
class Posting implements IngressClient {
  readonly #socket: Socket;
  readonly #answer: Promise<Answer>;

  constructor(socket: Socket, { room, ticket }: { room: string; ticket: string }) {
    this.#socket = socket;
    this.#answer = readAnswer(new Incoming(socket));
    socket.write(requestText({ method: 'POST', path: at(room), headers: HEADERS }));
    this.#write(Buffer.from('--b\r\n'));
    this.#field('ticket', Buffer.from(ticket));
  }

  send(kind: Kind, payload: Buffer): void {
    this.#field(kind === 'text' ? 'message' : 'message"; filename="f', payload);
  }

  receive(): never {
    throw new Error('a form receives nothing');
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#write(Buffer.from('Content-Disposition: form-data; name="end"\r\n\r\n\r\n--b--\r\n'));
    this.#socket.write('0\r\n\r\n');
  }

  cut(): void {
    this.#socket.destroy();
  }

  violate(): void {
    this.#write(Buffer.from('no head of a part\r\n\r\n'));
  }

  async ended(): Promise<string> {
    const answer = await this.#answer;
    return `${String(answer.status)} ${errorOf(answer) ?? ''}`.trim();
  }

  async told(): Promise<readonly string[]> {
    this.close();
    return messagesOf(await this.#answer).map(({ error }) => error?.name ?? 'accepted');
  }

  #field(name: string, value: Buffer): void {
    const head = `Content-Disposition: form-data; name="${name}"\r\n\r\n`;
    this.#write(Buffer.concat([Buffer.from(head), value, Buffer.from('\r\n--b\r\n')]));
  }

  #write(bytes: Buffer): void {
    const size = Buffer.from(`${bytes.length.toString(16)}\r\n`);
    this.#socket.write(Buffer.concat([size, bytes, Buffer.from('\r\n')]));
  }
}

const WORDS: Readonly<Partial<Record<EndCause, string>>> = {
  closed_by_session: '409 pipe_ended',
  replaced: '409 replaced',
  draining: '503 draining',
  room_closed: '410 room_closed',
  timeout: '408 timeout',
};

const overForms: IngressUnderTest = {
  transport: 'form',
  words: WORDS,
  without: ['backlog', 'delivery'],
  async start(door, clock) {
    const { services, limits, router } = new World(); // for forms without a ticket, of which there are none here
    const { door: watched, answers } = answeringDoor(door);
    const ingress = new FormIngress({ ...services, door: watched, rooms: router.openRooms, clock, limits });
    const front = createFront({
      ...services,
      ...limits,
      connections: new Connections(100),
      guard: () => ({ scheme: 'http', hosts: ['localhost'], origins: [] }),
      discovery: { protocol: 'porthouse' } as never,
      upgrades: [],
      handlers: [ingress],
    });
    await once(front.listen(0, '127.0.0.1'), 'listening');
    const { port } = front.address() as { port: number };
    const opened: Socket[] = [];
    const post = (room: string, ticket: string): Posting => {
      const socket = dial(`http://127.0.0.1:${String(port)}`);
      opened.push(socket);
      return new Posting(socket, { room, ticket });
    };
    return {
      async connect(ticket, { room }) {
        const before = answers.length;
        const posting = post(room, ticket);
        await until(() => answers.length > before);
        if (answers[before] === 'granted') return posting;
        return (await posting.ended()).split(' ')[1] ?? '';
      },
      /** For a room that it is not good for. */
      vanish: (ticket) => void post('elsewhere', ticket),
      stop() {
        for (const socket of opened) socket.destroy();
        front.close();
      },
    };
  },
};

void t.test('by a web form', (t) => runIngressContract(t, overForms));
