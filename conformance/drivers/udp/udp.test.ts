import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../../support/package-root.js';
import type { DriverRecord, Way } from '../driver.js';
import type { UdpKeys } from './codec.js';
import { TYPES, decodeUdp, encodeUdp, udpKeys } from './codec.js';
import type { Impairment } from './impairment.js';
import { ImpairedNetwork } from './impairment.js';
import { openUdp } from './open.js';

interface Vector {
  readonly siblingSecret: string;
  readonly pipeTicket: string;
  readonly udpAssoc: string;
  readonly c2s: string;
  readonly s2c: string;
  readonly datagrams: readonly {
    readonly dir: keyof UdpKeys;
    readonly type: keyof typeof TYPES;
    readonly seq: number;
    readonly payload: string;
    readonly datagram: string;
  }[];
}

const file = join(packageRoot(), 'spec/vectors/udp.json');
const { associations } = JSON.parse(readFileSync(file, 'utf8')) as { associations: readonly [Vector, ...Vector[]] };

void t.test('the codec makes and reads the datagrams of the vectors', (t) => {
  for (const { siblingSecret, pipeTicket, udpAssoc, c2s, s2c, datagrams } of associations) {
    const keys = udpKeys(siblingSecret, pipeTicket);
    t.same([keys.c2s.toString('hex'), keys.s2c.toString('hex')], [c2s, s2c]);
    for (const { dir, type, seq, payload, datagram } of datagrams) {
      const assoc = Buffer.from(udpAssoc, 'base64url');
      const made = encodeUdp({ type: TYPES[type], assoc, seq, payload: Buffer.from(payload, 'hex') }, keys[dir]);
      t.equal(made.toString('hex'), datagram, type);
      t.match(decodeUdp(made, keys[dir]), { type: TYPES[type], seq, payload: Buffer.from(payload, 'hex'), assoc });
      t.equal(decodeUdp(made, keys[dir === 'c2s' ? 's2c' : 'c2s']), 'datagram_with_a_wrong_mac');
    }
  }
  t.equal(decodeUdp(Buffer.alloc(23), Buffer.alloc(32)), 'datagram_too_short');
  t.equal(decodeUdp(Buffer.alloc(1201), Buffer.alloc(32)), 'datagram_too_long');
  t.equal(decodeUdp(Buffer.alloc(24), Buffer.alloc(32)), 'datagram_of_another_protocol');
  t.end();
});

/** The numbers that come out of a network into which 1 to `count` went. */
function through(impairment: Impairment | undefined, count: number): { out: number[]; lost: number[] } {
  const network = new ImpairedNetwork(impairment);
  const out: number[] = [];
  const lost: number[] = [];
  for (let n = 1; n <= count; n++) {
    if (network.peek().lost) lost.push(n);
    network.carry(() => out.push(n));
  }
  network.flush();
  return { out, lost };
}

void t.test('an impaired network does the same harm for the same seed, and what it was told to do', (t) => {
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
  t.same(through(undefined, 50).out, upTo(50));
  t.same(through({ seed: 5 }, 50).out, upTo(50));
  const harm = { seed: 5, lose: 20, repeat: 20, late: 10 };
  t.same(through(harm, 500), through(harm, 500));
  t.notSame(through(harm, 500).out, through({ ...harm, seed: 6 }, 500).out);
  const { out, lost } = through(harm, 500);
  t.ok(lost.length > 50 && lost.length < 150, 'about one in five is lost');
  t.same(
    [...new Set(out)].sort((a, b) => a - b),
    upTo(500).filter((n) => !lost.includes(n)),
    'and no other',
  );
  t.ok(out.length - new Set(out).size > 50, 'some come twice');
  const furthest = Math.max(...out.map((n, index) => Math.max(...out.slice(0, index + 1)) - n));
  t.ok(furthest > 0 && furthest <= 20, 'and late, but not by much');
  t.end();
});

void t.test('the driver opens by the book, and tells on a server that does not keep to it', async (t) => {
  const [{ siblingSecret, pipeTicket, udpAssoc }] = associations;
  const keys = udpKeys(siblingSecret, pipeTicket);
  const assoc = Buffer.from(udpAssoc, 'base64url');
  const server = createSocket('udp4');
  const say = (port: number, type: number, { seq = 1, text = '' } = {}): void =>
    server.send(encodeUdp({ type, assoc, seq, payload: Buffer.from(text, 'latin1') }, keys.s2c), port, '127.0.0.1');
  server.on('message', (bytes, { port }) => {
    const read = decodeUdp(bytes, keys.c2s);
    if (typeof read === 'string') throw new Error(read);
    if (read.type === TYPES.OPEN) {
      say(port, TYPES.TEXT, { seq: 1, text: 'too early' });
      say(port, TYPES.CHALLENGE, { seq: read.seq, text: 'sixteen-bytes-ok' });
    } else if (read.type === TYPES.RESPONSE) say(port, TYPES.PONG, { seq: read.seq, text: '' });
    else if (read.type === TYPES.TEXT) {
      say(port, TYPES.PONG, { seq: 77, text: 'for nothing' });
      say(port, TYPES.TEXT, { seq: 3, text: 'out of turn' });
      server.send(Buffer.alloc(30), port, '127.0.0.1');
      say(port, TYPES.CLOSE, { seq: 1, text: '\u0003\u00e8' });
      say(port, TYPES.CLOSE, { seq: 2, text: 'ab' });
    }
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  const records: DriverRecord[] = [];
  const { port } = server.address();
  const way = (more: Partial<Way>): Way => ({
    kind: 'pipe',
    url: new URL(`udp://127.0.0.1:${String(port)}`),
    ticket: pipeTicket,
    siblingSecret,
    udpAssoc,
    impairment: undefined,
    byHand: false,
    framing: undefined,
    protocols: undefined,
    headers: [],
    omit: [],
    signal: AbortSignal.timeout(5000),
    onRecord: (record) => records.push(record),
    ...more,
  });
  const { driver, result } = openUdp(way({}));
  t.match(await result, { type: 'opened' });
  driver.send({ kind: 'text', payload: Buffer.from('ahoy') });
  t.equal(await driver.written(), true);
  while (records.filter(({ type }) => type === 'close').length < 2) await new Promise(setImmediate);
  const seen = records.map((record) => ('what' in record ? record.what : record.type));
  t.same(seen.slice(0, 3), ['message_before_proof', 'message', 'amplification']);
  t.same(seen.slice(3, 7), ['pong_for_nothing', 'number_out_of_turn', 'message', 'datagram_of_another_protocol']);
  const codes = records.flatMap((record) => (record.type === 'close' ? [record.code] : []));
  t.same(codes, [1000, 0x6162]);
  driver.cut();
  t.match(await openUdp(way({ udpAssoc: undefined })).result, { type: 'failed', error: 'no_udp_assoc' });
  t.match(await openUdp(way({ url: new URL('http://127.0.0.1') })).result, { error: 'no_udp_address' });
  const silent = openUdp(way({ signal: AbortSignal.timeout(20), siblingSecret: 'A'.repeat(43), byHand: true }));
  t.match(await silent.result, { type: 'opened' }, 'by hand nothing has to be answered');
  silent.driver.cut();
  server.close();
});
