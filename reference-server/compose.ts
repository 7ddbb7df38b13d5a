import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { pino } from 'pino';
import { errors } from '../generated/errors.js';
import type { Discovery, RoomSpec } from '../generated/types.js';
import { createAdmin } from './admin.js';
import { developmentAuthenticator } from './auth/development.js';
import { jwtAuthenticator } from './auth/jwt.js';
import { type Config, ConfigError } from './config/config.js';
import { createFront, SESSIONS_PATH } from './http/front.js';
import { HOOKS_PATH } from './http/hooks.js';
import { WebSocketIngress } from './ingress/websocket/ingress.js';
import type { RouterContext } from './router/context.js';
import { type RoomTerms, termsOf } from './router/room-terms.js';
import { Router } from './router/router.js';
import { SiblingWebSockets } from './sibling/websocket.js';
import { systemClock, systemEntropy, systemScheduler } from './system.js';
import { version } from './version.js';

const PIPE_PATH = '/porthouse/v1/pipe';
const SIBLING_PATH = '/porthouse/v1/sibling';
const PROFILES = [
  'core',
  'websocket',
  'formats',
  'policies',
  'anonymous',
  'receipts',
  'debug',
  'switching',
  'agents',
  'rooms',
] as const;
const EPOCH_BYTES = 12;

/** How soon clients may come back after a drain; a restart takes about that long. */
const RECONNECT_AFTER_MS = 1000;

/** A running server. */
export interface RunningServer {
  /** Where clients begin: `<url>/.well-known/porthouse`. */
  readonly url: string;
  readonly adminUrl: string;
  /** Tells every client, delivers what is under way, and stops. */
  drain(): Promise<void>;
}

function roomDefaults({ limits }: Config): RoomTerms {
  const { maxMessageBytes, maxMembers, maxQueuedMessages, maxQueuedBytes } = limits;
  return {
    visibility: 'public',
    lifetime: 'transient',
    format: 'any',
    onMismatch: 'reject',
    boundaries: 'kept',
    anonymous: { send: false, receive: false },
    echo: false,
    slowConsumer: 'close',
    limits: { maxMessageBytes, maxMembers, maxQueuedMessages, maxQueuedBytes },
  };
}

/** Rooms from the settings, which are held to the same rules as those of a client. */
function roomsOf(config: Config): { name: string; spec: RoomSpec }[] {
  const given = { defaults: roomDefaults(config), hardMessageBytes: config.limits.hardMessageBytes };
  return Object.entries(config.rooms).map(([name, spec]) => {
    const terms = termsOf(spec, given);
    if (!('refused' in terms)) return { name, spec };
    const place = terms.pointer?.replace('/create', '') ?? '';
    throw new ConfigError(
      `rooms/${name}${place}: ${terms.refused === 'not_supported' ? 'not supported' : 'too large'}`,
    );
  });
}

function discoveryOf({ limits, testHooks }: Config): Discovery {
  return {
    protocol: 'porthouse',
    versions: [1],
    server: { name: 'porthouse-reference-server', version },
    profiles: [...PROFILES, ...(testHooks ? ['testhooks'] : [])],
    endpoints: {
      sessions: SESSIONS_PATH,
      sibling: { websocket: SIBLING_PATH },
      pipe: { websocket: PIPE_PATH },
      ...(testHooks && { hooks: HOOKS_PATH }),
    },
    subprotocols: { pipe: 'porthouse.pipe.v1', sibling: 'porthouse.sibling.v1' },
    formats: ['text', 'json', 'binary'],
    features: {},
    limits,
    errors: Object.fromEntries(Object.entries(errors).map(([name, { code }]) => [name, code])),
  };
}

function contextOf({ limits, testHooks }: Config): RouterContext {
  const [clock, scheduler, entropy] = [systemClock, systemScheduler, systemEntropy];
  const eventEpoch = entropy.bytes(EPOCH_BYTES).toString('base64url');
  return { clock, scopedClocks: testHooks !== null, scheduler, entropy, limits, eventEpoch };
}

async function listen(server: Server, host: string, port: number): Promise<string> {
  server.listen(port, host);
  await once(server, 'listening');
  const { address, family, port: actual } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${String(actual)}`;
}

/** Puts the parts together and starts to listen. Throws what the listeners throw, such as EADDRINUSE. */
export async function startServer(config: Config): Promise<RunningServer> {
  const log = pino({ level: config.logLevel }, pino.destination(2));
  const { limits } = config;
  const context = contextOf(config);
  const { clock, entropy } = context;
  const router = new Router(context, {
    roomDefaults: roomDefaults(config),
    rooms: roomsOf(config),
    endpoints: { pipe: PIPE_PATH, sibling: { websocket: SIBLING_PATH } },
  });
  const authenticator = config.auth ? jwtAuthenticator(config.auth) : developmentAuthenticator;
  const server = { name: 'porthouse-reference-server', version };
  const onError = (error: unknown): void => log.error({ err: error }, 'a request failed');
  const doors = { grants: router, siblings: router, door: router };
  const shared = { authenticator, clock, entropy, limits, server, onError, ...doors, ...limits };
  const siblings = new SiblingWebSockets({ ...shared, path: SIBLING_PATH });
  const hosts = ['localhost', '127.0.0.1', '[::1]', ...config.hosts];
  const front = createFront({
    ...shared,
    guard: () => ({ scheme: config.tlsTerminatedByProxy ? 'https' : 'http', hosts, origins: config.origins }),
    discovery: discoveryOf(config),
    ...(config.testHooks && { hooks: { ...config.testHooks, ...limits, door: router.hooks } }),
    upgrades: [new WebSocketIngress({ ...shared, path: PIPE_PATH }), siblings],
  });
  const sockets = socketsOf(front);
  let health: 'ok' | 'draining' = 'ok';
  const admin = createAdmin(router, () => health);
  const url = await listen(front, config.host, config.port);
  const adminUrl = await listen(admin, '127.0.0.1', config.adminPort).catch((error: unknown) => {
    front.close(); // or the process would stay, half started
    throw error;
  });
  log.info({ url, admin: adminUrl, version }, 'listening');
  if (!config.auth) log.warn('DEVELOPMENT MODE: the token dev.<account> makes anyone any account; loopback only');
  return {
    url,
    adminUrl,
    async drain() {
      health = 'draining';
      log.info('draining');
      front.close();
      router.drain({ deadlineMs: limits.drainMs, reconnectAfterMs: RECONNECT_AFTER_MS });
      siblings.drain();
      await closed(front, { sockets, ms: limits.drainMs });
      admin.close();
      admin.closeAllConnections();
    },
  };
}

/** The connections of a server, those included that are no longer HTTP. */
function socketsOf(front: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  front.on('connection', (socket: Socket) => {
    if (sockets.has(socket)) return; // put back, without its offer to change the protocol
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}

/** Waits for the last connection to end, at most `ms`, then ends what is left. */
async function closed(front: Server, wait: { sockets: ReadonlySet<Socket>; ms: number }): Promise<void> {
  const stop = systemClock.after(wait.ms, () => wait.sockets.forEach((socket) => socket.destroy()));
  await new Promise<void>((resolve) => front.close(() => resolve()));
  stop();
}
