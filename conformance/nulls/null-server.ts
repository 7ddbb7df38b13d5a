import type { Server as HttpServer } from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { JsonObject } from '../mutants/json.js';
import type { Ports } from './ports.js';

/** A server that does nothing useful. The kit must not find a single PASS in it. */
export interface NullServer {
  readonly name: string;
  /** What it does, in one sentence. */
  readonly what: string;
  /** It is null over TCP, UDP and FTP alone, and relays everything else to a good server. */
  readonly half?: boolean;
  readonly start: (shape: NullShape) => Promise<RunningNull>;
}

/** What a null server pretends to be. */
export interface NullShape {
  /** A discovery document whose endpoints are relative to its origin. */
  readonly discovery: JsonObject;
  /** What `reject-all` answers. */
  readonly refusal?: Refusal;
  /** The server behind one that is null by half. */
  readonly good?: URL;
}

/** A refusal: HTTP status and registry name. */
export interface Refusal {
  readonly status: number;
  readonly error: string;
}

/** A null server at work; `stop` cuts all connections and resolves when they are gone. */
export interface RunningNull {
  readonly url: URL;
  readonly stop: () => Promise<void>;
}

/** The paths under which null servers put their entry points; they answer on all others too. */
export const PATHS = {
  discovery: '/.well-known/porthouse',
  sessions: '/porthouse/v1/sessions',
  pipe: '/porthouse/v1/pipe',
  sibling: '/porthouse/v1/sibling',
  form: '/porthouse/v1/rooms/{room}/messages',
} as const;

/** `discovery` with the entry points of a null server, its ports among them. */
export function withOwnEndpoints(discovery: JsonObject, { hosts }: Pick<Ports, 'hosts'>): JsonObject {
  const tcp = `tcp://${hosts.tcp}`;
  const form = PATHS.form;
  const endpoints = {
    sessions: PATHS.sessions,
    sibling: { websocket: PATHS.sibling, tcp },
    pipe: { websocket: PATHS.pipe, tcp, udp: `udp://${hosts.udp}`, ftp: `ftp://${hosts.ftp}`, form },
  };
  return { ...discovery, endpoints };
}

/** The same server, which also stops its ports. */
export const withPorts = ({ url, stop }: RunningNull, ports: Ports): RunningNull => ({
  url,
  stop: () => Promise.all([stop(), ports.stop()]).then(() => undefined),
});

/** Listens on a free port of loopback. */
export async function listen(server: Server | HttpServer): Promise<RunningNull> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { url: new URL(`http://127.0.0.1:${String(port)}`), stop: () => stop(server, sockets) };
}

function stop(server: Server | HttpServer, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
  });
}
