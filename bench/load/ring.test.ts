import t from 'tap';
import { maskedFrame } from './dialects/web-socket.js';
import { nats } from './dialects/nats.js';
import { porthouseForm } from './dialects/porthouse-form.js';
import { porthouseFrame, porthouseLine } from './dialects/porthouse-tcp.js';
import { porthouseUdp } from './dialects/porthouse-udp.js';
import { socketIo } from './dialects/socket-io.js';
import { type Frame, Ring } from './ring.js';

/** What a ring writes for the messages `from` up to and without `to`, message by message, payloads unmasked. */
function written(frame: (payload: Buffer) => Frame, from: number, to: number): string[] {
  const payloadBytes = 20;
  const chunks: Buffer[] = [];
  new Ring(4, payloadBytes, frame).write({ write: (bytes) => void chunks.push(Buffer.from(bytes)) }, from, to);
  const { bytes, payloadAt, mask } = frame(Buffer.alloc(payloadBytes));
  const all = Buffer.concat(chunks);
  return Array.from({ length: all.length / bytes.length }, (_, index) => {
    const start = index * bytes.length + payloadAt;
    return all.subarray(start, start + payloadBytes).map((byte, at) => byte ^ (mask?.[at % 4] ?? 0));
  }).map((payload) => String(Buffer.from(payload)));
}

const FRAMES = {
  'a WebSocket': (payload: Buffer) => maskedFrame(payload, 'binary'),
  'socket.io': (payload: Buffer) => socketIo.frame(payload),
  NATS: (payload: Buffer) => nats.frame(payload),
  'lines over TCP': (payload: Buffer) => porthouseLine.frame(payload),
  'frames over TCP': (payload: Buffer) => porthouseFrame.frame(payload),
  UDP: (payload: Buffer) => porthouseUdp.frame(payload),
  'a form': (payload: Buffer) => porthouseForm.frame(payload),
};

for (const [name, frame] of Object.entries(FRAMES)) {
  void t.test(`messages to ${name} carry their numbers around the end of the ring`, (t) => {
    t.same(written(frame, 98, 101), ['0000000098aaaaaaaaaa', '0000000099aaaaaaaaaa', '0000000100aaaaaaaaaa']);
    t.same(written(frame, 0, 0), []);
    t.end();
  });
}

void t.test('a masked frame is what RFC 6455 says, with a mask that is not zero', (t) => {
  const { bytes, payloadAt, mask } = maskedFrame(Buffer.from('Hello'), 'text');
  t.same([...bytes.subarray(0, 2)], [0x81, 0x85]);
  t.same(bytes.subarray(2, payloadAt), mask);
  t.equal(bytes.toString('hex', payloadAt), '7f9f4d5158'); // section 5.7, with the same mask
  t.equal(maskedFrame(Buffer.alloc(300), 'binary').bytes.readUInt16BE(2), 300);
  t.equal(maskedFrame(Buffer.alloc(70_000), 'binary').bytes.readBigUInt64BE(2), 70_000n);
  t.end();
});
