import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import t from 'tap';
import type { RoomSpec } from '../../generated/types.js';
import type { Kind } from '../ports/message.js';
import { holds } from '../testing/property.js';
import { at, room } from '../testing/world.js';

const [first, second] = [0, 1];

interface FormatRow {
  readonly room: RoomSpec;
  readonly as: Kind;
  readonly bytes: string | Buffer;
  /** What a member who takes everything receives; null where the message is refused. */
  readonly arrives: Kind | null;
}

const LATIN = Buffer.from([0x61, 0xe9]);
const FORMATS: readonly FormatRow[] = [
  { room: {}, as: 'text', bytes: '{', arrives: 'text' },
  { room: {}, as: 'binary', bytes: LATIN, arrives: 'binary' },
  { room: { format: 'text' }, as: 'text', bytes: 'x', arrives: 'text' },
  { room: { format: 'text' }, as: 'binary', bytes: 'x', arrives: null },
  { room: { format: 'text', onMismatch: 'convert' }, as: 'binary', bytes: '\ufeffx', arrives: 'text' },
  { room: { format: 'text', onMismatch: 'convert' }, as: 'binary', bytes: LATIN, arrives: null },
  { room: { format: 'json' }, as: 'text', bytes: ' {"b":1.0, "a":1e2,"b":"\\ud800"}\r\n', arrives: 'json' },
  { room: { format: 'json' }, as: 'text', bytes: '"bare"', arrives: 'json' },
  { room: { format: 'json' }, as: 'text', bytes: '9007199254740993e400', arrives: 'json' },
  { room: { format: 'json' }, as: 'text', bytes: '\ufeff{}', arrives: null },
  { room: { format: 'json' }, as: 'text', bytes: '', arrives: null },
  { room: { format: 'json' }, as: 'text', bytes: "{'a':1}", arrives: null },
  { room: { format: 'json' }, as: 'text', bytes: '[1,]', arrives: null },
  { room: { format: 'json' }, as: 'text', bytes: 'NaN', arrives: null },
  { room: { format: 'json' }, as: 'binary', bytes: '{}', arrives: null },
  { room: { format: 'json', onMismatch: 'convert' }, as: 'binary', bytes: '{ }', arrives: 'json' },
  { room: { format: 'json', onMismatch: 'convert' }, as: 'binary', bytes: LATIN, arrives: null },
  { room: { format: 'json' }, as: 'text', bytes: '['.repeat(128) + ']'.repeat(128), arrives: 'json' },
  { room: { format: 'binary' }, as: 'binary', bytes: LATIN, arrives: 'binary' },
  { room: { format: 'binary' }, as: 'text', bytes: 'x', arrives: null },
  { room: { format: 'binary', onMismatch: 'convert' }, as: 'text', bytes: 'x', arrives: 'binary' },
];

void t.test('a room takes, refuses or converts as its format says, and never touches a byte', (t) => {
  for (const { room: spec, as, bytes, arrives } of FORMATS) {
    const { world, members } = room(spec);
    at(members, first).send(bytes, as);
    world.scheduler.tick();
    const messages = at(members, second).sink.batches.flatMap((batch) => batch.messages);
    const name = `${JSON.stringify(spec)} ${as} ${JSON.stringify(bytes.toString('latin1'))}`;
    t.same(
      messages.map(({ kind }) => kind),
      arrives ? [arrives] : [],
      name,
    );
    for (const { payload } of messages) t.same(payload, Buffer.from(bytes), `${name}: the very bytes`);
    t.same(at(members, first).heard(), arrives ? [] : ['pipe.refused 1 format_mismatch'], `${name}: what is heard`);
  }
  t.end();
});

void t.test('a message that a member cannot take in any of its formats disturbs nobody else', (t) => {
  const { world, members } = room({ onMismatch: 'convert' }, [{}, { receive: ['json'] }, { receive: ['json'] }, {}]);
  const alice = at(members, first);
  alice.send('1');
  alice.send('ahoy');
  alice.send(LATIN);
  alice.send('[2]');
  world.scheduler.tick();
  t.same(at(members, second).received, ['json 1', 'json [2]'], 'converted where nothing is lost');
  t.same(at(members, 3).received.length, 4);
  t.same(alice.heard(), ['pipe.undeliverable 2 undeliverable 2', 'pipe.undeliverable 3 undeliverable 2']);
  t.same(at(members, second).heard(), ['pipe.undeliverable 1 undeliverable 2', 'pipe.undeliverable 1 undeliverable 2']);
  t.end();
});

void t.test('a sender is held to the kinds that it declared', (t) => {
  const { world, members } = room({ onMismatch: 'convert' }, [{ send: ['json'] }, {}]);
  at(members, first).send('{}');
  at(members, first).send(Buffer.from('{}'));
  world.scheduler.tick();
  t.same(at(members, second).received, ['text {}'], 'a text message may be JSON');
  t.same(at(members, first).heard(), ['pipe.refused 2 format_mismatch']);
  t.end();
});

void t.test('conversion is right about every payload', (t) => {
  holds(
    t,
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 12 }), fc.json(), fc.string()), (content) => {
      const bytes = Buffer.from(content as string);
      const { world, members } = room({ onMismatch: 'convert' }, [{}, { receive: ['text'] }, { receive: ['json'] }]);
      at(members, first).send(bytes, 'binary');
      world.scheduler.tick();
      const parses = (): boolean => {
        try {
          JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
          return true;
        } catch {
          return false;
        }
      };
      assert.equal(at(members, second).sink.batches.length, isUtf8(bytes) ? 1 : 0);
      assert.equal(at(members, 2).sink.batches.length, parses() ? 1 : 0);
      for (const member of members)
        for (const batch of member.sink.batches) assert.deepEqual(batch.messages[0]?.payload, bytes);
    }),
    100,
  );
  t.end();
});
