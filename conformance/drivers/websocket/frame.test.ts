import { deepStrictEqual } from 'node:assert';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { test } from 'tap';
import type { FrameToEncode, ParsedFrame } from './frame.js';
import { FrameParser, OPCODE, encodeFrame, randomMask } from './frame.js';
import type { FrameRecord } from './message.js';
import { MessageAssembler, isSendableCloseCode } from './message.js';

interface FrameVector {
  readonly name: string;
  readonly fin: boolean;
  readonly opcode: number;
  readonly mask?: string;
  readonly wire: string;
  readonly payload?: string;
  readonly fill?: { readonly byte: string; readonly count: number };
}

const vectorsUrl = new URL('../../../spec/vectors/websocket-frames.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(vectorsUrl, 'utf8')) as { vectors: readonly FrameVector[] };

const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex');

function parse(chunks: readonly Buffer[], parser = new FrameParser()): ParsedFrame[] {
  const frames: ParsedFrame[] = [];
  for (const chunk of chunks) {
    parser.push(chunk);
    for (let frame = parser.next(); frame !== undefined; frame = parser.next()) frames.push(frame);
  }
  return frames;
}

const byBytes = (wire: Buffer): Buffer[] => Array.from(wire, (byte) => Buffer.of(byte));

function recordsOf(digits: string, maxMessageBytes?: number): FrameRecord[] {
  const records: FrameRecord[] = [];
  const assembler = new MessageAssembler((record) => records.push(record), maxMessageBytes);
  for (const frame of parse(byBytes(hex(digits)))) assembler.accept(frame);
  return records;
}

const violationsOf = (digits: string): string[] =>
  recordsOf(digits).flatMap((record) => (record.type === 'violation' ? [record.what] : []));

test('the examples of RFC 6455 section 5.7 are encoded and decoded', (t) => {
  for (const { name, fin, opcode, mask, wire, ...rest } of vectors) {
    const filling = rest.fill === undefined ? '' : rest.fill.byte.repeat(rest.fill.count);
    const payload = hex(rest.payload ?? filling);
    const whole = hex(wire + filling);
    const key = mask === undefined ? undefined : hex(mask);
    t.ok(encodeFrame({ fin, opcode, mask: key, payload }).equals(whole), `${name}: encoded`);
    const sender = mask === undefined ? 'server' : 'client';
    const expected = [{ fin, rsv: 0, opcode, masked: mask !== undefined, payload, violations: [] }];
    t.strictSame(parse([whole], new FrameParser({ sender })), expected, `${name}: decoded`);
    t.strictSame(parse(byBytes(whole), new FrameParser({ sender })), expected, `${name}: decoded byte by byte`);
  }
  t.equal(vectors.length, 8);
  t.end();
});

const lengths = fc.oneof(fc.nat(300), fc.constantFrom(0, 1, 125, 126, 127, 65_535, 65_536, 70_000));

const anyFrame = fc.record(
  {
    fin: fc.boolean(),
    rsv: fc.nat(7),
    opcode: fc.nat(15),
    masked: fc.boolean(),
    payload: lengths.chain((length) => fc.nat(255).map((seed) => Buffer.alloc(length, seed))),
  },
  { noNullPrototype: true },
);

test('what is encoded and then cut anywhere decodes to the same frames', (t) => {
  const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });
  const property = fc.property(fc.array(anyFrame, { maxLength: 6 }), cuts, (frames, places) => {
    const wire = Buffer.concat(
      frames.map(({ masked, ...frame }) => encodeFrame({ ...frame, mask: masked ? randomMask() : undefined })),
    );
    const at = [0, ...places.map((place) => Math.floor(place * wire.length)).sort((a, b) => a - b), wire.length];
    const parser = new FrameParser();
    const got = parse(
      at.slice(1).map((end, i) => wire.subarray(at[i], end)),
      parser,
    );
    deepStrictEqual(
      got.map(({ violations: _, ...frame }) => frame),
      frames,
    );
    deepStrictEqual([parser.pendingBytes, parser.broken], [0, undefined]);
  });
  t.doesNotThrow(() => {
    fc.assert(property, { numRuns: 60 });
  });
  t.end();
});

test('random masks are never zero and differ', (t) => {
  const masks = Array.from({ length: 3000 }, () => randomMask().readUInt32BE(0));
  t.notOk(masks.includes(0));
  t.ok(new Set(masks).size > 2990);
  t.end();
});

test('each fault of a single frame is reported from literal bytes, and the frame behind it is still found', (t) => {
  const faulty: [string, string, string[]][] = [
    ['a masked server frame', '81 81 01020304 60', ['masked_by_server']],
    ['RSV1', 'c1 01 61', ['rsv_set']],
    ['RSV2', 'a1 01 61', ['rsv_set']],
    ['RSV3', '91 01 61', ['rsv_set']],
    ['opcode 3', '83 01 61', ['unknown_opcode']],
    ['opcode 11', '8b 01 61', ['unknown_opcode']],
    ['a fragmented ping', '09 01 61', ['control_fragmented']],
    ['a ping of 126 bytes', `89 7e007e ${'61'.repeat(126)}`, ['control_too_long']],
    ['5 bytes in the 16 bit form', '81 7e0005 6162636465', ['length_not_minimal']],
    ['5 bytes in the 64 bit form', '81 7f0000000000000005 6162636465', ['length_not_minimal']],
    ['65535 bytes in the 64 bit form', `82 7f000000000000ffff ${'61'.repeat(65_535)}`, ['length_not_minimal']],
  ];
  for (const [name, wire, violations] of faulty) {
    const frames = parse([hex(wire), hex('81 00')]);
    t.strictSame(
      frames.map((frame) => frame.violations),
      [violations, []],
      name,
    );
  }
  const [unmasked] = parse([hex('81 01 61')], new FrameParser({ sender: 'client' }));
  t.strictSame(unmasked?.violations, ['unmasked_by_client'], 'an unmasked client frame');
  t.end();
});

test('a length that cannot be read past breaks the parser instead of filling memory', (t) => {
  const topBit = new FrameParser();
  t.strictSame(parse([hex('82 7f 8000000000000001 61'), hex('81 00')], topBit), []);
  t.equal(topBit.broken, 'length_top_bit_set');
  const large = new FrameParser({ maxPayloadBytes: 1000 });
  t.equal(parse([hex('82 7e 03e8'), Buffer.alloc(1000)], large).length, 1);
  t.strictSame(parse([hex('82 7e 03e9')], large), []);
  t.equal(large.broken, 'frame_over_driver_limit');
  t.end();
});

test('an unfinished frame counts as pending bytes', (t) => {
  const parser = new FrameParser();
  parse([hex('82 7e 0100 6162')], parser);
  t.equal(parser.pendingBytes, 6);
  parse([Buffer.alloc(254)], parser);
  t.equal(parser.pendingBytes, 0);
  t.end();
});

test('frames add up to messages, with control frames between the fragments', (t) => {
  t.strictSame(recordsOf('01 03 48656c  89 01 70  00 00  80 02 6c6f  8a 00  82 01 ff'), [
    { type: 'ping', payload: hex('70') },
    { type: 'message', kind: 'text', payload: Buffer.from('Hello'), fragments: 3 },
    { type: 'pong', payload: Buffer.alloc(0) },
    { type: 'message', kind: 'binary', payload: hex('ff'), fragments: 1 },
  ]);
  t.strictSame(recordsOf('81 00'), [{ type: 'message', kind: 'text', payload: Buffer.alloc(0), fragments: 1 }]);
  t.strictSame(violationsOf('01 01 c3  80 01 a9'), [], 'a UTF-8 sequence may be cut between fragments');
  t.end();
});

test('each fault of a sequence of frames is reported from literal bytes', (t) => {
  t.strictSame(violationsOf('80 01 61'), ['continuation_without_start']);
  t.strictSame(recordsOf('01 01 61  81 01 62'), [
    { type: 'violation', what: 'message_inside_message' },
    { type: 'message', kind: 'text', payload: Buffer.from('b'), fragments: 1 },
  ]);
  t.strictSame(recordsOf('81 02 c328'), [
    { type: 'violation', what: 'invalid_utf8' },
    { type: 'message', kind: 'text', payload: hex('c328'), fragments: 1 },
  ]);
  t.strictSame(violationsOf('01 01 c3  80 01 28'), ['invalid_utf8'], 'over two fragments');
  t.strictSame(violationsOf('82 02 c328'), [], 'a binary message is no text');
  t.strictSame(violationsOf('88 01 03'), ['close_payload_of_one_byte']);
  t.strictSame(violationsOf('88 03 03e8 ff'), ['close_reason_not_utf8']);
  t.strictSame(recordsOf('88 00  81 01 61'), [
    { type: 'close', code: 1005, reason: '' },
    { type: 'violation', what: 'data_after_close' },
  ]);
  t.strictSame(violationsOf('c1 81 01020304 60'), ['masked_by_server', 'rsv_set'], 'faults of the frame come first');
  t.end();
});

test("a message over the driver's own limit is dropped and said", (t) => {
  t.strictSame(recordsOf('02 02 6161  00 02 6161', 3), [{ type: 'violation', what: 'message_over_driver_limit' }]);
  t.end();
});

test('close codes that nobody may send are told from those that servers may', (t) => {
  const closeWith = (code: number): FrameRecord[] => recordsOf(`88 02 ${code.toString(16).padStart(4, '0')}`);
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535]) {
    const expected = [
      { type: 'violation', what: 'close_code_reserved' },
      { type: 'close', code, reason: '' },
    ];
    t.strictSame(closeWith(code), expected, `${String(code)} is reserved`);
  }
  for (const code of [1000, 1001, 1002, 1003, 1007, 1009, 1011, 1012, 1013, 1014, 3000, 4000, 4999]) {
    t.strictSame(closeWith(code), [{ type: 'close', code, reason: '' }], `${String(code)} may be sent`);
    t.ok(isSendableCloseCode(code));
  }
  t.strictSame(recordsOf('88 05 03f1 627965'), [{ type: 'close', code: 1009, reason: 'bye' }]);
  t.end();
});

test('illegal frames can be made on purpose', (t) => {
  const made: [FrameToEncode, string][] = [
    [{ opcode: OPCODE.text, rsv: 5, payload: hex('61') }, 'd1 01 61'],
    [{ opcode: 0xf, fin: false }, '0f 00'],
    [{ opcode: OPCODE.ping, payload: Buffer.alloc(126, 0x61) }, `89 7e007e ${'61'.repeat(126)}`],
    [{ opcode: OPCODE.binary, lengthForm: 16, payload: hex('61') }, '82 7e0001 61'],
    [{ opcode: OPCODE.binary, lengthForm: 64, payload: hex('61') }, '82 7f0000000000000001 61'],
    [{ opcode: OPCODE.binary, declaredLength: 2n ** 63n }, '82 7f8000000000000000'],
    [{ opcode: OPCODE.binary, declaredLength: 9, payload: hex('61') }, '82 09 61'],
    [{ opcode: OPCODE.text, mask: hex('00000000'), payload: hex('61') }, '81 81 00000000 61'],
  ];
  for (const [frame, wire] of made) t.equal(encodeFrame(frame).toString('hex'), hex(wire).toString('hex'), wire);
  t.throws(() => encodeFrame({ opcode: OPCODE.text, lengthForm: 7, payload: Buffer.alloc(126) }), RangeError);
  t.end();
});
