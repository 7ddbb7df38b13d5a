import { test } from 'tap';
import type { Driver, DriverRecord, Opening } from '../drivers/driver.js';
import { request } from '../drivers/http.js';
import { RecordQueue } from '../drivers/record-queue.js';
import { openerOf } from '../drivers/transports.js';
import { objectAt, parseObject, stringAt } from '../mutants/json.js';
import type { JsonObject } from '../mutants/json.js';
import { startReference } from '../prove/server.js';
import { schemaFault } from '../register.js';
import { DEVELOPMENT_TOKENS } from '../target.js';
import { exampleDiscovery } from './examples.js';
import { PATHS } from './null-server.js';
import type { RunningNull } from './null-server.js';
import { nullServers } from './registry.js';

const discovery = exampleDiscovery();

async function using(name: string, work: (running: RunningNull) => Promise<void>, good?: URL): Promise<void> {
  const server = nullServers.find((each) => each.name === name);
  if (server === undefined) throw new Error(`no null server is called ${name}`);
  const running = await server.start({ discovery, ...(good === undefined ? {} : { good }) });
  try {
    await work(running);
  } finally {
    await running.stop();
  }
}

/** A grant over a transport, as a client asks for it. */
async function grantOver({ url }: RunningNull, transport: string): Promise<JsonObject> {
  const headers = [
    ['Content-Type', 'application/json'],
    ['Authorization', `Bearer ${DEVELOPMENT_TOKENS[0]}`],
  ] as const;
  const body = JSON.stringify({ room: `ports-${transport}`, create: {}, transport });
  const answer = await request({ url: new URL(PATHS.sessions, url), method: 'POST', headers, body });
  return parseObject('body' in answer ? answer.body : Buffer.alloc(0)) ?? {};
}

interface Talk {
  readonly driver: Driver;
  readonly records: RecordQueue<DriverRecord>;
  readonly result: Opening['result'];
}

/** Opens a pipe with a grant, by the kit's own driver. */
function openWith(grant: JsonObject): Talk {
  const records = new RecordQueue<DriverRecord>();
  const text = (key: string): string => stringAt(grant, key) ?? '';
  const opening = openerOf(
    'pipe',
    text('transport'),
  )({
    kind: 'pipe',
    url: new URL(stringAt(objectAt(grant, 'endpoints'), 'pipe') ?? ''),
    ticket: text('pipeTicket'),
    siblingSecret: text('siblingSecret'),
    udpAssoc: stringAt(grant, 'udpAssoc'),
    framing: stringAt(grant, 'framing'),
    protocols: undefined,
    headers: [],
    omit: [],
    signal: AbortSignal.timeout(5000),
    onRecord: records.push,
  });
  return { driver: opening.driver, records, result: opening.result };
}

const ahoy = { kind: 'text', payload: Buffer.from('ahoy') } as const;

for (const transport of ['tcp', 'udp', 'ftp']) {
  test(`a parrot opens pipes over ${transport}, and gives back what it is sent`, async (t) => {
    await using('parrot', async (running) => {
      const grant = await grantOver(running, transport);
      t.equal(schemaFault('http/grant', grant), undefined);
      const { driver, records, result } = openWith(grant);
      t.match(await result, { type: 'opened' });
      driver.send(ahoy);
      const seen: DriverRecord[] = [];
      while (seen.at(-1)?.type !== 'message') seen.push(await records.next());
      t.match(seen.at(-1), ahoy);
      t.notOk(seen.some(({ type }) => type === 'violation'));
      driver.cut();
    });
  });
}

test('the other null servers are null over every transport, each in its manner', async (t) => {
  const declared = async ({ url }: RunningNull): Promise<JsonObject> => {
    const answer = await request({ url: new URL(PATHS.discovery, url) });
    const body = parseObject('body' in answer ? answer.body : Buffer.alloc(0)) ?? {};
    t.equal(schemaFault('http/discovery', body), undefined);
    return objectAt(objectAt(body, 'endpoints'), 'pipe');
  };
  const attempt = async (pipes: JsonObject, transport: string): Promise<Talk> => {
    const talk = openWith({
      transport,
      framing: 'line',
      pipeTicket: 'YQ',
      siblingSecret: 'YQ',
      udpAssoc: 'AAAAAAAAAAA',
      endpoints: { pipe: pipes[transport] },
    });
    await talk.result;
    return talk;
  };
  await using('echo', async (running) => {
    const pipes = await declared(running);
    const { driver, records } = await attempt(pipes, 'tcp');
    t.match(await records.next(), { type: 'message', payload: Buffer.from('PH1 YQ line') });
    driver.cut();
  });
  await using('constant', async (running) => {
    const pipes = await declared(running);
    const { driver, records } = await attempt(pipes, 'tcp');
    t.match(await records.next(), { type: 'message', payload: Buffer.from('constant') });
    driver.cut();
    const ftp = await attempt(pipes, 'ftp');
    t.match(await ftp.result, { type: 'refused', status: 200 });
  });
  await using('reject-all', async (running) => {
    const { result } = await attempt(await declared(running), 'ftp');
    t.match(await result, { type: 'refused', status: 530 });
  });
});

test('a server that is null by half is good over WebSocket and nothing else', async (t) => {
  const good = await startReference();
  await using(
    'accept-ports',
    async (running) => {
      const grants = ['tcp', 'udp', 'ftp'].map((transport) => grantOver(running, transport));
      for (const grant of await Promise.all(grants)) {
        const real = parseObject(Buffer.from(JSON.stringify(grant))) ?? {};
        t.match(real, { sid: /^s_/ });
        const { driver, result } = openWith(grant);
        t.match(await result, { type: 'opened' }, stringAt(grant, 'transport') ?? '');
        driver.send(ahoy);
        t.ok(await driver.written(), 'it takes everything');
        driver.cut();
      }
    },
    good.url,
  );
  await good.stop();
});
