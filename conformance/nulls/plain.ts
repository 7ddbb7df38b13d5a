import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Json } from '../mutants/json.js';
import { errorOf } from '../register.js';
import type { NullServer, NullShape, Refusal, RunningNull } from './null-server.js';
import { PATHS, listen, withOwnEndpoints, withPorts } from './null-server.js';
import type { Manner } from './ports.js';
import { openPorts } from './ports.js';
import { acceptUpgrade } from './websocket.js';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

function sendJson(response: ServerResponse, status: number, body: Json): void {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  response.end(JSON.stringify(body));
}

const isDiscovery = (request: IncomingMessage): boolean => request.url === PATHS.discovery;

// Without a listener for `upgrade`, Node hands a request for a WebSocket to the ordinary answer.
async function startHttp(manner: Manner, answer: (declared: DeclaredBy) => Answer): Promise<RunningNull> {
  const ports = await openPorts({ manner });
  return withPorts(await listen(createHttpServer(answer((discovery) => withOwnEndpoints(discovery, ports)))), ports);
}

/** Makes a discovery document the null server's own. */
type DeclaredBy = (discovery: NullShape['discovery']) => Json;

/** Takes connections and ends them at once. */
export const dead: NullServer = {
  name: 'dead',
  what: 'Ends every connection at once.',
  start: () => listen(createServer((socket) => socket.destroy())),
};

/** Takes connections and what they send, and says nothing. */
export const silent: NullServer = {
  name: 'silent',
  what: 'Takes every connection and never answers.',
  start: () => listen(createServer((socket) => socket.resume())),
};

/** Answers everything with one body, which is a discovery document, so that a kit reads on. */
export const constant: NullServer = {
  name: 'constant',
  what: 'Answers every request with 200 and its discovery document, and everything else with one word.',
  start: ({ discovery }) =>
    startHttp('constant', (declared) => (_, response) => sendJson(response, 200, declared(discovery))),
};

/** Repeats whatever it gets, on every entry point but discovery. */
export const echo: NullServer = {
  name: 'echo',
  what: 'Sends back every request body, every WebSocket message, every byte over TCP and FTP, and every datagram.',
  start: ({ discovery }) => startEcho(discovery),
};

async function startEcho(discovery: NullShape['discovery']): Promise<RunningNull> {
  const ports = await openPorts({ manner: 'echo' });
  const server = createHttpServer((request, response) => {
    if (isDiscovery(request)) return sendJson(response, 200, withOwnEndpoints(discovery, ports));
    response.writeHead(200, { 'Content-Type': request.headers['content-type'] ?? 'text/plain' });
    request.pipe(response);
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const peer = acceptUpgrade({ request, socket, head }, ['porthouse.pipe.v1', 'porthouse.sibling.v1']);
    peer.onMessage((message) => peer.send(message));
  });
  return withPorts(await listen(server), ports);
}

/** Refuses everything but discovery in one way, which the caller chooses to please a case. */
export const rejectAll: NullServer = {
  name: 'reject-all',
  what: 'Refuses every request but discovery, with the very status and error that the case waits for, and every client.',
  start: ({ discovery, refusal = { status: 404, error: 'room_not_found' } }) =>
    startHttp('refuse', (declared) => (request, response) => {
      if (isDiscovery(request)) return sendJson(response, 200, declared(discovery));
      response.setHeader('WWW-Authenticate', 'Bearer');
      response.setHeader('Allow', 'GET, POST');
      return sendJson(response, refusal.status, refusalBody(refusal));
    }),
};

function refusalBody({ error: name }: Refusal): Json {
  const code = errorOf(name)?.code ?? 0;
  return { error: { name, code, message: 'refused', data: {} } };
}
