import { test } from 'tap';
import { casesFolder, loadCases, parseCase } from './cases.js';
import { lintCases } from './lint.js';

const HEAD = 'id: area/name\ntitle: A title that says something\n';

function parse(text: string, head = HEAD): ReturnType<typeof parseCase> {
  return parseCase({ file: 'area/name.yaml', text: `${head}${text}` });
}

const GOOD = `given: { members: [alice, bob] }
steps:
  - send: { from: alice, text: hello, as: it }
  - exactly: { at: bob, messages: [{ sent: it }] }
    proves: DELIV-1
`;

const lint = (text: string): string[] =>
  lintCases(parse(text).cases).map(({ line, what }) => `${String(line)}: ${what}`);

test('the linter', (t) => {
  t.same(lint(GOOD), [], 'lets a good case pass');

  const refused: readonly (readonly [name: string, text: string, problem: RegExp])[] = [
    ['a case that proves nothing', GOOD.replace('    proves: DELIV-1\n', ''), /5: it proves nothing/],
    ['an unknown requirement', GOOD.replace('DELIV-1', 'DELIV-99'), /6: no requirement is called DELIV-99/],
    [
      'a proof where nothing is seen',
      GOOD.replace('as: it }', 'as: it }\n    proves: DELIV-2'),
      /5: a step with proves must expect something/,
    ],
    [
      'a case without live control',
      GOOD.replace('exactly: { at: bob, messages: [{ sent: it }] }', 'expect: { at: alice, alive: true }'),
      /no live control/,
    ],
    [
      'a refusal without its accepted twin',
      `given: { members: [alice] }\nsteps:\n  - http: { as: r, to: /nope }\n    expect: { status: 404 }\n    proves: DISC-4\n`,
      /5: it refuses without/,
    ],
    [
      'silence without anything heard',
      `given: { members: [alice] }\nsteps:\n  - none: { at: alice.command, event: pipe.ended }\n    proves: PIPE-2\n`,
      /5: it refuses without/,
    ],
    [
      'an unknown error',
      `${GOOD}  - expect: { at: alice.command, error: went_wrong }\n`,
      /8: no error is called went_wrong/,
    ],
    [
      'an unknown error inside an event',
      `${GOOD}  - expect: { at: alice.command, event: pipe.refused, params: { error: { name: too_big } } }\n`,
      /8: no error is called too_big/,
    ],
    [
      'a code that is not the registry’s',
      `${GOOD}  - expect: { at: alice.command, error: forbidden, code: 7 }\n`,
      /8: forbidden has code 1002, not 7/,
    ],
    [
      'an unknown event',
      `${GOOD}  - expect: { at: alice.command, event: pipe.burst }\n`,
      /8: no event is called pipe\.burst/,
    ],
    [
      'an unknown event in a window',
      `${GOOD}  - exactly: { at: alice.command, events: [{ event: pipe.burst }] }\n`,
      /8: no event is called pipe\.burst/,
    ],
    [
      'an unknown call',
      `${GOOD}  - call: { at: alice.command, method: pipe.dream }\n`,
      /8: no call is called pipe\.dream/,
    ],
    [
      'an unknown operator',
      `${GOOD}  - expect: { at: alice.command, event: pipe.opened, params: { epoch: { $above: 1 } } }\n`,
      /8: no operator is called \$above/,
    ],
    [
      'an unknown schema',
      `${GOOD}  - http: { as: d, to: discovery }\n    expect: { status: 200, schema: http/disco }\n`,
      /8: there is no schema http\/disco/,
    ],
    ['an unknown limit', GOOD.replace('text: hello', 'bytes: maxDreams+1'), /5: no limit is called maxDreams/],
    ['an unknown profile', `profile: teleport\n${GOOD}`, /1: no profile is called teleport/],
    ['an unknown variable', GOOD.replace('hello', '$nobody.sid'), /5: nothing is known as \$nobody/],
    ['a variable before it was saved', GOOD.replace('hello', '$later'), /5: nothing is known as \$later/],
    ['a member who is not there', GOOD.replace('from: alice', 'from: zoe'), /5: there is no zoe/],
    [
      'a room that is not given',
      GOOD.replace('[alice, bob]', '{ alice: {}, bob: { room: attic } }'),
      /1: bob is in room attic/,
    ],
    [
      'the name of a bystander',
      GOOD.replace('[alice, bob]', '[alice, bob, bystander1]'),
      /1: bystander1 is the name of a bystander/,
    ],
    [
      'a long wait that is not tagged',
      `${GOOD}  - clock: { pass: 2001 }\n`,
      /8: a case that waits over 2,000 ms is tagged slow/,
    ],
  ];
  for (const [name, text, problem] of refused) {
    t.test(`refuses ${name}`, (t) => {
      t.ok(
        lint(text).some((each) => problem.test(each)),
        JSON.stringify([parse(text).problems, lint(text)]),
      );
      t.end();
    });
  }

  t.test('refuses an id that is not its path, a second case of the same id, and unknown mutants', (t) => {
    const { cases } = parseCase({ file: 'other/place.yaml', text: `${HEAD}${GOOD}mutants: [no-such]\n` });
    const faults = lintCases([...cases, ...cases], { mutants: new Set() }).map(({ what }) => what);
    t.same(faults, ['its id is other/place, not area/name', 'no mutant is called no-such', 'area/name is there twice']);
    t.end();
  });

  t.test('lets variables pass that members, rows, rooms and earlier steps give', (t) => {
    const text = `rows: [{ name: one, size: 5 }]
given: { rooms: { other: {} }, members: [alice, bob] }
steps:
  - call: { at: alice.command, method: pipe.state }
    expect: { reply: {} }
    save: { state: /state }
  - grant: { as: carol, room: $rooms.other, request: { limits: { ringEvents: $limits.ringEvents } } }
    expect: { status: { $in: [201, 404] } }
  - send: { from: alice, text: '\${state.sid} \${carol.sid} \${run} \${server.host} $$5', as: it }
  - send: { from: alice, bytes: $size }
  - exactly: { at: bob, messages: [{ sent: it }, any] }
    proves: DELIV-1
`;
    t.same(lint(text), []);
    t.end();
  });

  t.test('finds nothing wrong with the cases of this suite', (t) => {
    const { cases, problems } = loadCases(casesFolder());
    t.same(problems, []);
    t.same(lintCases(cases), []);
    t.ok(cases.length > 0);
    t.end();
  });
  t.end();
});
