import { createHmac, randomBytes } from 'node:crypto';
import type { Discovery, Grant } from '../../../generated/types.js';
import type { Dialect, Role } from '../dialect.js';
import { Wire } from '../wire.js';
import { FrameParser, headLength, maskedFrame, nextText, openWebSocket } from './web-socket.js';

const NONCE_BYTES = 16;
const ROOM = 'bench';
/** Less than the five seconds that Node leaves an idle connection open. */
const FRESH_MS = 2000;

/** An HTTP connection that stays open for one request after another. */
class Requests {
  readonly #wire: Wire;
  readonly #host: string;
  #used = performance.now();

  private constructor(wire: Wire, host: string) {
    this.#wire = wire;
    this.#host = host;
  }

  static async to(url: URL): Promise<Requests> {
    return new Requests(await Wire.open(Number(url.port)), url.host);
  }

  /** Whether the server cannot have given it up for idle yet. */
  get fresh(): boolean {
    return performance.now() - this.#used < FRESH_MS;
  }

  /** Sends a JSON body; resolves with the one that comes back. */
  async post(path: string, body: object): Promise<unknown> {
    const text = JSON.stringify(body);
    this.#wire.write(
      `POST ${path} HTTP/1.1\r\nHost: ${this.#host}\r\nAuthorization: Bearer dev.bench\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${String(Buffer.byteLength(text))}\r\n\r\n${text}`,
    );
    const head = (await this.#wire.next(headLength)).toString('latin1');
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1]);
    const answer = await this.#wire.next((bytes) => (bytes.length < length ? -1 : length));
    this.#used = performance.now();
    if (!head.startsWith('HTTP/1.1 201')) throw new Error(`not granted: ${answer.toString()}`);
    return JSON.parse(answer.toString());
  }
}

/** Opens sessions, with as many HTTP connections as are opened at a time. */
class Opener {
  readonly #url: URL;
  readonly #discovery: Discovery;
  readonly #idle: Requests[] = [];
  #created = false;

  constructor(url: URL, discovery: Discovery) {
    this.#url = url;
    this.#discovery = discovery;
  }

  async open(role: Role): Promise<Wire> {
    const grant = await this.#grant();
    if (role === 'member with sibling') await this.#bind(grant);
    const protocols = ['porthouse.pipe.v1', `porthouse.ticket.${grant.pipeTicket}`];
    return openWebSocket(this.#at(this.#discovery.endpoints.pipe), protocols);
  }

  #at({ websocket = '/' }: { readonly websocket?: string }): URL {
    return new URL(websocket, this.#url);
  }

  /** The first one makes the room, so nothing else may be under way with it. */
  async #grant(): Promise<Grant> {
    const idle = this.#idle.pop();
    const requests = idle?.fresh ? idle : await Requests.to(this.#url);
    const create = this.#created ? {} : { create: {} };
    this.#created = true;
    const request = { room: ROOM, transport: 'websocket', ...create };
    const grant = (await requests.post(this.#discovery.endpoints.sessions, request)) as Grant;
    this.#idle.push(requests);
    return grant;
  }

  async #bind({ sid, siblingSecret }: Grant): Promise<void> {
    const wire = await openWebSocket(this.#at(this.#discovery.endpoints.sibling), ['porthouse.sibling.v1']);
    const hello = JSON.parse(await nextText(wire)) as { params: { nonce: string } };
    const [channel, cnonce] = ['command', randomBytes(NONCE_BYTES).toString('base64url')];
    const text = ['porthouse-bind-v1', sid, channel, hello.params.nonce, cnonce].join('\n');
    const mac = createHmac('sha256', Buffer.from(siblingSecret, 'base64url')).update(text).digest('base64url');
    const params = { sid, channel, cnonce, mac };
    const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'sibling.bind', params });
    wire.write(maskedFrame(Buffer.from(call), 'text').bytes);
    const reply = JSON.parse(await nextText(wire)) as { result?: object };
    if (!reply.result) throw new Error(`not bound: ${JSON.stringify(reply)}`);
    wire.follow(() => undefined);
  }
}

/** A pipe of one room, and where it is asked for a sibling bound beside it. */
export const porthouse: Dialect = {
  parser: new FrameParser(),
  frame: (payload) => maskedFrame(payload, 'binary'),
  async start(url) {
    const discovery = (await (await fetch(new URL('/.well-known/porthouse', url))).json()) as Discovery;
    const opener = new Opener(url, discovery);
    return (role) => opener.open(role);
  },
};
