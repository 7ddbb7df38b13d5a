import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { chapter, LIMIT_1, smallHouse } from '../testing/house.js';
import { examples, schema, type Files } from '../testing/wire.js';
import { checkWire, validateAll } from './all.js';

const PLACE = 'schemas/common/position.json';

function problems(t: Test, changes: Files): readonly string[] {
  return checkWire(smallHouse(t.testdir(), changes));
}

function prose(block: string): Files {
  return { 'spec/protocol/rooms.md': chapter(`${LIMIT_1}\n\n${block}`) };
}

void t.test('the small house is flawless', (t) => {
  t.strictSame(problems(t, {}), []);
  t.end();
});

void t.test('a schema outside the conventions is named', (t) => {
  const bad = (body: object): readonly string[] => problems(t, schema('common/position', 'Position', body));
  t.match(bad({ title: 'position' }), [`${PLACE}: title is not in PascalCase`]);
  t.match(bad({ title: 'Limits' }), [/title Limits is also used in/]);
  t.match(bad({ description: 1 }), [`${PLACE}: no description at the root`]);
  t.match(bad({ properties: { a: { type: 'null' } }, type: 'object' }), [/no description at \/properties\/a/]);
  t.match(bad({ $schema: 'x' }), [/\$schema is not/]);
  t.match(bad({ tpye: 'object' }), [/unknown keyword: "tpye"/]);
  t.match(bad({ properties: {} }), [/strict mode: missing type "object"/]);
  t.match(problems(t, { 'schemas/calls/fence.result.json': null }), [/fence.result.json is missing/]);
  t.end();
});

void t.test('too few examples, a wrong one and a homeless one are named', (t) => {
  const few = problems(t, { 'schemas/examples/common/position/valid/a.json': null });
  t.strictSame(few, ['schemas/common/position.json: 1 valid examples of 2']);
  t.match(problems(t, examples('common/position', 'valid', { c: {} })), [/valid\/c.json: not valid/]);
  t.match(problems(t, examples('common/none', 'valid', { c: {} })), [/belongs to no schema/]);
  t.match(problems(t, { 'schemas/examples/common/position/valid/c.json': '{' }), [/c.json: .*JSON/]);
  t.end();
});

void t.test('an invalid example fails with exactly the error in its name', (t) => {
  const bad = (name: string, value: unknown): readonly string[] =>
    problems(t, examples('common/position', 'invalid', { [name]: value }));
  t.match(bad('minimum--~epoch--two', { epoch: 0, dir: 'x' }), [/fails with minimum--~epoch and enum--~dir/]);
  t.match(bad('type--~epoch--other', { epoch: 0, dir: 'c2s' }), [/fails with minimum--~epoch$/]);
  t.match(bad('minimum--~epoch--fine', { epoch: 1, dir: 'c2s' }), [/is valid$/]);
  t.strictSame(bad('minimum--~epoch--minus', { epoch: -1, dir: 'c2s' }), []);
  t.end();
});

void t.test('a oneOf stands for the errors of its branches and for nothing beside them', (t) => {
  const choice = schema('common/choice', 'Choice', {
    type: 'object',
    properties: { at: { oneOf: [{ $ref: 'position.json' }, { type: 'null' }], description: 'At.' } },
    propertyNames: { maxLength: 4 },
    if: { required: ['kind'] },
    then: { required: ['name'] },
    required: ['at'],
  });
  const at = { epoch: 1, dir: 'c2s' };
  const kit: Files = {
    ...choice,
    ...examples('common/choice', 'valid', { a: { at }, b: { at: null } }),
    ...examples('common/choice', 'invalid', {
      'oneOf--~at': { at: { epoch: 0, dir: 'c2s' } },
      'propertyNames--root': { at, toolong: 1 },
      'required--root--then': { at, kind: 1 },
    }),
  };
  t.strictSame(problems(t, kit), []);
  const two = examples('common/choice', 'invalid', { 'oneOf--~at--two': { at: 1, toolong: 1 } });
  t.match(problems(t, { ...kit, ...two }), [/fails with .*oneOf--~at/]);
  t.end();
});

void t.test('a registry that breaks its schema, repeats a name or needs a stranger is named', (t) => {
  const profiles = (rows: readonly object[]): Files => ({
    'schemas/profiles.json': JSON.stringify({ profiles: rows }),
  });
  const core = { name: 'core', transport: false, needs: [], meaning: 'All.' };
  t.match(problems(t, profiles([{ name: 'core' }])), [/transport/, /needs/, /meaning/]);
  t.match(problems(t, profiles([core, core])), [/core is listed twice/]);
  t.match(problems(t, profiles([{ ...core, needs: ['x'] }])), [/needs unknown x/]);
  t.match(problems(t, { 'schemas/errors.json': null }), ['schemas/errors.json: missing']);
  t.end();
});

void t.test('worked examples in the chapters are held to their type', (t) => {
  const block = (info: string, ...lines: readonly string[]): readonly string[] =>
    problems(t, prose(lines.map((line) => `\`\`\`${info}\n${line}\n\`\`\``).join('\n\n')));
  t.match(block('json events/pipe.mark', '{"mark":"x"}'), [/rooms.md:10: events\/pipe.mark: .*at/, /pattern/]);
  t.match(block('json events/none', '{}'), [/no schema events\/none/]);
  t.match(block('json', '{'), [/JSON/]);
  t.strictSame(block('json', '{"any":1}'), []);
  t.end();
});

void t.test('a JSON-RPC message is held to its envelope and its method, a reply to the request above it', (t) => {
  const call = '{"jsonrpc":"2.0","id":1,"method":"fence","params":{"after":{"epoch":1,"dir":"c2s"}}}';
  const rpc = (...lines: readonly string[]): readonly string[] =>
    problems(t, prose(lines.map((line) => `\`\`\`json rpc\n${line}\n\`\`\``).join('\n\n')));
  t.strictSame(rpc(call, '{"jsonrpc":"2.0","id":1,"result":{"n":1}}'), []);
  t.match(rpc(call, '{"jsonrpc":"2.0","id":1,"result":{"n":0}}'), [/fence.result: \/n/]);
  t.match(rpc(call, '{"jsonrpc":"1.0","id":1,"result":{"n":1}}'), [/rpc\/success: \/jsonrpc .*: "2.0"/]);
  t.match(rpc(call, '{"jsonrpc":"2.0","id":2,"result":{"n":1}}'), [/no request with id 2/]);
  t.match(rpc('{"jsonrpc":"2.0","id":1,"method":"fence","params":{}}'), [/fence.params/]);
  t.match(rpc('{"jsonrpc":"2.0","method":"pipe.mark","params":{}}'), [/events\/pipe.mark/, /events\/pipe.mark/]);
  t.match(rpc('{"jsonrpc":"2.0"}', '1'), [/neither request/, /is an object/]);
  t.strictSame(problems(t, prose('```json rpc fence\n{"jsonrpc":"2.0","id":9,"result":{"n":1}}\n```')), []);
  t.end();
});

void t.test('an error in a reply, an event or an example is held to the registry', (t) => {
  const reply = (error: object): readonly string[] =>
    problems(t, prose(`\`\`\`json rpc\n${JSON.stringify({ jsonrpc: '2.0', id: 1, error })}\n\`\`\``));
  t.strictSame(reply({ code: 1001, data: { name: 'no_pipe' } }), []);
  t.match(reply({ code: 1001 }), [/rpc\/failure: \/error .*'data'/, /errors.json has no undefined/]);
  t.match(reply({ code: 1001, data: { name: 'no_such' } }), [/rooms.md:10: errors.json has no no_such/]);
  t.match(reply({ code: 1002, data: { name: 'no_pipe' } }), [/no_pipe has the code 1001 in errors.json, not 1002/]);
  t.match(problems(t, prose('```json events/pipe.gone\n{"error":{"name":"no"}}\n```')), [/errors.json has no no/]);
  const example = examples('events/pipe.gone', 'valid', { c: { error: { name: 'no' } } });
  t.match(problems(t, example), [/pipe.gone\/valid\/c.json: errors.json has no no/]);
  t.end();
});

void t.test('limits are the same wherever they stand, and units are said', (t) => {
  const limits = (key: string, own: object): readonly string[] => {
    const limit = {
      description: 'As named.',
      type: 'integer',
      'x-unit': 'bytes',
      minimum: 1,
      maximum: 99,
      default: 64,
    };
    const kit = [
      schema(key, 'Copied', { type: 'object', properties: { maxMessageBytes: { ...limit, ...own } } }),
      examples(key, 'valid', { a: {}, b: { later: 1 } }),
      examples(key, 'invalid', { 'type--root': 1, 'type--root--two': 2, 'type--root--three': 3 }),
    ];
    return problems(t, Object.assign({}, ...kit) as Files);
  };
  t.strictSame(limits('common/room-limits', {}), []);
  const file = 'schemas/common/room-limits.json';
  t.strictSame(limits('common/room-limits', { minimum: 2, maximum: 98, default: 63 }), [
    `${file}: minimum of maxMessageBytes differs from common/limits`,
    `${file}: maximum of maxMessageBytes differs from common/limits`,
    `${file}: default of maxMessageBytes differs from common/limits`,
  ]);
  t.strictSame(limits('common/requested-limits', { maximum: 999, default: 1 }), []);
  t.match(limits('common/requested-limits', { minimum: 0 }), [/minimum of maxMessageBytes differs/]);
  t.match(limits('common/requested-limits', { 'x-unit': 'ms' }), [/has no x-unit bytes/, /x-unit of maxMessageBytes/]);
  const alien = { maxPipes: { description: 'P.', type: 'integer' } };
  const asked = schema('common/requested-limits', 'Asked', { type: 'object', properties: alien });
  t.match(problems(t, asked), [/requested-limits.json: maxPipes is no limit/, /valid examples/, /invalid examples/]);
  const waits = schema('common/position', 'Position', {
    type: 'object',
    properties: { inner: { description: 'I.', type: 'object', properties: { waitMs: { description: 'W.' } } } },
  });
  t.match(problems(t, waits), [`${PLACE}: /properties/inner/properties/waitMs has no x-unit ms`]);
  t.end();
});

void t.test('asyncapi.yaml names known requirements, known schemas, and every message', (t) => {
  const file = 'spec/asyncapi.yaml';
  const text = readFileSync(join(smallHouse(t.testdir()), file), 'utf8');
  const changed = (from: string, to: string): readonly string[] => problems(t, { [file]: text.replace(from, to) });
  t.strictSame(changed('[ROOM-LIMIT-1]', '[ROOM-LIMIT-9, ROOM-LIMIT-2]'), [
    `${file}: /operations/hear names ROOM-LIMIT-9, which no chapter states`,
  ]);
  t.strictSame(changed('/pipe.gone.json', '/pipe.lost.json'), [
    `${file}: /channels/sibling/messages/m1/payload refers to events/pipe.lost, which is no wire type`,
    `schemas/events/pipe.gone.json: nothing in ${file} refers to it`,
  ]);
  t.strictSame(changed('https://porthouse.example/schemas/v1/events/', '../schemas/events/'), []);
  t.ok(
    changed('channels:', 'channels:\n  tcpSibling: { messages: {} }').includes(
      `${file}: /channels/tcpSibling lacks m1, which /channels/sibling has`,
    ),
  );
  t.match(changed('https://porthouse.example/schemas/v1/events/', 'https://example.com/'), [
    /example.com/,
    /pipe.mark/,
  ]);
  t.end();
});

void t.test('the AsyncAPI document may have no error and no warning', async (t) => {
  const file = 'spec/asyncapi.yaml';
  t.strictSame(await validateAll(smallHouse(t.testdir())), []);
  t.strictSame(await validateAll(smallHouse(t.testdir(), { [file]: null })), [`${file}: missing`]);
  const found = await validateAll(smallHouse(t.testdir(), { [file]: 'asyncapi: 3.1.0\ninfo: { title: X }\n' }));
  t.ok(found.some((line) => /^spec\/asyncapi.yaml:\d+: info/.test(line)));
});
