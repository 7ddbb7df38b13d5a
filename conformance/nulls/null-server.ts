import type { Server as HttpServer } from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { JsonObject } from '../mutants/json.js';

/** A server that does nothing useful. The kit must not find a single PASS in it. */
export interface NullServer {
  readonly name: string;
  /** What it does, in one sentence. */
  readonly what: string;
  readonly start: (shape: NullShape) => Promise<RunningNull>;
}

/** What a null server pretends to be. */
export interface NullShape {
  /** A discovery document whose endpoints are relative to its origin. */
  readonly discovery: JsonObject;
  /** What `reject-all` answers. */
  readonly refusal?: Refusal;
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
} as const;

/** `discovery` with the entry points of a null server. */
export function withOwnEndpoints(discovery: JsonObject): JsonObject {
  const endpoints = {
    sessions: PATHS.sessions,
    sibling: { websocket: PATHS.sibling },
    pipe: { websocket: PATHS.pipe },
  };
  return { ...discovery, endpoints };
}

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
