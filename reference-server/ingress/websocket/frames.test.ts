import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { packageRoot } from '../../../support/package-root.js';
import type { Message } from '../../ports/message.js';
import { holds } from '../../testing/property.js';
import { frame } from '../../testing/web-socket.js';
import { encodeFrames } from './frames.js';

const message = (kind: Message['kind'], payload: Buffer): Message => ({ kind, payload, id: 'm1', from: 's1' });

interface Vector {
  readonly name: string;
  readonly fin: boolean;
  readonly opcode: number;
  readonly mask?: string;
  readonly wire: string;
  readonly payload?: string;
  readonly fill?: { readonly byte: string; readonly count: number };
}

void t.test('frames are those of RFC 6455', (t) => {
  const file = join(packageRoot(), 'spec/vectors/websocket-frames.json');
  const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: Vector[] };
  const ours = vectors.filter(({ fin, opcode, mask }) => fin && !mask && (opcode === 1 || opcode === 2));
  t.ok(ours.length >= 3, 'short, medium and long');
  for (const { name, opcode, wire, payload, fill } of ours) {
    const bytes = fill ? Buffer.alloc(fill.count, fill.byte, 'hex') : Buffer.from(payload ?? '', 'hex');
    const written = Buffer.concat(encodeFrames([message(opcode === 1 ? 'text' : 'binary', bytes)]));
    t.same(written, Buffer.concat([Buffer.from(wire, 'hex'), fill ? bytes : Buffer.alloc(0)]), name);
  }
  t.end();
});

void t.test('a batch is the frames of its messages one behind the other, and a large payload is not copied', (t) => {
  const payload = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom(0, 125, 126, 127, 16_384, 16_385, 65_535, 65_536, 70_000).map((size) => Buffer.alloc(size, size)),
  );
  const batch = fc.array(fc.tuple(fc.constantFrom('text' as const, 'json' as const, 'binary' as const), payload), {
    maxLength: 8,
  });
  holds(
    t,
    fc.property(batch, (messages) => {
      const all = messages.map(([kind, bytes]) => message(kind, bytes));
      const buffers = encodeFrames(all);
      const alone = all.map(({ kind, payload: bytes }) =>
        frame({ opcode: kind === 'binary' ? 2 : 1, payload: bytes, masked: false }),
      );
      const large = all.filter(({ payload: bytes }) => bytes.length > 16_384).map(({ payload: bytes }) => bytes);
      return Buffer.concat(buffers).equals(Buffer.concat(alone)) && large.every((bytes) => buffers.includes(bytes));
    }),
    60,
  );
  t.end();
});
