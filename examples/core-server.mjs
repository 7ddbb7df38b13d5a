// A small Porthouse server: the profiles `core` and `websocket`, made from spec/protocol and schemas/ alone. To start
// your own from. node examples/core-server.mjs [--port 8791]; PORTHOUSE_TOKENS="token=account,..." says who may enter.
// Here is HTTP (discovery.md, the endpoints of opening.md and websocket.md). In core-server/ are house (rooms, who may
// enter), session (tickets, life, fences), pipe (counting, routing), log (events), sibling (bind, calls in and events
// out), calls (the methods), sockets (what `ws` is told), registry (schemas, errors, limits).
import { createServer, ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';
import { House } from './core-server/house.mjs';
import { digest, ERRORS, faultOf, LIMITS, Refusal } from './core-server/registry.mjs';
import { Sibling, SERVER } from './core-server/sibling.mjs';
import { accept } from './core-server/sockets.mjs';

const PIPE = 'porthouse.pipe.v1';
const SIBLING = 'porthouse.sibling.v1';
const TICKET = 'porthouse.ticket.';

const { values: options } = parseArgs({ options: { port: { type: 'string', default: '0' } } });
const pairs = (process.env.PORTHOUSE_TOKENS ?? 'dev.a=a,dev.b=b').split(',').filter((pair) => pair.includes('='));
// A token may end in `=`, an account may not contain one.
const house = new House(
  pairs.map((pair) => [pair.slice(0, pair.lastIndexOf('=')), pair.slice(pair.lastIndexOf('=') + 1)]),
);

const DISCOVERY = {
  protocol: 'porthouse',
  versions: [1],
  server: SERVER,
  profiles: ['core', 'websocket'],
  endpoints: {
    sessions: '/porthouse/v1/sessions',
    pipe: { websocket: '/porthouse/v1/pipe' },
    sibling: { websocket: '/porthouse/v1/sibling' },
  },
  subprotocols: { pipe: PIPE, sibling: SIBLING },
  formats: ['text', 'json', 'binary'],
  features: {},
  limits: LIMITS,
  errors: Object.fromEntries([...ERRORS].map(([name, { code }]) => [name, code])),
};

/** What is served: the methods of each path, and a function of a request that gives a Refusal if there is a reason. */
const ROUTES = new Map([
  ['/.well-known/porthouse', { allow: ['GET', 'HEAD'], anybody: true, serve: ({ res }) => json(res, 200, DISCOVERY) }],
  [DISCOVERY.endpoints.sessions, { allow: ['POST'], serve: askForSession }],
  [DISCOVERY.endpoints.pipe.websocket, { allow: ['GET'], serve: openPipe, socket: true }],
  [DISCOVERY.endpoints.sibling.websocket, { allow: ['GET'], serve: openSibling, socket: true }],
]);

function json(res, status, body) {
  const text = JSON.stringify(body);
  res.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }).end(text);
}

/** The form of every refusal over HTTP, before an upgrade too (HTTP-1). */
function refuse(res, { name, code, http, message, data }) {
  if (name === 'unauthenticated') res.setHeader('WWW-Authenticate', 'Bearer');
  if (name === 'upgrade_required') {
    const headers = { Connection: 'Upgrade, close', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' };
    for (const [header, value] of Object.entries(headers)) res.setHeader(header, value);
  }
  json(res, http, { error: { name, code, message, data } });
}

// DNS rebinding and pages of other origins (WS-6, WS-7). This server listens on loopback only, and lists no origin.
const ourHost = (host) => /^(localhost|127\.0\.0\.1|\[::1\])(:\d*)?$/i.test(host);
const ourOrigin = ({ origin, host }) => origin === undefined || origin.toLowerCase() === `http://${host}`.toLowerCase();

const pathOf = (req) => /^(?:https?:\/\/[^/?]*)?([^?]*)/i.exec(req.url)[1];

/** Looks for faults in the order of discovery.md, "Refusals over HTTP". */
function answer(exchange) {
  const { req, res } = exchange;
  const path = pathOf(req);
  const route = ROUTES.get(path);
  if (path === DISCOVERY.endpoints.sessions) res.setHeader('Cache-Control', 'no-store');
  if (!ourHost(req.headers.host)) return refuse(res, new Refusal('host_refused'));
  if (route === undefined) return refuse(res, new Refusal('not_found'));
  if (!route.anybody && !ourOrigin(req.headers)) return refuse(res, new Refusal('origin_refused'));
  if (!route.allow.includes(req.method)) {
    res.setHeader('Allow', route.allow.join(', '));
    return refuse(res, new Refusal('method_not_allowed'));
  }
  const refusal = route.serve(exchange);
  return refusal instanceof Refusal ? refuse(res, refusal) : undefined;
}

// The sessions endpoint (opening.md).

function askForSession({ req, res }) {
  const [type] = (req.headers['content-type'] ?? '').split(';');
  if (type.trim().toLowerCase() !== 'application/json') return new Refusal('unsupported_media_type');
  return read(req, (body) => {
    const grant = body instanceof Refusal ? body : grantFor(body, req.headers.authorization);
    if (grant instanceof Refusal) refuse(res, grant);
    else json(res, 201, grant);
  });
}

/** The body, or a refusal as soon as it is too long; what comes after that is read and forgotten (OPEN-6). */
function read(req, done) {
  const chunks = [];
  let left = LIMITS.httpBodyBytes;
  const tooLarge = () => done(new Refusal('body_too_large', { limit: LIMITS.httpBodyBytes }));
  if (Number(req.headers['content-length']) > left) {
    req.resume();
    return tooLarge();
  }
  req.on('data', (chunk) => {
    const within = left >= 0;
    left -= chunk.length;
    if (left >= 0) chunks.push(chunk);
    else if (within) tooLarge();
  });
  return req.on('end', () => left >= 0 && done(Buffer.concat(chunks)));
}

/** A grant or a Refusal. A request with a bad token is not an anonymous one (OPEN-7). */
function grantFor(body, authorization) {
  let request;
  try {
    request = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body));
  } catch {
    return new Refusal('parse_error');
  }
  const [, token = ''] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
  const account = house.accountOf(token);
  if (authorization !== undefined && account === undefined) return new Refusal('unauthenticated');
  const pointer = faultOf('http/session-request.json', request);
  return pointer === undefined ? house.open(request, account) : new Refusal('invalid_params', { pointer });
}

// Pipe and sibling (websocket.md).

/** Subprotocols that are offered, in one header or in several; a Refusal if this is no upgrade to WebSocket (WS-4). */
function offered({ headers }, upgrade) {
  const { 'sec-websocket-version': version, 'sec-websocket-key': key, 'sec-websocket-protocol': names = '' } = headers;
  if (!upgrade || version !== '13') return new Refusal('upgrade_required');
  if (!/^[A-Za-z0-9+/]{22}==$/.test(key)) return new Refusal('invalid_request');
  return names.split(',').map((name) => name.trim());
}

function openPipe({ req, upgrade }) {
  const names = offered(req, upgrade);
  if (names instanceof Refusal) return names;
  const tickets = names.filter((name) => name.startsWith(TICKET));
  if (!names.includes(PIPE) || tickets.length !== 1) return new Refusal('subprotocol_required');
  const session = house.tickets.get(digest(tickets[0].slice(TICKET.length)));
  if (session === undefined) return new Refusal('ticket_invalid');
  // From here on the ticket is used, even if the connection breaks off (TICKET-1).
  session.useTicket();
  const rules = { subprotocol: PIPE, maxPayload: session.limits.hardMessageBytes };
  accept({ req, ...upgrade }, rules, (ws) => session.open({ ws, socket: upgrade.socket }));
  return session.settle();
}

function openSibling({ req, upgrade }) {
  const names = offered(req, upgrade);
  if (names instanceof Refusal) return names;
  if (!names.includes(SIBLING)) return new Refusal('subprotocol_required');
  const rules = { subprotocol: SIBLING, maxPayload: LIMITS.siblingMessageBytes };
  return accept({ req, ...upgrade }, rules, (ws) => new Sibling(house, { ws, socket: upgrade.socket }));
}

const server = createServer((req, res) => answer({ req, res }));
server.maxConnections = LIMITS.maxConnections;
server.requestTimeout = 30_000;
server.on('upgrade', (req, socket, head) => {
  const route = ROUTES.get(pathOf(req));
  if (!route?.socket || req.headers.upgrade.toLowerCase() !== 'websocket') return again(req, socket, head);
  const res = new ServerResponse(req);
  res.shouldKeepAlive = false;
  res.on('finish', () => socket.destroySoon());
  socket.on('error', () => socket.destroy());
  answer({ req, res, upgrade: { socket, head } });
  return res.writableEnded && res.assignSocket(socket);
});

/** An upgrade that nobody here takes, such as h2c, may be ignored; Node hands it over all the same, so it goes back. */
function again({ method, url, httpVersion, rawHeaders }, socket, head) {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (!/^(connection|upgrade)$/i.test(rawHeaders[i])) lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  }
  socket.unshift(Buffer.concat([Buffer.from([...lines, '', ''].join('\r\n'), 'latin1'), head]));
  server.emit('connection', socket);
}

server.listen({ host: '127.0.0.1', port: Number(options.port) }, () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
