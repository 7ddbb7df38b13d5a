import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { errors } from '../generated/errors.js';
import type { Discovery, RoomSpec } from '../generated/types.js';
import { createAdmin } from './admin.js';
import { developmentAuthenticator } from './auth/development.js';
import { openFront, over, PIPE_PATH, SIBLING_PATH } from './compose-front.js';
import { FORM_PAGE, formsOf } from './compose-form.js';
import { openStore } from './compose-store.js';
import { type Config, ConfigError } from './config/config.js';
import { announce, type Entry, startEntries } from './compose-entries.js';
import { identityOf, tlsOf } from './compose-tls.js';
import { SESSIONS_PATH } from './http/front.js';
import type { GuardRules } from './http/guard.js';
import { HOOKS_PATH } from './http/hooks.js';
import { Connections } from './listeners/connections.js';
import { openLog } from './log.js';
import type { Authenticator } from './ports/access.js';
import type { Store } from './ports/store.js';
import { type RoomTerms, termsOf } from './router/room-terms.js';
import type { Endpoints } from './router/grants.js';
import { Router } from './router/router.js';
import { systemClock, systemEntropy, systemScheduler } from './system.js';
import { version } from './version.js';

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
  'streams',
] as const;

/** Transports whose tickets are proved and not shown. */
const ASSOCIATED: ReadonlySet<string> = new Set(['udp']);

const EPOCH_BYTES = 12;
const SERVER = { name: 'porthouse-reference-server', version };

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
  const given = { defaults: roomDefaults(config), hardMessageBytes, persistent: store !== null, streams: true };
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

/** By transport; absent where none has several, as for servers that have never heard of it. */
function framingsOf(entries: readonly Entry[]): Pick<Discovery, 'framings'> {
  const framings: NonNullable<Discovery['framings']> = {};
  for (const { transport, framings: own } of entries) if (own) framings[transport] = [...own];
  return Object.keys(framings).length > 0 ? { framings } : {};
}

function discoveryOf(
  { limits, testHooks }: Config,
  { store, entries, endpoints }: { store: Store | null; entries: readonly Entry[]; endpoints: Endpoints },
): Discovery {
  const naked = entries.flatMap((entry) => entry.naked ?? []);
  const transports = Object.keys(endpoints.pipe).filter((transport) => transport !== 'websocket');
  return {
    protocol: 'porthouse',
    versions: [1],
    server: SERVER,
    profiles: [
      ...PROFILES,
      ...transports,
      ...(naked.length > 0 ? ['naked'] : []),
      ...(store ? ['persistence'] : []),
      ...(testHooks ? ['testhooks'] : []),
    ],
    endpoints: {
      sessions: SESSIONS_PATH,
      sibling: endpoints.sibling,
      pipe: endpoints.pipe,
      ...('form' in endpoints.pipe && { form: FORM_PAGE }),
      ...(naked.length > 0 && { naked }),
      ...(testHooks && { hooks: HOOKS_PATH }),
    },
    ...framingsOf(entries),
    subprotocols: { pipe: 'porthouse.pipe.v1', sibling: 'porthouse.sibling.v1' },
    formats: ['text', 'json', 'binary'],
    features: {},
    limits,
    errors: Object.fromEntries(Object.entries(errors).map(([name, { code }]) => [name, code])),
  };
}

interface Place {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
}

async function listen(server: Server, { scheme, host, port }: Place): Promise<string> {
  server.listen(port, host);
  await once(server, 'listening');
  const { address, family, port: actual } = server.address() as AddressInfo;
  return `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${String(actual)}`;
}

function routerOf(config: Config, store: Store | null, endpoints: Endpoints): Router {
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
    streams: true,
    endpoints,
    associated: ASSOCIATED,
  });
}

/** Puts the parts together and starts to listen. Throws what the listeners throw, such as EADDRINUSE. */
export async function startServer(config: Config): Promise<RunningServer> {
  const log = openLog(config.logLevel);
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

function guardOf({ hosts, origins, tls, tlsTerminatedByProxy }: Config): () => GuardRules {
  const scheme = tls || tlsTerminatedByProxy ? 'https' : 'http';
  const rules = { scheme, hosts: ['localhost', '127.0.0.1', '[::1]', ...hosts], origins } as const;
  return () => rules;
}

// Loaded only where there are tokens of that kind: without them it is a tenth of a start.
const authenticatorOf = async ({ auth }: Config): Promise<Authenticator> =>
  auth ? (await import('./auth/jwt.js')).jwtAuthenticator(auth) : developmentAuthenticator;

async function startWith(store: Store | null, config: Config, log: Logger): Promise<RunningServer> {
  const [{ limits }, identity] = [config, identityOf(config.tls)];
  const [clock, entropy] = [systemClock, systemEntropy];
  const endpoints = { pipe: { websocket: PIPE_PATH }, sibling: { websocket: SIBLING_PATH }, framings: {} };
  const router = routerOf(config, store, endpoints);
  const authenticator = await authenticatorOf(config);
  const onError = (error: unknown): void => log.error({ err: error }, 'a request failed');
  const doors = { grants: router, rooms: router, siblings: router, door: router };
  const shared = { authenticator, clock, entropy, limits, server: SERVER, onError, ...doors, ...limits };
  const connections = new Connections(limits.maxConnections);
  const entries = await startEntries({ ...shared, config, connections, tls: tlsOf(identity) });
  const forms = formsOf(config, { ...shared, rooms: router.openRooms });
  const { front, siblings, sockets } = openFront({
    ...shared,
    connections,
    guard: guardOf(config),
    ...(identity && { identity }),
    handlers: forms.map(({ handler }) => handler),
    discovery: discoveryOf(config, { store, entries, endpoints: announce([...entries, ...forms], endpoints) }),
    ...(config.testHooks && { hooks: { ...config.testHooks, ...limits, door: router.hooks } }),
  });
  let health: 'ok' | 'draining' = 'ok';
  const admin = createAdmin(router, () => health);
  const stopped = (error: unknown): never => {
    for (const listener of [front, ...entries]) listener.close(); // or the process would stay, half started
    throw error;
  };
  const url = await listen(front, { ...config, scheme: identity ? 'https' : 'http' }).catch(stopped);
  const adminUrl = await listen(admin, { scheme: 'http', host: '127.0.0.1', port: config.adminPort }).catch(stopped);
  log.info({ url, ...entryUrls(entries), admin: adminUrl, version }, 'listening');
  if (!config.auth) log.warn('DEVELOPMENT MODE: the token dev.<account> makes anyone any account; loopback only');
  return {
    url,
    adminUrl,
    async drain() {
      health = 'draining';
      log.info('draining');
      router.drain({ deadlineMs: limits.drainMs, reconnectAfterMs: RECONNECT_AFTER_MS });
      siblings.drain();
      for (const entry of entries) entry.drain();
      await over([sockets, ...entries.map(({ sockets: own }) => own)], limits.drainMs + LAST_WORDS_MS);
      for (const entry of entries) entry.close();
      front.close();
      front.closeAllConnections();
      admin.close();
      admin.closeAllConnections();
      await store?.close();
    },
  };
}

const entryUrls = (entries: readonly Entry[]): Record<string, string> =>
  Object.fromEntries(entries.flatMap(({ transport, pipe }) => (pipe === undefined ? [] : [[transport, pipe]])));
