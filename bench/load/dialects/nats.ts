import type { Dialect, Role } from '../dialect.js';
import type { Parser } from '../parser.js';
import { Wire } from '../wire.js';

const LF = 0x0a;
const ZERO = 0x30;
const M = 0x4d;
const MINUS = 0x2d;
const END = '\r\n';
const OPTIONS = JSON.stringify({ verbose: false, pedantic: false, echo: false, lang: 'bench', version: '0' });

/** Lines, and behind a line `MSG subject sid bytes` so many bytes. */
export class NatsParser implements Parser {
  start = -1;
  end = -1;

  next(bytes: Buffer, at: number): number {
    const line = bytes.indexOf(LF, at) + 1;
    if (line === 0) return -1;
    this.start = -1;
    if (bytes[at] === MINUS) throw new Error(bytes.toString('latin1', at, line));
    if (bytes[at] !== M) return line;
    let length = 0;
    for (let place = line - END.length - 1, worth = 1; ; place--, worth *= 10) {
      const digit = (bytes[place] ?? 0) - ZERO;
      if (digit < 0) break;
      length += digit * worth;
    }
    const end = line + length + END.length;
    if (end > bytes.length) return -1;
    this.start = line;
    this.end = line + length;
    return end;
  }
}

async function open(url: URL, role: Role): Promise<Wire> {
  const wire = await Wire.open(Number(url.port));
  const parser = new NatsParser();
  const line = (): Promise<Buffer> => wire.next((bytes) => parser.next(bytes, 0));
  await line();
  wire.write(`CONNECT ${OPTIONS}${END}${role === 'sender' ? '' : `SUB bench 1${END}`}PING${END}`);
  const answer = (await line()).toString();
  if (!answer.startsWith('PONG')) throw new Error(`not connected: ${answer}`);
  return wire;
}

/** NATS over TCP. */
export const nats: Dialect = {
  parser: new NatsParser(),
  frame(payload) {
    const head = Buffer.from(`PUB bench ${String(payload.length)}${END}`);
    return { bytes: Buffer.concat([head, payload, Buffer.from(END)]), payloadAt: head.length, mask: null };
  },
  start: (url) => Promise.resolve((role) => open(url, role)),
};
