import t, { type Test } from 'tap';
import { chapter, LIMIT_1, smallHouse } from '../testing/house.js';
import { type Files } from '../testing/wire.js';
import { readRegister } from './register.js';

const CASE = 'conformance/cases/rooms/limit.yaml';
const CHAPTER = 'spec/protocol/rooms.md';
const EXCLUSIONS = 'spec/exclusions.yaml';

function problems(t: Test, changes: Files): readonly string[] {
  return readRegister(smallHouse(t.testdir(), changes)).problems;
}

/** Enough covered MUSTs for one exclusion to be under the share. */
function roomy(extra: string): Files {
  const ids = Array.from({ length: 9 }, (_unused, at) => `ROOM-MANY-${String(at + 1)}`);
  const sentences = ids.map((id) => `**${id}.** A router MUST do it.`).join('\n');
  return {
    [CHAPTER]: chapter(`${LIMIT_1}\n${sentences}\n${extra}`),
    [CASE]: `id: rooms/limit\nproves: [ROOM-LIMIT-1, ${ids.join(', ')}]\n`,
  };
}

void t.test('a requirement carries level, profile, section, sentence, hash and cases', (t) => {
  const register = readRegister(smallHouse(t.testdir()));
  t.strictSame(register.problems, []);
  t.strictSame(register.requirements[0], {
    id: 'ROOM-LIMIT-1',
    level: 'MUST NOT',
    profile: 'core',
    section: 'rooms.md#size-limits',
    sentence: 'A router MUST NOT deliver any part of a message longer than `MAY`.',
    hash: '025fbe312bc1',
    cases: ['rooms/limit'],
  });
  t.equal(register.requirements[1]?.level, 'MAY');
  t.end();
});

void t.test('the hash ignores where lines break and notices a changed word', (t) => {
  const hash = (text: string): string | undefined =>
    readRegister(smallHouse(t.testdir(), { [CHAPTER]: chapter(text) })).requirements[0]?.hash;
  t.equal(hash(LIMIT_1), hash(LIMIT_1.replace('deliver\nany', 'deliver any')));
  t.not(hash(LIMIT_1), hash(LIMIT_1.replace('any', 'a')));
  t.end();
});

void t.test('a later profile line replaces the one before it', (t) => {
  const text = `${LIMIT_1}\n\nProfile: \`tcp\`\n\n**TCP-1.** It MAY.`;
  const { requirements } = readRegister(smallHouse(t.testdir(), { [CHAPTER]: chapter(text) }));
  t.strictSame(
    requirements.map(({ profile }) => profile),
    ['core', 'tcp'],
  );
  t.end();
});

void t.test('a flaw in the prose is named with its line', (t) => {
  const prose = (text: string): readonly string[] => problems(t, { [CHAPTER]: chapter(`${LIMIT_1}\n${text}`) });
  t.match(prose('**ROOM-LIMIT-1.** It MAY.'), ['ROOM-LIMIT-1 is stated twice']);
  t.match(prose('**ROOM-2.** It does.'), [/^spec\/protocol\/rooms.md:9: ROOM-2 has no keyword/]);
  t.match(prose('**ROOM-2.** It MUST and MAY.'), [/ROOM-2 has 2 keywords \(MUST, MAY\)/]);
  t.match(prose('**ROOM-2.** It MAY and SHALL.'), [/ROOM-2 uses a keyword outside/]);
  t.match(prose('**ROOM-2** It MAY.'), [/full stop inside the bold/]);
  t.match(prose('\nA router MUST behave.'), [/rooms.md:10: MUST outside a requirement/]);
  t.match(problems(t, { [CHAPTER]: LIMIT_1 }), [/ROOM-LIMIT-1 has no line "Profile/, /proves ROOM-LIMIT-1, which no/]);
  t.strictSame(prose('\n"MUST" and "MAY" are as in BCP 14.\n\n```text\nMUST\n```'), []);
  t.end();
});

void t.test('every level but MAY needs a case or an exclusion', (t) => {
  for (const level of ['MUST', 'MUST NOT', 'SHOULD', 'SHOULD NOT']) {
    const text = chapter(`${LIMIT_1}\n**ROOM-2.** It ${level} go.`);
    t.strictSame(problems(t, { [CHAPTER]: text }), [`ROOM-2 (${level}) has no case and no exclusion`]);
  }
  t.end();
});

void t.test('a case that proves an unknown id, or cannot be read, is named', (t) => {
  t.match(problems(t, { [CASE]: 'id: a/b\nproves: [ROOM-LIMIT-1, NONE-1]' }), ['a/b proves NONE-1, which no chapter']);
  t.match(problems(t, { 'conformance/cases/x.yaml': 'steps: []' }), ['conformance/cases/x.yaml: a case has no id']);
  t.match(problems(t, { 'conformance/cases/x.yaml': 'id: "' }), [/^conformance\/cases\/x.yaml: /]);
  t.end();
});

void t.test('a case whose rows say what it proves, proves all of it', (t) => {
  const rows =
    'id: a/b\nrows:\n  - { proof: ROOM-LIMIT-1 }\n  - { proof: [ROOM-LIMIT-2, NONE-1] }\n  - {}\nproves: $proof';
  const { requirements, problems } = readRegister(smallHouse(t.testdir(), { [CASE]: rows }));
  t.strictSame(
    requirements.map(({ cases }) => cases),
    [['a/b'], ['a/b']],
  );
  t.strictSame(problems, ['a/b proves NONE-1, which no chapter states']);
  t.end();
});

void t.test('an exclusion needs a known id, a listed reason, a why, and no case', (t) => {
  const excluded = (yaml: string): readonly string[] =>
    problems(t, { ...roomy('**ROOM-X-1.** It MUST forget.'), [EXCLUSIONS]: yaml });
  t.strictSame(excluded('- { id: ROOM-X-1, reason: storage, why: unseen }'), []);
  t.match(excluded('- { id: ROOM-X-1, reason: laziness, why: unseen }'), [/reason is not one of entropy/, /no case/]);
  t.match(excluded('- { id: ROOM-X-1, reason: storage }'), [/ROOM-X-1: no why/, /no case/]);
  t.match(excluded('- { reason: storage, why: unseen }'), [/an entry has no id/, /no case/]);
  t.match(excluded('a: 1'), [/not a list/, /no case/]);
  const both = '- { id: ROOM-X-1, reason: storage, why: unseen }\n';
  t.match(excluded(`${both}${both}`), [/ROOM-X-1 is listed twice/]);
  t.match(excluded(`${both}- { id: NO-1, reason: storage, why: unseen }`), ['exclusion of unknown NO-1']);
  t.match(excluded(`${both}- { id: ROOM-LIMIT-1, reason: storage, why: unseen }`), [
    'ROOM-LIMIT-1 is excluded although rooms/limit proves it',
    /2 of 11 MUSTs are excluded, more than 15 %/,
  ]);
  t.end();
});
