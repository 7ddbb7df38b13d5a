import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { DriverRecord, MessageKind } from '../driver.js';
import { codecOf } from './framing.js';
import { openTcp } from './open.js';

const vectorsUrl = new URL('../../../spec/vectors/tcp.json', import.meta.url);
const scriptPath = fileURLToPath(new URL('../../../spec/vectors/make-tcp.sh', import.meta.url));

const { preamble, vectors } = JSON.parse(readFileSync(vectorsUrl, 'utf8')) as {
  preamble: { ticket: string; framing: string; wire: string };
  vectors: { name: string; framing: string; kind: MessageKind; payload: string; wire: string }[];
};

void t.test('the vectors are what their script prints', (t) => {
  const printed: unknown = JSON.parse(execFileSync('sh', [scriptPath], { encoding: 'utf8' }));
  t.same(printed, { encoding: 'payload, wire and preamble are hex', preamble, vectors });
  t.end();
});

void t.test('codecs write and read the vectors, also a byte at a time', (t) => {
  for (const { name, framing, kind, payload, wire } of vectors) {
    const message = { kind, payload: Buffer.from(payload, 'hex') };
    const bytes = Buffer.from(wire, 'hex');
    t.equal(codecOf(framing).encode(message).toString('hex'), wire, name);
    const codec = codecOf(framing);
    t.same(
      [...bytes].flatMap((byte) => codec.push(Buffer.from([byte]))),
      [message],
      name,
    );
    t.equal(codec.pendingBytes, 0);
  }
  const codec = codecOf('frame');
  t.same(codec.push(Buffer.from('0400000061', 'hex')), []);
  t.equal(codec.broken, 'frame_kind');
  t.end();
});

interface Talk {
  readonly records: DriverRecord[];
  readonly said: string;
}

/** What a driver reports of a server that does something with the connection. */
async function talk(framing: string, act: (socket: Socket) => void): Promise<Talk> {
  let said = '';
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      said += String(data);
      act(socket);
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const records: DriverRecord[] = [];
  await new Promise<void>((resolve) => {
    const onRecord = (record: DriverRecord): void => {
      records.push(record);
      if (record.type === 'eof' || record.type === 'reset') resolve();
    };
    const way = { kind: 'pipe', url: new URL(`tcp://127.0.0.1:${String(port)}`), ticket: preamble.ticket } as const;
    const rest = {
      siblingSecret: '',
      protocols: undefined,
      headers: [],
      omit: [],
      signal: new AbortController().signal,
    };
    void openTcp({ ...way, ...rest, framing, onRecord }).result;
  });
  server.close();
  return { records, said };
}

void t.test('a driver shows its ticket, reports what comes, and tells an end in order from a break', async (t) => {
  const ended = await talk('line', (socket) => socket.end('ahoy\nunfin'));
  t.equal(Buffer.from(ended.said).toString('hex'), preamble.wire);
  t.same(ended.records, [
    { type: 'message', kind: 'text', payload: Buffer.from('ahoy') },
    { type: 'violation', what: 'unfinished_message' },
    { type: 'eof', unfinishedBytes: 5 },
  ]);
  const broken = await talk('raw', (socket) => socket.write('ahoy', () => socket.resetAndDestroy()));
  t.match(broken.records, [{ type: 'message', kind: 'binary' }, { type: 'reset' }]);
});
