import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import type { Refusal } from '../../ports/refusal.js';
import { holds } from '../../testing/property.js';
import { parserFor } from './form-type.js';
import type { PartHead, Parts } from './parts.js';

interface Field extends PartHead {
  readonly content: Buffer;
}

/** Keeps the fields of a form. */
class Kept implements Parts {
  readonly fields: Field[] = [];
  #head: PartHead | null = null;
  #pieces: Buffer[] = [];

  begin(head: PartHead): null {
    this.#head = head;
    this.#pieces = [];
    return null;
  }

  data(piece: Buffer): null {
    this.#pieces.push(Buffer.from(piece));
    return null;
  }

  end(): null {
    if (this.#head) this.fields.push({ ...this.#head, content: Buffer.concat(this.#pieces) });
    return null;
  }
}

/** The fields of a body that comes in pieces of these lengths, or the name of the refusal. */
function parse(type: string, body: Buffer, cuts: readonly number[] = []): readonly Field[] | string {
  const kept = new Kept();
  const parser = parserFor({ 'content-type': type }, kept);
  if ('refused' in parser) return parser.refused;
  let fault: Refusal | null = null;
  for (let at = 0, index = 0; at < body.length && !fault; index++) {
    const length = Math.max(1, cuts[index % cuts.length] ?? body.length);
    fault = parser.write(body.subarray(at, at + length));
    at += length;
  }
  fault ??= parser.end();
  return fault ? fault.refused : kept.fields;
}

const MULTIPART = 'multipart/form-data; boundary=xYz';
const body = (...lines: string[]): Buffer => Buffer.from(lines.join('\r\n'), 'latin1');
const part = (head: string, content = 'ahoy'): Buffer => body('--xYz', ...head.split('|'), '', content, '--xYz--', '');

const noise = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes));
/** What looks like the end of a part and is none. */
const tricky = fc
  .constantFrom('\r\n--xY', '\r', '\r\n', '\r\n--', '--xYz', '\r\r\n--x', '\n--xYz')
  .map((text) => Buffer.from(text));
const content = fc.array(fc.oneof(noise, tricky), { maxLength: 5 }).map((pieces) => Buffer.concat(pieces));
/** A sender takes a boundary that does not occur in what it sends. */
const fair = content.filter((bytes) => !bytes.includes('\r\n--xYz'));
const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });

void t.test('a multipart body means the same however it is cut, and every byte of it arrives', (t) => {
  const form = fc.array(fc.record({ content: fair, file: fc.boolean() }, { noNullPrototype: true }), { maxLength: 4 });
  const property = fc.property(form, cuts, (parts, cuts) => {
    const pieces = parts.flatMap(({ content, file }) => [
      Buffer.from(`--xYz\r\nContent-Disposition: form-data; name="message"${file ? '; filename="a"' : ''}\r\n\r\n`),
      content,
      Buffer.from('\r\n'),
    ]);
    const fields = parse(MULTIPART, Buffer.concat([...pieces, Buffer.from('--xYz--\r\n')]), cuts);
    assert.ok(typeof fields !== 'string');
    assert.deepEqual(
      fields.map(({ content, filename }) => ({ content, file: filename !== null })),
      parts,
    );
  });
  holds(t, property, 500);
  t.end();
});

void t.test('a urlencoded body means what the URL standard says, however it is cut', (t) => {
  const pair = fc.tuple(fc.string({ maxLength: 10, unit: 'grapheme' }), fc.string({ maxLength: 30, unit: 'grapheme' }));
  const said = fc.oneof(
    fc.array(pair, { maxLength: 5 }).map((pairs) => new URLSearchParams(pairs).toString()),
    fc.string({ maxLength: 40, unit: fc.constantFrom('%', '4', 'f', '&', '=', '+', 'z') }),
  );
  const property = fc.property(said, cuts, (text, cuts) => {
    const fields = parse('application/x-www-form-urlencoded', Buffer.from(text), cuts);
    assert.ok(typeof fields !== 'string');
    const ours = fields.map(({ name, content }) => [Buffer.from(name, 'latin1').toString(), content.toString()]);
    assert.deepEqual(ours, [...new URLSearchParams(text)]);
  });
  holds(t, property, 500);
  t.end();
});

void t.test('whatever comes, there is an answer', (t) => {
  const types = fc.constantFrom(MULTIPART, 'application/x-www-form-urlencoded');
  const parts = fc.array(
    fc.oneof(content, fc.constant(Buffer.from('--xYz\r\nContent-Disposition: form-data; name=a\r\n\r\n'))),
  );
  holds(
    t,
    fc.property(types, parts, cuts, (type, pieces, cuts) => {
      const result = parse(type, Buffer.concat(pieces), cuts);
      assert.ok(typeof result !== 'string' || result === 'protocol_error');
    }),
    500,
  );
  t.end();
});

const HEADS: readonly (readonly [head: string, wanted: string | Partial<PartHead>])[] = [
  ['Content-Disposition: form-data; name="message"', { name: 'message', filename: null, type: null, charset: null }],
  ['content-disposition:form-data;name=message', { name: 'message' }],
  ['Content-Disposition: form-data; name="a\\"b\\\\c"', { name: 'a"b\\c' }],
  ['Content-Disposition: form-data; name="m"; filename="../../etc/passwd"', { filename: '../../etc/passwd' }],
  ['Content-Disposition: form-data; name="m"; filename=""', { filename: '' }],
  ["Content-Disposition: form-data; name=m; filename*=UTF-8''", { filename: '' }],
  ['Content-Disposition: form-data; name=m; filename=""; filename*=utf-8\'en\'a', { filename: 'a' }],
  ["Content-Disposition: form-data; name=m; filename*=UTF-8''%e2%82%ac.txt", { filename: '%e2%82%ac.txt' }],
  [
    'Content-Disposition: form-data; name="m"|Content-Type: Text/Plain; Charset="UTF-8"',
    { type: 'text/plain', charset: 'utf-8' },
  ],
  ['Content-Disposition: form-data; name="m"|Content-Transfer-Encoding: binary', { name: 'm' }],
  ['Content-Disposition: form-data; name="m"|Content-Transfer-Encoding: base64', 'unsupported_media_type'],
  ['Content-Disposition: form-data; name="m"|Content-Disposition: form-data; name="n"', 'protocol_error'],
  ['Content-Disposition: form-data; name="m"; name="n"', 'protocol_error'],
  ['Content-Disposition: form-data; name="m', 'protocol_error'],
  ['Content-Disposition: form-data', 'protocol_error'],
  ['Content-Disposition: attachment; name="m"', 'protocol_error'],
  ['Content-Disposition: form-data; name="m"|Content-Type: nonsense', 'protocol_error'],
  ['Content-Disposition: form-data; name="m"| folded: line', 'protocol_error'],
  ['Content-Type: text/plain', 'protocol_error'],
  ['No colon', 'protocol_error'],
  [`Content-Disposition: form-data; name="${'m'.repeat(9000)}"`, 'protocol_error'],
];

void t.test('heads of parts', (t) => {
  for (const [head, wanted] of HEADS) {
    const found = parse(MULTIPART, part(head), [7]);
    if (typeof wanted === 'string') t.equal(found, wanted, head.slice(0, 80));
    else t.match(found, [wanted], head.slice(0, 80));
  }
  t.end();
});

void t.test('bodies that are none', (t) => {
  const head = 'Content-Disposition: form-data; name="m"';
  const broken = [
    body('--xYz', head, '', 'ahoy', '--xYz', ''),
    body('--xYz', head, '', 'ahoy'),
    body('--xYz', head, '', 'ahoy', '--xYzz', head, '', '', '--xYz--'),
    body('--xYz', '', 'no head', '--xYz--'),
    body(''),
    body('nothing of the kind'),
  ];
  for (const each of broken) t.equal(parse(MULTIPART, each), 'protocol_error', each.toString('latin1'));
  t.match(parse(MULTIPART, body('before', '--xYz  ', head, '', 'ahoy', '--xYz--', 'behind')), [{ name: 'm' }]);
  t.end();
});

void t.test('types of bodies', (t) => {
  const types: readonly (readonly [type: string, wanted: string])[] = [
    ['text/plain', 'unsupported_media_type'],
    ['', 'unsupported_media_type'],
    ['application/json', 'unsupported_media_type'],
    ['application/x-www-form-urlencoded; charset=iso-8859-1', 'unsupported_media_type'],
    ['multipart/mixed; boundary=xYz', 'unsupported_media_type'],
    ['multipart/form-data', 'protocol_error'],
    ['multipart/form-data; boundary=""', 'protocol_error'],
    [`multipart/form-data; boundary=${'x'.repeat(71)}`, 'protocol_error'],
  ];
  for (const [type, wanted] of types) t.equal(parse(type, Buffer.alloc(0)), wanted, type);
  t.same(parse('Application/X-WWW-Form-Urlencoded; charset=UTF-8', Buffer.alloc(0)), []);
  t.end();
});
