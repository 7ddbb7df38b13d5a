import { type Server, type ServerResponse, createServer } from 'node:http';
import type { Observed, createMetrics } from './metrics.js';

/**
 * /healthz and /metrics, for the operator; to be listened to on loopback only. Not yet listening. Metrics are collected
 * from the first time on that somebody reads them: to load what collects them is a tenth of a start, and it looks at each
 * collection of garbage.
 */
export function createAdmin(observed: Observed, health: () => 'ok' | 'draining'): Server {
  let metrics: Promise<ReturnType<typeof createMetrics>> | undefined;
  const tell = async (response: ServerResponse): Promise<void> => {
    metrics ??= import('./metrics.js').then((module) => module.createMetrics(observed));
    const registry = await metrics;
    const text = await registry.metrics();
    response.writeHead(200, { 'content-type': registry.contentType }).end(text);
  };
  return createServer((request, response) => {
    if (request.url === '/healthz') {
      const state = health();
      response.writeHead(state === 'ok' ? 200 : 503, { 'content-type': 'text/plain' }).end(`${state}\n`);
    } else if (request.url === '/metrics') tell(response).catch(() => response.writeHead(500).end());
    else response.writeHead(404).end();
  });
}
