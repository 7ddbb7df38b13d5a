import { type Server, createServer } from 'node:http';
import { Gauge, Registry, collectDefaultMetrics } from 'prom-client';

interface Observed {
  readonly sessions: number;
  readonly rooms: number;
}

/** /healthz and /metrics, for the operator; to be listened to on loopback only. Not yet listening. */
export function createAdmin(observed: Observed, health: () => 'ok' | 'draining'): Server {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauge = (name: string, help: string, read: () => number): void => {
    registry.registerMetric(
      new Gauge({
        name,
        help,
        registers: [],
        collect() {
          this.set(read());
        },
      }),
    );
  };
  gauge('porthouse_sessions', 'Sessions that are alive', () => observed.sessions);
  gauge('porthouse_rooms', 'Rooms that exist', () => observed.rooms);
  return createServer((request, response) => {
    if (request.url === '/healthz') {
      const state = health();
      response.writeHead(state === 'ok' ? 200 : 503, { 'content-type': 'text/plain' }).end(`${state}\n`);
    } else if (request.url === '/metrics') {
      registry.metrics().then(
        (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
        () => response.writeHead(500).end(),
      );
    } else response.writeHead(404).end();
  });
}
