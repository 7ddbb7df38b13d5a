import { createHmac, randomBytes } from 'node:crypto';
import type { Discovery, Grant } from '../../../generated/types.js';
import type { Wire } from '../wire.js';
import { Requests } from './requests.js';
import { maskedFrame, nextText, openWebSocket } from './web-socket.js';

const NONCE_BYTES = 16;

/** The room of every measurement. */
export const ROOM = 'bench';

interface Event {
  readonly method?: string;
  readonly params?: { readonly nonce?: string };
  readonly result?: object;
}

/** Grants and siblings, with as many HTTP connections as are opened at a time. */
export class Sessions {
  readonly url: URL;
  readonly discovery: Discovery;
  readonly #idle: Requests[] = [];
  #created = false;

  private constructor(url: URL, discovery: Discovery) {
    this.url = url;
    this.discovery = discovery;
  }

  static async of(url: URL): Promise<Sessions> {
    const answer = await fetch(new URL('/.well-known/porthouse', url));
    return new Sessions(url, (await answer.json()) as Discovery);
  }

  at({ websocket = '/' }: { readonly websocket?: string }): URL {
    return new URL(websocket, this.url);
  }

  /** A session in the room. The first one makes the room, so nothing else may be under way with it. */
  async grant(transport: { readonly transport: string; readonly framing?: string }): Promise<Grant> {
    const idle = this.#idle.pop();
    const requests = idle?.fresh ? idle : await Requests.to(this.url);
    const create = this.#created ? {} : { create: {} };
    this.#created = true;
    const request = Buffer.from(JSON.stringify({ room: ROOM, ...transport, ...create }));
    const path = this.discovery.endpoints.sessions;
    const { status, body } = await requests.post({ path, type: 'application/json', pieces: [request] });
    if (status !== 201) throw new Error(`not granted: ${body}`);
    this.#idle.push(requests);
    return JSON.parse(body) as Grant;
  }

  /** A sibling, bound to the command channel. */
  async sibling({ sid, siblingSecret }: Grant): Promise<Wire> {
    const wire = await openWebSocket(this.at(this.discovery.endpoints.sibling), ['porthouse.sibling.v1']);
    const nonce = (JSON.parse(await nextText(wire)) as Event).params?.nonce ?? '';
    const [channel, cnonce] = ['command', randomBytes(NONCE_BYTES).toString('base64url')];
    const text = ['porthouse-bind-v1', sid, channel, nonce, cnonce].join('\n');
    const mac = createHmac('sha256', Buffer.from(siblingSecret, 'base64url')).update(text).digest('base64url');
    const params = { sid, channel, cnonce, mac };
    const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'sibling.bind', params });
    wire.write(maskedFrame(Buffer.from(call), 'text').bytes);
    const reply = JSON.parse(await nextText(wire)) as Event;
    if (!reply.result) throw new Error(`not bound: ${JSON.stringify(reply)}`);
    return wire;
  }

  /** Opens a pipe on which nothing tells that it is open: a sibling does, and is cut then. */
  async opened(grant: Grant, open: () => Promise<Wire>): Promise<Wire> {
    const sibling = await this.sibling(grant);
    const pipe = await open();
    while ((JSON.parse(await nextText(sibling)) as Event).method !== 'pipe.opened');
    sibling.cut();
    return pipe;
  }
}
