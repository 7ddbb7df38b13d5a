import { test } from 'tap';
import { parseCase } from './cases.js';
import { expand } from './expand.js';
import type { Case, Step } from './model.js';
import { asText } from './model.js';

const HEAD = 'id: area/name\ntitle: A title that says something\n';

function parse(text: string, head = HEAD): ReturnType<typeof parseCase> {
  return parseCase({ file: 'area/name.yaml', text: `${head}${text}` });
}

function only(text: string): Case {
  const { cases, problems } = parse(text);
  const [first] = cases;
  if (first === undefined) throw new Error(JSON.stringify(problems));
  return first;
}

const GOOD = `given: { members: [alice, bob] }
steps:
  - send: { from: alice, text: hello, as: it }
  - exactly: { at: bob, messages: [{ sent: it }] }
    proves: DELIV-1
`;

test('a case file', (t) => {
  t.test('becomes a case with the line of each step', (t) => {
    const { steps, given, accounts, tags } = only(GOOD);
    t.same(
      steps.map(({ verb, line, proves }) => [verb, line, proves]),
      [
        ['send', 5, []],
        ['exactly', 6, ['DELIV-1']],
      ],
    );
    t.same(Object.keys(given.members), ['alice', 'bob']);
    t.match(given.members['alice'], { account: 'a', room: 'main', pipe: true, command: true, debug: false });
    t.same([accounts, tags], [1, []]);
    t.end();
  });

  t.test('needs two accounts when it names the second one', (t) => {
    t.equal(only(GOOD.replace('[alice, bob]', '{ alice: {}, bob: { account: b } }')).accounts, 2);
    t.equal(only(GOOD.replace('hello', "'${b.token}'")).accounts, 2);
    t.equal(only(GOOD.replace('hello', '$b.token')).accounts, 2);
    t.end();
  });

  t.test('becomes one case per row, with the values of the row', (t) => {
    const rows = `rows:
  - { name: one, what: { text: x }, size: 5 }
  - { name: two, what: { hex: 'ff' }, size: limit+1 }
`;
    const text = GOOD.replace('text: hello', 'message: $what').replace('steps:', `${rows}steps:`);
    const { cases, problems } = parse(text);
    t.same(problems, []);
    t.same(
      cases.map(({ id, steps }) => [id, steps[0]?.fields['message']]),
      [
        ['area/name#one', { text: 'x' }],
        ['area/name#two', { hex: 'ff' }],
      ],
    );
    t.end();
  });

  t.test('keeps names that no row has, and puts text into text', (t) => {
    const text = GOOD.replace('hello', "'${what}-${run}'").replace('steps:', 'rows: [{ name: one, what: x }]\nsteps:');
    t.equal(only(text).steps[0]?.fields['text'], 'x-${run}');
    t.end();
  });

  t.test('is refused with the line at which it is no case', (t) => {
    const refused = (text: string, line: number, what: RegExp): void => {
      const [problem] = parse(text).problems;
      t.match(problem, { file: 'area/name.yaml', line, what }, what.source);
    };
    refused('steps: [', 3, /./);
    refused(GOOD.replace('send:', 'shout:'), 5, /additional properties \(shout\)/);
    refused(
      GOOD.replace('    proves: DELIV-1\n', '  - send: { from: alice }\n    call: { at: alice, method: fence }\n'),
      7,
      /one verb, not send and call/,
    );
    refused(`${GOOD}  - proves: DELIV-1\n`, 8, /no verb/);
    refused(GOOD.replace('at: bob, ', ''), 6, /required property 'at'/);
    refused(GOOD.replace('hello', '{ a: 1 }'), 5, /must be string/);
    refused(`tags: [quick]\n${GOOD}`, 3, /allowed values \(slow\)/);
    refused(GOOD.replace('hello', '*greeting'), 1, /greeting/);
    t.end();
  });
  t.end();
});

test('a run', (t) => {
  t.test('begins and ends with the bystanders, and opens members in order', (t) => {
    const steps = expand(only(GOOD));
    const verbs = steps.map(({ part, verb, fields }) =>
      `${part} ${verb} ${asText(fields['as'] ?? fields['pipe'] ?? fields['member'])}`.trim(),
    );
    t.same(verbs, [
      'bystander grant bystander1',
      'bystander open bystander1',
      'bystander grant bystander2',
      'bystander open bystander2',
      'bystander control',
      'given grant alice',
      'given bind alice',
      'given open alice',
      'given expect',
      'given grant bob',
      'given bind bob',
      'given open bob',
      'given expect',
      'main send it',
      'main exactly',
      'bystander control',
    ]);
    t.same(
      steps
        .filter(({ verb, part }) => verb === 'grant' && part === 'given')
        .map(({ fields, needs }) => [fields['create'], needs]),
      [
        [true, 'OPEN-9'],
        [undefined, 'OPEN-1'],
      ],
    );
    t.end();
  });

  t.test('has one bystander come by the transport that it is about, and nonces go both ways', (t) => {
    const by = (members: string): Step[] =>
      expand(only(GOOD.replace('[alice, bob]', members))).filter(({ part }) => part === 'bystander');
    const transports = (members: string) =>
      by(members).flatMap(({ verb, fields }) => (verb === 'grant' ? [fields['request']] : []));
    t.same(transports('[alice, bob]'), [{}, {}]);
    t.same(transports('{ alice: { transport: udp }, bob: {} }'), [{ transport: 'udp' }, {}]);
    t.same(transports('{ alice: { transport: udp }, bob: { transport: ftp } }'), [{ transport: 'ftp' }, {}]);
    t.same(
      by('{ alice: { transport: tcp }, bob: {} }').flatMap(({ verb, fields }) =>
        verb === 'control' ? [fields['of']] : [],
      ),
      [
        ['bystander1', 'bystander2'],
        ['bystander2', 'bystander1'],
        ['bystander1', 'bystander2'],
      ],
    );
    t.end();
  });

  t.test('expects what its file left out', (t) => {
    const steps = expand(
      only(`given: { members: [alice, bob] }
steps:
  - grant: { as: carol }
  - open: { pipe: carol }
  - open: { sibling: carol, as: second }
  - bind: { member: carol, as: second }
  - fence: { at: alice }
  - call: { at: alice.command, method: pipe.state }
    expect: { reply: {} }
  - call: { at: alice.command, method: pipe.state, as: mine }
    expect: { error: forbidden }
  - bind: { member: carol, as: second, await: false }
  - raw: { at: alice.command, message: '[]' }
    expect: { error: invalid_request }
  - control: [alice, bob]
    proves: DELIV-1
`),
    ).filter(({ part }) => part === 'main');
    t.same(
      steps.map(({ expect }) => expect),
      [
        { at: 'carol.grant', status: 201 },
        { at: 'carol.pipe', opened: {} },
        { at: 'carol.second', event: 'sibling.hello' },
        { at: 'carol.second', to: `bind:${String(steps[3]?.index)}`, reply: {} },
        { at: 'alice.command', to: `fence:${String(steps[4]?.index)}`, reply: {} },
        { at: 'alice.command', to: `call:${String(steps[5]?.index)}`, reply: {} },
        { at: 'alice.command', to: 'mine', error: 'forbidden' },
        undefined,
        { at: 'alice.command', error: 'invalid_request' },
        undefined,
      ],
    );
    t.end();
  });
  t.end();
});
