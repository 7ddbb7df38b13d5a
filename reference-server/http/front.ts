import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Discovery } from '../../generated/types.js';
import type { Refusal } from '../ports/refusal.js';
import type { UpgradeHandler } from '../ports/upgrade.js';
import type { ExchangeHandler, HttpRefusal } from '../ports/exchange.js';
import { answer, refuse, refuseUpgrade } from './answers.js';
import { exchangeOf } from './exchange.js';
import { type GrantServices, grantFor } from './grants.js';
import { HOOKS_PATH, type HookServices, hookFor } from './hooks.js';
import { type GuardRules, guardHost, guardOrigin } from './guard.js';
import { handshakeFault, offeredProtocols } from './handshake.js';
import { Unanswered } from './unanswered.js';
import { withoutUpgrade } from './without-upgrade.js';

export const SESSIONS_PATH = '/porthouse/v1/sessions';
export const DISCOVERY_PATH = '/.well-known/porthouse';

/** How long a client may take for its request head, and how often that is looked at; bodies have deadlines below. */
const TIMEOUTS = { headersTimeout: 10_000, requestTimeout: 0, connectionsCheckingInterval: 5_000 };
const BODY_MS = 20_000;

/** How long it may take for the TLS handshake, where there is one. */
const HANDSHAKE_MS = 10_000;

export interface FrontOptions extends GrantServices {
  readonly guard: () => GuardRules;
  readonly discovery: Discovery;
  readonly upgrades: readonly UpgradeHandler[];
  /** Certificate and key, in PEM; without them it speaks HTTP in the clear. */
  readonly identity?: { readonly cert: Buffer; readonly key: Buffer };
  /** Takes a connection in, or closes it where there are too many. */
  readonly connections: { admit(socket: Duplex): boolean };
  /** Whoever answers further requests, and sees to it that each comes to an end. */
  readonly handlers?: readonly ExchangeHandler[];
  /** How long a client may take for a body that is read as a whole, in milliseconds; 20,000 unless it is said. */
  readonly bodyMs?: number;
  /** Pages for browsers, by path. */
  readonly pages?: {
    has(path: string): boolean;
    serve(path: string, request: IncomingMessage, response: ServerResponse): void;
  };
  /** Absent where tests have no business. */
  readonly hooks?: HookServices;
  /** A fault of the server's own. */
  readonly onError: (error: unknown) => void;
}

interface Asked {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

const pathOf = (request: IncomingMessage): string => (request.url ?? '/').split('?', 1)[0] ?? '/';

/** The HTTP entry: discovery, grants, and the way to everybody who speaks WebSocket. Not yet listening. */
export function createFront(options: FrontOptions): Server {
  const { identity } = options;
  const server: Server = identity
    ? createSecureServer({ ...TIMEOUTS, ...identity, handshakeTimeout: HANDSHAKE_MS })
    : createServer(TIMEOUTS);
  const inside = identity ? 'secureConnection' : 'connection';
  const unanswered = new Unanswered();
  server.on('connection', (socket: Duplex) => void options.connections.admit(socket));
  server.on('request', (request, response) => {
    unanswered.add(request.socket, response);
    serve(options, request, response).catch((error: unknown) => {
      options.onError(error);
      if (!response.headersSent) refuse(request, response, { refused: 'internal_error' });
    });
  });
  server.on('upgrade', (request, socket, head) => {
    const asked = { request, socket, head };
    const handler = options.upgrades.find(({ path }) => path === pathOf(request));
    // An answer that is still to come would end up amidst the frames.
    if (unanswered.has(socket)) socket.destroy();
    else if (handler) upgrade(options, asked, handler);
    else server.emit(inside, withoutUpgrade(asked));
  });
  return server;
}

async function serve(options: FrontOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = pathOf(request);
  const refusal = guardHost(request, options.guard());
  const handler = options.handlers?.find((each) => each.handles(path));
  if (refusal) refuse(request, response, refusal);
  else if (handler) await handler.serve(exchangeOf(request, response, options));
  else await serveOwn(options, request, response);
}

async function serveOwn(options: FrontOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = pathOf(request);
  hurry(request, options.bodyMs ?? BODY_MS);
  if (path === DISCOVERY_PATH) discover(options, request, response);
  else if (path === SESSIONS_PATH) await grant(options, request, response);
  else if (options.pages?.has(path)) show(options.pages, request, response);
  else if (options.hooks && path.startsWith(`${HOOKS_PATH}/`)) await hook(options.hooks, request, response);
  else if (options.upgrades.some((handler) => handler.path === path)) {
    refuse(request, response, guardEndpoint(options, request, 'GET') ?? { refused: 'upgrade_required' });
  } else refuse(request, response, { refused: 'not_found' });
}

/** Cuts a client off that takes too long for a body which is read as a whole. */
function hurry(request: IncomingMessage, ms: number): void {
  if (request.complete) return;
  const late = setTimeout(() => request.destroy(), ms);
  request.once('close', () => clearTimeout(late)).once('end', () => clearTimeout(late));
}

const notAllowed = (allow: string) => ({ refused: 'method_not_allowed', headers: { allow } }) as const;

function guardEndpoint(options: FrontOptions, request: IncomingMessage, method: string): HttpRefusal | null {
  return request.method === method ? guardOrigin(request, options.guard()) : notAllowed(method);
}

function discover(options: FrontOptions, request: IncomingMessage, response: ServerResponse): void {
  if (request.method === 'GET' || request.method === 'HEAD') answer(response, 200, options.discovery);
  else refuse(request, response, notAllowed('GET, HEAD'));
}

function show(pages: NonNullable<FrontOptions['pages']>, request: IncomingMessage, response: ServerResponse): void {
  if (request.method === 'GET' || request.method === 'HEAD') pages.serve(pathOf(request), request, response);
  else refuse(request, response, notAllowed('GET, HEAD'));
}

async function grant(options: FrontOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const result = guardEndpoint(options, request, 'POST') ?? (await grantFor(request, options));
  if ('refused' in result) refuse(request, response, result);
  else answer(response, 201, result);
}

async function hook(hooks: HookServices, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const result = await hookFor(request, pathOf(request), hooks);
  if ('refused' in result) refuse(request, response, result);
  else answer(response, 200, result);
}

/** For all sockets alike, because each keeps it for as long as it lives. */
function destroy(this: Duplex): void {
  this.destroy();
}

function upgrade(options: FrontOptions, asked: Asked, handler: UpgradeHandler): void {
  const { request, socket } = asked;
  socket.on('error', destroy); // a peer that is gone before it was answered
  const rules = options.guard();
  const refusal = guardHost(request, rules) ?? handshakeFault(request) ?? guardOrigin(request, rules);
  const refused = (why: Refusal): void => refuseUpgrade(socket, why);
  if (refusal) refused(refusal);
  else handler.upgrade({ ...asked, protocols: offeredProtocols(request), refuse: refused });
}
