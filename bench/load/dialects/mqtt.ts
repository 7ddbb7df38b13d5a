import type { Dialect, Role } from '../dialect.js';
import type { Parser } from '../parser.js';
import { Wire } from '../wire.js';

const CONNECT = 0x10;
const PUBLISH = 0x30;
const SUBSCRIBE = 0x82;
const TOPIC = Buffer.from('bench');
const CLEAN_SESSION = 0x02;

/** Control packets (MQTT 3.1.1, section 2). */
export class MqttParser implements Parser {
  start = -1;
  end = -1;

  next(bytes: Buffer, at: number): number {
    let length = 0;
    let body = at + 1;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[body++];
      if (byte === undefined) return -1;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    const end = body + length;
    if (end > bytes.length) return -1;
    this.start = ((bytes[at] ?? 0) & 0xf0) === PUBLISH ? body + 2 + bytes.readUInt16BE(body) : -1;
    this.end = end;
    return end;
  }
}

function packet(type: number, ...body: readonly Buffer[]): Buffer {
  const header = [type];
  let rest = body.reduce((sum, part) => sum + part.length, 0);
  for (; rest > 0x7f; rest >>= 7) header.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([...header, rest]), ...body]);
}

const words = (text: Buffer): Buffer => Buffer.concat([Buffer.from([text.length >> 8, text.length & 0xff]), text]);

async function open(url: URL, role: Role): Promise<Wire> {
  const wire = await Wire.open(Number(url.port));
  const parser = new MqttParser();
  const answer = (): Promise<Buffer> => wire.next((bytes) => parser.next(bytes, 0));
  const noKeepAlive = Buffer.from([0, 0]);
  const clientId = words(Buffer.alloc(0));
  wire.write(packet(CONNECT, words(Buffer.from('MQTT')), Buffer.from([4, CLEAN_SESSION]), noKeepAlive, clientId));
  const connected = await answer();
  if (connected[3] !== 0) throw new Error(`not connected: ${connected.toString('hex')}`);
  if (role !== 'sender') {
    wire.write(packet(SUBSCRIBE, Buffer.from([0, 1]), words(TOPIC), Buffer.from([0])));
    await answer();
  }
  return wire;
}

/** MQTT 3.1.1 over TCP, with quality of service 0. */
export const mqtt: Dialect = {
  parser: new MqttParser(),
  frame(payload) {
    const bytes = packet(PUBLISH, words(TOPIC), payload);
    return { bytes, payloadAt: bytes.length - payload.length, mask: null };
  },
  start: (url) => Promise.resolve((role) => open(url, role)),
};
