import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { JsonObject } from '../json.js';
import { isObject } from '../json.js';
import type { Endpoint, WireMutant, World } from '../mutant.js';
import { AddressBook, DISCOVERY_PATH, endpointUrls, httpOrigin } from './addresses.js';
import { Connection } from './connection.js';
import type { ConnectionOptions } from './connection.js';
import type { WireLink } from './link.js';
import { Tracker } from './tracker.js';

/** A running proxy: `url` stands for the server's, `stop` resets what is open and resolves when all is closed. */
export interface Proxy {
  readonly url: URL;
  readonly stop: () => Promise<void>;
  /** What hooks of the mutant threw, in the order in which it happened. */
  readonly faults: () => readonly string[];
}

type Surroundings = Omit<ConnectionOptions, 'client' | 'server'>;

/**
 * Starts a server on loopback that behaves as the one at `target` does, but for what `mutant` alters. Every origin that
 * the discovery document names gets a port of its own.
 *
 * @throws If `target` has no discovery document.
 */
export async function startProxy(target: URL, mutant: Pick<WireMutant, 'alter'>): Promise<Proxy> {
  const discovery = await fetchDiscovery(target);
  const urls = endpointUrls(discovery, new URL(DISCOVERY_PATH, target));
  const tracker = new Tracker();
  const links = new Set<WireLink>();
  const addresses = new AddressBook();
  const world = makeWorld({ target, discovery, tracker, links });
  const faults: string[] = [];
  const surroundings: Surroundings = {
    alterations: mutant.alter(world),
    tracker,
    addresses,
    endpointOf: (path) => endpointAt(path, urls),
    onLink: (link) => links.add(link),
    onFault: (error) => faults.push(error instanceof Error ? error.message : String(error)),
  };
  const origins = [...new Set([target.origin, ...[...urls.values()].map(httpOrigin)])];
  const doors = await Promise.all(origins.map((origin) => openDoor(new URL(origin), surroundings)));
  doors.forEach((door, i) => addresses.add(origins[i] ?? '', door.origin));
  return {
    url: new URL(doors[0]?.origin ?? ''),
    faults: () => faults,
    stop: async () => {
      await Promise.all(doors.map((door) => door.stop()));
    },
  };
}

async function fetchDiscovery(target: URL): Promise<JsonObject> {
  const response = await fetch(new URL(DISCOVERY_PATH, target));
  const body: unknown = await response.json();
  if (!response.ok || !isObject(body)) throw new Error(`no discovery document at ${target.href}`);
  return body;
}

function endpointAt(path: string, urls: ReadonlyMap<Endpoint, URL>): Endpoint {
  const wanted = path.split('?')[0];
  return [...urls].find(([, url]) => url.pathname === wanted)?.[0] ?? 'other';
}

interface WorldParts {
  readonly target: URL;
  readonly discovery: JsonObject;
  readonly tracker: Tracker;
  readonly links: ReadonlySet<WireLink>;
}

function makeWorld({ target, discovery, tracker, links }: WorldParts): World {
  return {
    sessions: () => tracker.sessions(),
    links: () => [...links].filter((link) => link.open),
    target,
    discovery,
    fetch: (path, init) => fetch(new URL(path, target), init),
  };
}

interface Door {
  readonly origin: string;
  readonly stop: () => Promise<void>;
}

async function openDoor(upstream: URL, surroundings: Surroundings): Promise<Door> {
  const sockets = new Set<Socket>();
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.setNoDelay(true).once('close', () => sockets.delete(socket));
    return socket;
  };
  const door = createServer({ allowHalfOpen: true }, (client) => {
    new Connection({ ...surroundings, client: track(client), server: track(dial(upstream)) });
  });
  await listen(door);
  const { port } = door.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${String(port)}`, stop: () => close(door, sockets) };
}

function dial(upstream: URL): Socket {
  const host = upstream.hostname.replace(/^\[|\]$/g, '');
  const secure = upstream.protocol === 'https:';
  const port = Number(upstream.port || (secure ? 443 : 80));
  return secure ? connectTls({ host, port, servername: host }) : connect({ host, port, allowHalfOpen: true });
}

function listen(door: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    door.once('error', reject);
    door.listen(0, '127.0.0.1', resolve);
  });
}

function close(door: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    door.close(() => resolve());
    for (const socket of sockets) socket.destroy();
  });
}
