import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { isObject, numberAt, objectAt, parseObject, stringAt } from '../mutants/json.js';
import type { Json, JsonObject } from '../mutants/json.js';
import { udpKeys } from '../drivers/udp/codec.js';
import type { UdpKeys } from '../drivers/udp/codec.js';
import { exampleOf } from './examples.js';
import type { NullServer, RunningNull } from './null-server.js';
import { PATHS, listen, withOwnEndpoints, withPorts } from './null-server.js';
import type { LinePeer } from './ports.js';
import { openPorts } from './ports.js';
import { acceptUpgrade } from './websocket.js';
import type { Peer } from './websocket.js';

const fresh = (bytes: number): string => randomBytes(bytes).toString('base64url');
const SIBLING = 'porthouse.sibling.v1';
const PIPE = 'porthouse.pipe.v1';

/** What it does with messages on a pipe. */
type Pipes = 'swallow' | 'repeat';

/** What it remembers of a session, so that its fences promise what came. */
interface Memory {
  received: number;
  sent: number;
}

/** A server that says yes to everything, with answers of the right shape and counters that fit what it was sent. */
class YesServer {
  readonly #example: JsonObject;
  #discovery: JsonObject;
  readonly #pipes: Pipes;
  readonly #associations = new Map<string, UdpKeys>();
  readonly #sessions = new Map<string, Memory>();
  readonly #tickets = new Map<string, string>();

  constructor(discovery: JsonObject, pipes: Pipes) {
    this.#example = discovery;
    this.#discovery = discovery;
    this.#pipes = pipes;
  }

  async start(): Promise<RunningNull> {
    const ports = await openPorts({
      manner: this.#pipes === 'swallow' ? 'accept' : 'repeat',
      keysOf: (assoc) => this.#associations.get(assoc),
      onSibling: (peer) => this.#serveSibling(overLines(peer)),
    });
    this.#discovery = withOwnEndpoints(this.#example, ports);
    const server = createServer((request, response) => this.#answer(request, response));
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const peer = acceptUpgrade({ request, socket, head }, [SIBLING, PIPE]);
      if (peer.protocol === SIBLING) this.#serveSibling(peer);
      else this.#servePipe(peer, request.headers['sec-websocket-protocol'] ?? '');
    });
    return withPorts(await listen(server), ports);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const sessions = request.url === PATHS.sessions;
      const body = sessions ? this.#grant(parseObject(Buffer.concat(parts)) ?? {}) : this.#discovery;
      const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' };
      response.writeHead(sessions ? 201 : 200, headers).end(JSON.stringify(body));
    });
  }

  #grant(request: JsonObject): JsonObject {
    const grant = exampleOf('http/grant');
    const sid = `s_${fresh(16)}`;
    const pipeTicket = fresh(32);
    this.#sessions.set(sid, { received: 0, sent: 0 });
    this.#tickets.set(pipeTicket, sid);
    const asked = Object.fromEntries(['room', 'formats', 'scopes'].map((key) => [key, request[key] ?? grant[key]]));
    const limits = { ...objectAt(grant, 'limits'), ...objectAt(request, 'limits') };
    const siblingSecret = fresh(32);
    const way = this.#wayOf(request, udpKeys(siblingSecret, pipeTicket));
    return { ...grant, ...asked, ...way, limits, sid, pipeTicket, siblingSecret };
  }

  /** What a grant says of the transport that was asked for. */
  #wayOf(request: JsonObject, keys: UdpKeys): JsonObject {
    const transport = stringAt(request, 'transport') ?? 'websocket';
    const { pipe, sibling } = objectAt(this.#discovery, 'endpoints');
    const udpAssoc = fresh(8);
    if (transport === 'udp') this.#associations.set(udpAssoc, keys);
    const endpoints = { pipe: stringAt(pipe, transport) ?? PATHS.pipe, sibling: sibling ?? null };
    const framing = transport === 'tcp' ? { framing: request['framing'] ?? 'frame' } : {};
    return { transport, endpoints, ...framing, ...(transport === 'udp' ? { udpAssoc } : {}) };
  }

  #servePipe(peer: Peer, offered: string): void {
    const ticket = /porthouse\.ticket\.([\w-]+)/.exec(offered)?.[1] ?? '';
    const memory = this.#sessions.get(this.#tickets.get(ticket) ?? '') ?? { received: 0, sent: 0 };
    peer.onMessage((message) => {
      memory.received += 1;
      if (this.#pipes === 'swallow') return;
      memory.sent += 1;
      peer.send(message);
    });
  }

  #serveSibling(peer: Peer): void {
    const hello = { nonce: fresh(16), versions: [1], server: this.#discovery['server'] ?? null };
    const say = (json: JsonObject): void => peer.send({ kind: 'text', payload: Buffer.from(JSON.stringify(json)) });
    say({ jsonrpc: '2.0', method: 'sibling.hello', params: hello });
    let sid = '';
    peer.onMessage(({ payload }) => {
      const call = parseObject(payload);
      if (call === undefined) return;
      sid = stringAt(call['params'], 'sid') ?? sid;
      const result = this.#result(call, sid);
      if (call['id'] !== undefined) say({ jsonrpc: '2.0', id: call['id'], result });
    });
  }

  #result(call: JsonObject, sid: string): Json {
    const method = stringAt(call, 'method') ?? '';
    const params = objectAt(call, 'params');
    if (method === 'session.create') return this.#grant(params);
    const example = exampleOf(`calls/${method}.result`);
    if (method === 'fence') return { ...example, ...this.#counters(sid, params) };
    // What the request named, the answer names: the nearest to a real effect that can be had without one.
    const named = Object.entries(params).filter(([key, value]) => key in example && !isObject(value));
    return { ...example, ...Object.fromEntries(named) };
  }

  #counters(sid: string, params: JsonObject): JsonObject {
    const { received, sent } = this.#sessions.get(sid) ?? { received: 0, sent: 0 };
    const c2s = Math.max(received, numberAt(params['after'], 'c2s') ?? 0);
    const counters = { c2sReceived: c2s, c2sRouted: c2s, s2cEnqueued: sent, s2cWritten: sent, s2cDropped: 0 };
    return { ...counters, epoch: 1, headSeq: 0 };
  }
}

/** A sibling over TCP: a line of JSON in each direction. */
const overLines = ({ send, onLine }: LinePeer): Peer => ({
  protocol: SIBLING,
  send: ({ payload }) => send(payload.toString('latin1')),
  onMessage: (listener) => onLine((line) => listener({ kind: 'text', payload: Buffer.from(line, 'latin1') })),
});

/** Takes everything, with plausible answers, and delivers nothing. */
export const acceptAll: NullServer = {
  name: 'accept-all',
  what: 'Grants, upgrades and answers everything with valid examples; pipes swallow what they are sent.',
  start: ({ discovery }) => new YesServer(discovery, 'swallow').start(),
};

/** The same, with pipes that repeat to the sender what it sent. */
export const parrot: NullServer = {
  name: 'parrot',
  what: 'Grants, upgrades and answers everything with valid examples; pipes send back what they are sent.',
  start: ({ discovery }) => new YesServer(discovery, 'repeat').start(),
};
