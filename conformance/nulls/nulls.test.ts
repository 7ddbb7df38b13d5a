import { test } from 'tap';
import { WebSocketDriver } from '../drivers/websocket/socket.js';
import type { WebSocketRecord } from '../drivers/websocket/socket.js';
import { request } from '../drivers/http.js';
import { schemaFault } from '../register.js';
import { exampleDiscovery } from './examples.js';
import { PATHS } from './null-server.js';
import type { RunningNull } from './null-server.js';
import { nullServers } from './registry.js';

const discovery = exampleDiscovery();

async function using(name: string, work: (running: RunningNull) => Promise<void>): Promise<void> {
  const server = nullServers.find((each) => each.name === name);
  if (server === undefined) throw new Error(`no null server is called ${name}`);
  const running = await server.start({ discovery, refusal: { status: 409, error: 'room_exists' } });
  try {
    await work(running);
  } finally {
    await running.stop();
  }
}

async function post(running: RunningNull, body: string) {
  const url = new URL(PATHS.sessions, running.url);
  return request({ url, method: 'POST', headers: [['Content-Type', 'application/json']], body });
}

/** Opens a WebSocket and collects records until `enough` says so. */
interface Talk {
  readonly url: URL;
  readonly protocols: readonly string[];
  readonly say?: (driver: WebSocketDriver) => unknown;
  readonly enough: number;
}

async function talk({ url, protocols, say, enough }: Talk) {
  const records: WebSocketRecord[] = [];
  let done: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => (done = resolve));
  const driver = new WebSocketDriver({
    onRecord: (record) => {
      records.push(record);
      if (records.length >= enough) done();
    },
  });
  const opened = await driver.open({ url, subprotocols: protocols });
  say?.(driver);
  if (enough > 0) await finished;
  driver.cut();
  return { opened, records };
}

const textOf = (record: WebSocketRecord | undefined): string =>
  record?.type === 'message' ? record.payload.toString('utf8') : '';

test('a dead server ends every connection', async (t) => {
  await using('dead', async (running) => {
    t.match(await request({ url: running.url }), { type: 'failed' });
  });
});

test('a silent server takes a connection and says nothing until it stops', async (t) => {
  await using('silent', async (running) => {
    const waiting = request({ url: running.url });
    await running.stop();
    t.match(await waiting, { type: 'failed', status: undefined });
  });
});

test('a constant server answers everything with its discovery document', async (t) => {
  await using('constant', async (running) => {
    const first = await request({ url: new URL(PATHS.discovery, running.url) });
    const second = await post(running, '{"room":"lobby"}');
    t.match(first, { status: 200 });
    t.same('body' in second && second.body, 'body' in first && first.body);
  });
});

test('an echo server sends bodies and messages back', async (t) => {
  await using('echo', async (running) => {
    const answer = await post(running, '{"room":"lobby"}');
    t.equal('body' in answer && answer.body.toString(), '{"room":"lobby"}');
    const url = new URL(PATHS.sibling, running.url);
    const { records } = await talk({
      url,
      protocols: ['porthouse.sibling.v1'],
      say: (driver) => driver.send({ kind: 'text', payload: 'hi' }),
      enough: 1,
    });
    t.equal(textOf(records[0]), 'hi');
  });
});

test('a refusing server refuses as it is told, with a body of the right shape', async (t) => {
  await using('reject-all', async (running) => {
    const answer = await post(running, '{}');
    t.match(answer, { status: 409 });
    const body: unknown = 'body' in answer ? JSON.parse(answer.body.toString()) : undefined;
    t.match(body, { error: { name: 'room_exists', code: 1004 } });
    t.equal(schemaFault('http/refusal', body), undefined);
  });
});

test('a server that accepts all gives valid grants, a fresh hello, valid results, and delivers nothing', async (t) => {
  await using('accept-all', async (running) => {
    const answer = await post(running, '{"room":"somewhere","transport":"websocket"}');
    const grant = JSON.parse('body' in answer ? answer.body.toString() : '{}') as Record<string, unknown>;
    t.equal(schemaFault('http/grant', grant), undefined);
    t.match(grant, { room: 'somewhere' });
    const pipe = ['porthouse.pipe.v1', `porthouse.ticket.${String(grant['pipeTicket'])}`];
    const { opened } = await talk({ url: new URL(PATHS.pipe, running.url), protocols: pipe, enough: 0 });
    t.match(opened, { type: 'opened', subprotocol: 'porthouse.pipe.v1' });
    const calls = [
      { jsonrpc: '2.0', id: 1, method: 'sibling.bind', params: { sid: grant['sid'], channel: 'command' } },
      { jsonrpc: '2.0', id: 2, method: 'fence', params: { after: { epoch: 1, c2s: 3 } } },
    ];
    const { records } = await talk({
      url: new URL(PATHS.sibling, running.url),
      protocols: ['porthouse.sibling.v1'],
      say: (driver) => {
        for (const call of calls) driver.send({ kind: 'text', payload: JSON.stringify(call) });
      },
      enough: 3,
    });
    const [hello, bound, fenced] = records.map((record) => JSON.parse(textOf(record)) as Record<string, unknown>);
    t.equal(schemaFault('events/sibling.hello', hello?.['params']), undefined);
    t.equal(schemaFault('calls/sibling.bind.result', bound?.['result']), undefined);
    t.equal(schemaFault('calls/fence.result', fenced?.['result']), undefined);
    t.match(fenced, { id: 2, result: { c2sReceived: 3, c2sRouted: 3 } });
  });
});

test('a parrot repeats to the sender what it sent', async (t) => {
  await using('parrot', async (running) => {
    const url = new URL(PATHS.pipe, running.url);
    const say = (driver: WebSocketDriver) => driver.send({ kind: 'binary', payload: Buffer.of(1, 2) });
    const { records } = await talk({ url, protocols: ['porthouse.pipe.v1'], say, enough: 1 });
    t.match(records, [{ type: 'message', kind: 'binary', payload: Buffer.of(1, 2) }]);
  });
});
