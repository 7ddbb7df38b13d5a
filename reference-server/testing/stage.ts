import type { Server } from 'node:http';
import { type Duplex, duplexPair } from 'node:stream';
import type { Discovery, Grant, RequestedLimits } from '../../generated/types.js';
import { SESSIONS_PATH, createFront } from '../http/front.js';
import { Connections } from '../listeners/connections.js';
import { FormIngress, MESSAGES_TEMPLATE } from '../ingress/form/ingress.js';
import { WebSocketIngress } from '../ingress/websocket/ingress.js';
import type { Authenticator } from '../ports/access.js';
import { SiblingWebSockets } from '../sibling/websocket.js';
import { type Answer, type Ask, readAnswer, requestText } from './http.js';
import { Incoming } from './bytes.js';
import { macOf } from './memory.js';
import { WebSocketClient } from './web-socket.js';
import { type Member, World } from './world.js';

export const PIPE = '/pipe';
export const SIBLING = '/sibling';
export { SESSIONS_PATH };

interface StageOptions extends NonNullable<ConstructorParameters<typeof World>[0]> {
  readonly authenticator?: Authenticator;
  readonly origins?: readonly string[];
  readonly bodyMs?: number;
}

/** The server without a network: HTTP, pipes and siblings over connections in memory, with a clock that goes by hand. */
export class Stage {
  readonly world: World;
  readonly front: Server;
  readonly siblings: SiblingWebSockets;
  readonly faults: unknown[] = [];

  constructor({ authenticator, origins = [], bodyMs, ...options }: StageOptions = {}) {
    this.world = new World({ ticking: true, pipes: { form: MESSAGES_TEMPLATE }, ...options });
    const { services, limits, router } = this.world;
    const shared = { ...services, ...limits, ...(authenticator && { authenticator }), door: router };
    const onError = (error: unknown): void => void this.faults.push(error);
    this.siblings = new SiblingWebSockets({ ...shared, onError, path: SIBLING });
    this.front = createFront({
      ...shared,
      onError,
      connections: new Connections(limits.maxConnections),
      guard: () => ({ scheme: 'http', hosts: ['localhost'], origins }),
      discovery: { protocol: 'porthouse', limits } as unknown as Discovery,
      upgrades: [new WebSocketIngress({ ...shared, path: PIPE }), this.siblings],
      handlers: [new FormIngress({ ...shared, limits, rooms: router.openRooms })],
      ...(bodyMs !== undefined && { bodyMs }),
    });
  }

  /** A connection to the server; when one end is destroyed so is the other, as by a reset. */
  dial(): Duplex {
    const [near, far] = duplexPair();
    near.on('error', () => undefined);
    near.once('end', () => near.end());
    near.once('close', () => far.destroy());
    far.once('close', () => near.destroy());
    this.front.emit('connection', far);
    return near;
  }

  async ask(asked: Ask): Promise<Answer> {
    const socket = this.dial();
    const { body } = asked;
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    socket.write(requestText({ ...asked, headers: { connection: 'close', ...length, ...asked.headers } }));
    if (body !== undefined) socket.write(body);
    const answer = await readAnswer(new Incoming(socket), { head: asked.method === 'HEAD' });
    socket.destroy();
    return answer;
  }

  /** Asks without a body, which may follow on the socket; the answer is read when it is asked for. */
  begin(asked: Ask): { readonly socket: Duplex; answer(): Promise<Answer> } {
    const socket = this.dial();
    const incoming = new Incoming(socket);
    socket.write(requestText(asked));
    return { socket, answer: () => readAnswer(incoming) };
  }

  /** An upgrade on a path; the answer where it is refused. */
  upgrade(ask: Parameters<typeof WebSocketClient.open>[1]): Promise<WebSocketClient | Answer> {
    return WebSocketClient.open(this.dial(), ask);
  }

  /** A member whose pipe is a WebSocket, and whose sibling is in memory. */
  async pipe(limits: RequestedLimits = {}): Promise<{ client: WebSocketClient; member: Member }> {
    const member = this.world.member({ limits });
    member.sibling.bind(member.grant);
    return { member, client: await this.openPipe(member.grant.pipeTicket) };
  }

  async openPipe(ticket: string): Promise<WebSocketClient> {
    return opened(await this.upgrade({ path: PIPE, headers: pipeHeaders(ticket) }));
  }

  /** A sibling connection with its hello read, and bound where there is a grant. */
  async sibling(grant?: Grant, channel = 'command'): Promise<WebSocketClient> {
    const headers = { 'sec-websocket-protocol': 'porthouse.sibling.v1' };
    const client = opened(await this.upgrade({ path: SIBLING, headers }));
    await bind(client, grant, channel);
    return client;
  }
}

export function opened(result: WebSocketClient | Answer): WebSocketClient {
  if (result instanceof WebSocketClient) return result;
  throw new Error(`refused: ${String(result.status)} ${result.body}`);
}

export const pipeHeaders = (ticket: string): Record<string, string> => ({
  'sec-websocket-protocol': `porthouse.pipe.v1, porthouse.ticket.${ticket}`,
});

/** Reads the hello, and binds where there is a grant. */
export async function bind(client: WebSocketClient, grant?: Grant, channel = 'command'): Promise<void> {
  const hello = (await client.json()) as { params: { nonce: string } };
  if (grant) await bindAfter(client, grant, { nonce: hello.params.nonce, channel });
}

/** Binds with the nonce of a hello that was read before. */
export async function bindAfter(
  client: WebSocketClient,
  grant: Grant,
  { nonce, channel = 'command' }: { nonce: string; channel?: string },
): Promise<void> {
  const cnonce = 'Y2xpZW50LW5vbmNlLTE2Yg';
  const mac = macOf(grant, { channel, nonce, cnonce });
  client.call('bind', 'sibling.bind', { sid: grant.sid, channel, cnonce, mac });
  const reply = await client.json();
  if (!('result' in reply)) throw new Error(JSON.stringify(reply));
}
