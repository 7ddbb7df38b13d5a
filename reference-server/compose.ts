import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Logger, pino } from 'pino';
import { errors } from '../generated/errors.js';
import type { Discovery, RoomSpec } from '../generated/types.js';
import { createAdmin } from './admin.js';
import { developmentAuthenticator } from './auth/development.js';
import { openStore } from './compose-store.js';
import { type Config, ConfigError } from './config/config.js';
import { createFront, SESSIONS_PATH } from './http/front.js';
import { HOOKS_PATH } from './http/hooks.js';
import { WebSocketIngress } from './ingress/websocket/ingress.js';
import type { Authenticator } from './ports/access.js';
import type { Store } from './ports/store.js';
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
  'drain',
] as const;
const EPOCH_BYTES = 12;

/** How soon clients may come back after a drain; a restart takes about that long. */
const RECONNECT_AFTER_MS = 1000;

/** Behind the deadline of a drain, for what is said at the deadline to leave. */
const LAST_WORDS_MS = 250;

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
function roomsOf(config: Config, store: Store | null): { name: string; spec: RoomSpec }[] {
  const { hardMessageBytes } = config.limits;
  const given = { defaults: roomDefaults(config), hardMessageBytes, persistent: store !== null };
  const taken = store?.kept.find(({ name }) => Object.hasOwn(config.rooms, name));
  if (taken) throw new ConfigError(`rooms/${taken.name}: a client has made a persistent room of that name`);
  return Object.entries(config.rooms).map(([name, spec]) => {
    const terms = termsOf(spec, given);
    if (!('refused' in terms)) return { name, spec };
    const place = terms.pointer?.replace('/create', '') ?? '';
    throw new ConfigError(
      `rooms/${name}${place}: ${terms.refused === 'not_supported' ? 'not supported' : 'too large'}`,
    );
  });
}

function discoveryOf({ limits, testHooks }: Config, store: Store | null): Discovery {
  return {
    protocol: 'porthouse',
    versions: [1],
    server: { name: 'porthouse-reference-server', version },
    profiles: [...PROFILES, ...(store ? ['persistence'] : []), ...(testHooks ? ['testhooks'] : [])],
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

async function listen(server: Server, host: string, port: number): Promise<string> {
  server.listen(port, host);
  await once(server, 'listening');
  const { address, family, port: actual } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${String(actual)}`;
}

function routerOf(config: Config, store: Store | null): Router {
  const context = {
    clock: systemClock,
    scopedClocks: config.testHooks !== null,
    entropy: systemEntropy,
    scheduler: systemScheduler,
    limits: config.limits,
    eventEpoch: systemEntropy.bytes(EPOCH_BYTES).toString('base64url'),
  };
  return new Router(context, {
    roomDefaults: roomDefaults(config),
    rooms: roomsOf(config, store),
    store,
    endpoints: { pipe: PIPE_PATH, sibling: { websocket: SIBLING_PATH } },
  });
}

/** Puts the parts together and starts to listen. Throws what the listeners throw, such as EADDRINUSE. */
export async function startServer(config: Config): Promise<RunningServer> {
  const log = pino({ level: config.logLevel }, pino.destination(2));
  const failed = (error: unknown): void =>
    log.fatal({ err: error }, 'the store failed: until a restart nothing about persistent rooms can change');
  const store = config.dataDir === null ? null : await openStore(config.dataDir, failed);
  try {
    return await startWith(store, config, log);
  } catch (error) {
    await store?.close();
    throw error;
  }
}

// Loaded only where there are tokens of that kind: without them it is a tenth of a start.
const authenticatorOf = async ({ auth }: Config): Promise<Authenticator> =>
  auth ? (await import('./auth/jwt.js')).jwtAuthenticator(auth) : developmentAuthenticator;

async function startWith(store: Store | null, config: Config, log: Logger): Promise<RunningServer> {
  const { limits } = config;
  const [clock, entropy] = [systemClock, systemEntropy];
  const router = routerOf(config, store);
  const authenticator = await authenticatorOf(config);
  const server = { name: 'porthouse-reference-server', version };
  const onError = (error: unknown): void => log.error({ err: error }, 'a request failed');
  const doors = { grants: router, siblings: router, door: router };
  const shared = { authenticator, clock, entropy, limits, server, onError, ...doors, ...limits };
  const siblings = new SiblingWebSockets({ ...shared, path: SIBLING_PATH });
  const hosts = ['localhost', '127.0.0.1', '[::1]', ...config.hosts];
  const front = createFront({
    ...shared,
    guard: () => ({ scheme: config.tlsTerminatedByProxy ? 'https' : 'http', hosts, origins: config.origins }),
    discovery: discoveryOf(config, store),
    ...(config.testHooks && { hooks: { ...config.testHooks, ...limits, door: router.hooks } }),
    upgrades: [new WebSocketIngress({ ...shared, path: PIPE_PATH }), siblings],
  });
  const sockets = upgradedSockets(front);
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
      router.drain({ deadlineMs: limits.drainMs, reconnectAfterMs: RECONNECT_AFTER_MS });
      siblings.drain();
      await over(sockets, limits.drainMs + LAST_WORDS_MS);
      front.close();
      front.closeAllConnections();
      admin.close();
      admin.closeAllConnections();
      await store?.close();
    },
  };
}

/** The connections of a server that are no longer HTTP. */
function upgradedSockets(front: Server): ReadonlySet<Duplex> {
  const sockets = new Set<Duplex>();
  // One listener for all of them: it is there for as long as a connection, and a wrapper of its own is what weighs.
  function gone(this: Duplex): void {
    sockets.delete(this);
  }
  front.on('upgrade', ({ url = '' }, socket) => {
    if (![PIPE_PATH, SIBLING_PATH].includes(url.split('?', 1)[0] ?? '')) return; // goes on as HTTP
    sockets.add(socket);
    socket.on('close', gone);
  });
  return sockets;
}

/** Waits for the last connection to end, at most `ms`, then ends what is left; requests are answered meanwhile. */
async function over(sockets: ReadonlySet<Duplex>, ms: number): Promise<void> {
  const stop = systemClock.after(ms, () => sockets.forEach((socket) => socket.destroy()));
  while (sockets.size > 0) {
    await Promise.all([...sockets].map((socket) => new Promise((gone) => socket.once('close', gone))));
  }
  stop();
}
