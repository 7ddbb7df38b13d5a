import type { Dialect } from '../dialect.js';
import type { Parser } from '../parser.js';
import { Wire } from '../wire.js';
import { Sessions } from './sessions.js';

const LF = 0x0a;
const BINARY = 2;
const HEADER_BYTES = 4;

/** What stands before an LF. */
export class LineParser implements Parser {
  start = -1;
  end = -1;

  next(bytes: Buffer, at: number): number {
    this.start = at;
    this.end = bytes.indexOf(LF, at);
    return this.end < 0 ? -1 : this.end + 1;
  }
}

/** A kind, a length of three bytes, and as many bytes. */
export class LengthParser implements Parser {
  start = -1;
  end = -1;

  next(bytes: Buffer, at: number): number {
    if (bytes.length - at < HEADER_BYTES) return -1;
    this.start = at + HEADER_BYTES;
    this.end = this.start + bytes.readUIntBE(at + 1, 3);
    return this.end > bytes.length ? -1 : this.end;
  }
}

function overTcp(framing: 'line' | 'frame'): Dialect['start'] {
  return async (url) => {
    const sessions = await Sessions.of(url);
    return async () => {
      const grant = await sessions.grant({ transport: 'tcp', framing });
      return sessions.opened(grant, async () => {
        const wire = await Wire.open(Number(new URL(grant.endpoints.pipe).port));
        wire.write(`PH1 ${grant.pipeTicket} ${framing}\n`);
        return wire;
      });
    };
  };
}

/** Porthouse over TCP, a line for each message. */
export const porthouseLine: Dialect = {
  parser: new LineParser(),
  frame: (payload) => ({ bytes: Buffer.concat([payload, Buffer.from([LF])]), payloadAt: 0, mask: null }),
  start: overTcp('line'),
};

/** Porthouse over TCP, a frame for each message. */
export const porthouseFrame: Dialect = {
  parser: new LengthParser(),
  frame(payload) {
    const header = Buffer.from([BINARY, 0, 0, 0]);
    header.writeUIntBE(payload.length, 1, 3);
    return { bytes: Buffer.concat([header, payload]), payloadAt: HEADER_BYTES, mask: null };
  },
  start: overTcp('frame'),
};
