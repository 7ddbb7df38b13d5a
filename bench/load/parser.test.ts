import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../support/package-root.js';
import type { Dialect } from './dialect.js';
import { mqtt } from './dialects/mqtt.js';
import { nats } from './dialects/nats.js';
import { porthouseFrame, porthouseLine } from './dialects/porthouse-tcp.js';
import { keyOf, porthouseUdp, seal } from './dialects/porthouse-udp.js';
import { socketIo } from './dialects/socket-io.js';
import { webSocket } from './dialects/web-socket.js';
import { DIGITS, Receiver } from './parser.js';

const payload = (number: number, bytes: number): Buffer =>
  Buffer.from(String(number).padStart(DIGITS, '0') + 'a'.repeat(bytes - DIGITS));

/** A frame as a server sends it (RFC 6455, section 5.2). */
function frame(opcode: number, body: Buffer): Buffer {
  const header = Buffer.from(body.length < 126 ? [0x80 | opcode, body.length] : [0x80 | opcode, 126, 0, 0]);
  if (body.length >= 126) header.writeUInt16BE(body.length, 2);
  return Buffer.concat([header, body]);
}

const text = (body: string): Buffer => frame(1, Buffer.from(body));

interface Wire {
  readonly dialect: Dialect;
  readonly message: (body: Buffer) => Buffer;
  /** What comes in between and is no message. */
  readonly other?: Buffer;
}

const WIRES: Readonly<Record<string, Wire>> = {
  'a WebSocket': { dialect: webSocket, message: (body) => frame(2, body), other: frame(9, Buffer.from('ping')) },
  'socket.io': { dialect: socketIo, message: (body) => text(`42["m","${String(body)}"]`), other: text('2') },
  NATS: {
    dialect: nats,
    message: (body) => Buffer.from(`MSG bench 1 ${String(body.length)}\r\n${String(body)}\r\n`),
    other: Buffer.from('PING\r\n'),
  },
  'lines over TCP': { dialect: porthouseLine, message: (body) => porthouseLine.frame(body).bytes },
  'frames over TCP': { dialect: porthouseFrame, message: (body) => porthouseFrame.frame(body).bytes },
  MQTT: {
    dialect: mqtt,
    message: (body) => mqtt.frame(body).bytes, // a broker passes on what was published
    other: Buffer.from([0xd0, 0]),
  },
};

for (const [name, { dialect, message, other = Buffer.alloc(0) }] of Object.entries(WIRES)) {
  for (const bytes of [20, 300]) {
    void t.test(`messages of ${String(bytes)} bytes over ${name} are found wherever the stream is cut`, (t) => {
      const stream = Buffer.concat([message(payload(0, bytes)), other, message(payload(1, bytes))]);
      for (let cut = 0; cut <= stream.length; cut++) {
        const receiver = new Receiver(dialect.parser, bytes);
        receiver.take(stream.subarray(0, cut));
        receiver.take(stream.subarray(cut));
        if (receiver.received !== 2) t.fail(`cut at ${String(cut)}: ${String(receiver.received)}`);
      }
      t.end();
    });
  }

  void t.test(`a message over ${name} that is lost, repeated or cut short is noticed`, (t) => {
    const take = (...bodies: Buffer[]): void =>
      new Receiver(dialect.parser, 20).take(Buffer.concat(bodies.map((body) => message(body))));
    t.throws(() => take(payload(0, 20), payload(2, 20)), /message 1 was due/);
    t.throws(() => take(payload(0, 20), payload(0, 20)), /message 1 was due/);
    t.throws(() => take(payload(0, 19)), /message 0 was due/);
    t.end();
  });
}

void t.test('a server that says goodbye or complains is noticed', (t) => {
  t.throws(() => webSocket.parser.next(frame(8, Buffer.from([0x03, 0xe8])), 0), /closed/);
  t.throws(() => nats.parser.next(Buffer.from("-ERR 'Slow Consumer'\r\n"), 0), /Slow Consumer/);
  t.end();
});

interface Association {
  readonly siblingSecret: string;
  readonly pipeTicket: string;
  readonly udpAssoc: string;
  readonly c2s: string;
  readonly s2c: string;
  readonly datagrams: readonly { dir: 'c2s' | 's2c'; seq: number; payload: string; datagram: string }[];
}

void t.test('datagrams are sealed as others have sealed them', (t) => {
  const file = join(packageRoot(), 'spec/vectors/udp.json');
  const { associations } = JSON.parse(readFileSync(file, 'utf8')) as { associations: readonly Association[] };
  for (const { datagrams, udpAssoc, ...grant } of associations) {
    for (const way of ['c2s', 's2c'] as const) t.equal(keyOf(grant, way).toString('hex'), grant[way]);
    for (const { dir, seq, payload, datagram } of datagrams) {
      const assoc = Buffer.from(udpAssoc, 'base64url');
      const type = Buffer.from(datagram, 'hex')[3] ?? 0;
      const sealed = seal(keyOf(grant, dir), { type, assoc, seq, payload: Buffer.from(payload, 'hex') });
      t.equal(sealed.toString('hex'), datagram);
    }
  }
  t.end();
});

void t.test('a datagram is one message', (t) => {
  const receiver = new Receiver(porthouseUdp.parser, 20);
  for (const number of [0, 1]) receiver.take(payload(number, 20));
  t.equal(receiver.received, 2);
  t.throws(() => receiver.take(payload(3, 20)), /message 2 was due/);
  t.end();
});
