import { test } from 'tap';
import { loadCases, parseCase } from '../cases.js';
import { expand } from '../expand.js';
import type { Verdict } from '../judge/judge.js';
import type { Case } from '../model.js';
import { AXES, axesOf, axisNames, isWay, valuesOf } from './axes.js';
import type { Axis, Choice } from './axes.js';
import { pairsOf, pairwise, permutations, product } from './cover.js';
import { baseOf, combinationOf, permute, suffixOf } from './permute.js';
import type { PermutedRun } from './twins.js';
import { debugChecks, familiesOf, suspectsOf, whereItFails } from './twins.js';

function caseFrom(text: string): Case {
  const { cases, problems } = parseCase({
    file: 'area/name.yaml',
    text: `id: area/name\ntitle: A title to test\n${text}`,
  });
  const [first] = cases;
  if (first === undefined) throw new Error(JSON.stringify(problems));
  return first;
}

const END = '  - exactly: { at: bob, messages: [{ text: hello }, { from: alice }] }\n    proves: DELIV-1\n';
const SENDS = '  - send: { from: alice, text: hello }\n  - send: { from: alice, bytes: 9 }\n';
const given = (members: string, steps: string, more = ''): Case =>
  caseFrom(`${more}given: { members: ${members} }\nsteps:\n${steps}${END}`);
const free = given('[alice, bob]', SENDS);

const areaOf = ({ id }: Case): string => id.split('/')[0] ?? id;

const whole = (id: string) =>
  Object.fromEntries(axisNames.map((axis) => [axis, combinationOf(id)?.[axis] ?? AXES[axis][0]]));

const manners = axisNames.filter((axis) => !isWay(axis));
const choicesOf = (axes: readonly Axis[], of = free): readonly Choice[] =>
  axes.map((axis) => ({ axis, values: valuesOf(of, axis) }));

// Two first values are in the case itself.
const isOwn = (pair: string): boolean =>
  pair.split(' ').every((value) => axisNames.some((axis) => value === `${axis}=${AXES[axis][0]}`));

test('a case allows the axes that cannot touch what it is about', (t) => {
  t.same(axesOf(free), axisNames);
  const allowed: readonly (readonly [what: string, of: Case, axes: readonly Axis[]])[] = [
    ['a file that says none', given('[alice, bob]', SENDS, 'axes: none\n'), []],
    ['a file that names one', given('[alice, bob]', SENDS, 'axes: [frag]\n'), ['frag']],
    ['a canary', given('[alice, bob]', SENDS, 'canary: true\n'), []],
    ['a slow case', given('[alice, bob]', SENDS, 'tags: [slow]\n'), []],
    ['time that passes', given('[alice, bob]', `${SENDS}  - clock: { pass: 5 }\n`), ['kind', 'frag']],
    ['a debug channel of its own', given('{ alice: { debug: true }, bob: {} }', SENDS), ['kind', 'frag', 'order']],
    [
      'scopes of its own',
      given('{ alice: { scopes: [send] }, bob: { command: false } }', SENDS),
      ['kind', 'frag', 'order'],
    ],
    ['formats', given('{ alice: {}, bob: { formats: { receive: [text] } } }', SENDS), ['debug', 'frag', 'order']],
    [
      'fragments of its own',
      given('[alice, bob]', '  - send: { from: alice, text: hello, fragments: 2 }\n'),
      ['debug', 'kind', 'order'],
    ],
    ['raw frames', given('[alice, bob]', `${SENDS}  - raw: { at: alice, hex: "8900" }\n`), ['debug', 'order']],
    [
      'bytes that may be no text',
      given('[alice, bob]', '  - send: { from: alice, hex: ff }\n'),
      ['debug', 'frag', 'order'],
    ],
    [
      'a short life',
      given('{ alice: { limits: { sessionLingerMs: 20 } }, bob: {} }', SENDS),
      ['kind', 'frag', 'order'],
    ],
    ['a small ring', given('{ alice: { limits: { ringEvents: 4 } }, bob: {} }', SENDS), ['debug', 'kind', 'frag']],
  ];
  for (const [what, of, axes] of allowed)
    t.same(
      axesOf(of).filter((axis) => !isWay(axis)),
      axes,
      what,
    );
  t.end();
});

test('a permutation', (t) => {
  t.test('has its own id, from which it can be made again', (t) => {
    for (const combination of product(choicesOf(axisNames))) {
      const made = permute(free, combination);
      t.equal(baseOf(made?.id ?? ''), free.id);
      t.same(permute(free, combinationOf(made?.id ?? '') ?? {}), made);
    }
    t.equal(permute(free, { debug: 'off' }), free, 'the first values make the case itself');
    t.equal(suffixOf({ frag: '3', debug: 'on' }), '[debug=on,frag=3]');
    for (const odd of ['a/b[x=1]', 'a/b[debug=maybe]', 'a/b[]']) t.equal(combinationOf(odd), undefined, odd);
    t.equal(permute(given('[alice, bob]', SENDS, 'axes: none\n'), { frag: '3' }), undefined);
    t.end();
  });

  t.test('gives members a debug channel, and takes it from them in the middle', (t) => {
    const on = expand(permute(free, { debug: 'on' }) ?? free).filter(({ fields }) => fields['channel'] === 'debug');
    t.same(
      on.map(({ fields }) => fields['member']),
      ['alice', 'bob'],
    );
    const cut = permute(free, { debug: 'killed' })?.steps.map(({ verb, fields }) =>
      verb === 'cut' ? fields['at'] : verb,
    );
    t.same(cut, ['send', 'alice.debug', 'send', 'bob.debug', 'exactly']);
    t.end();
  });

  t.test('opens pipes before it binds', (t) => {
    const verbs = (of: Case): string[] =>
      expand(of)
        .filter(({ part }) => part === 'given')
        .map(({ verb }) => verb);
    t.same(verbs(free).slice(0, 4), ['grant', 'bind', 'open', 'expect']);
    t.same(verbs(permute(free, { order: 'pipe' }) ?? free).slice(0, 4), ['grant', 'open', 'bind', 'expect']);
    t.end();
  });

  t.test('sends in the other kind and in fragments, and expects what it sends', (t) => {
    const steps = permute(free, { kind: 'other', frag: '3' })?.steps.map(({ fields }) => fields);
    t.match(steps, [
      { text: 'hello', kind: 'binary', fragments: 3 },
      { bytes: 9, kind: 'text', fragments: 3 },
      { messages: [{ text: 'hello', kind: 'binary' }, { from: 'alice' }] },
    ]);
    t.end();
  });
  t.end();
});

test('members come by another transport only where a case is the same for all', (t) => {
  const ways = (of: Case) => [valuesOf(of, 'in').slice(1), valuesOf(of, 'out').slice(1)];
  const text = '  - send: { from: alice, text: hello }\n';
  const everyWay = ['line', 'frame', 'udp', 'ftp', 'form'];
  t.same(ways(given('[alice, bob]', text)), [everyWay, everyWay.slice(0, -1)]);
  const cases: readonly (readonly [what: string, of: Case, ways: readonly (readonly string[])[]])[] = [
    ['bytes, which may hold a line end', given('[alice, bob]', SENDS), [everyWay.slice(1), ['frame', 'udp', 'ftp']]],
    [
      'more than a datagram holds',
      given('[alice, bob]', '  - send: { from: alice, bytes: 1001 }\n'),
      [
        ['frame', 'ftp', 'form'],
        ['frame', 'ftp'],
      ],
    ],
    [
      'somebody who does both',
      given('[alice, bob]', `${text}  - exactly: { at: alice, messages: [] }\n`),
      [['line', 'frame', 'udp', 'ftp'], []],
    ],
    ['fragments', given('[alice, bob]', '  - raw: { at: alice, hex: "8900" }\n'), [[], []]],
    ['a close code', given('[alice, bob]', `${text}  - expect: { at: bob, closed: { code: 1000 } }\n`), [[], []]],
    ['formats', given('{ alice: {}, bob: { formats: { receive: [text] } } }', text), [[], []]],
    ['a transport of its own', given('{ alice: { transport: udp }, bob: {} }', text), [[], []]],
  ];
  for (const [what, of, expected] of cases) t.same(ways(of), expected, what);
  const moved = permute(given('[alice, bob, carol]', text), { in: 'line', out: 'udp' })?.given.members;
  t.match(moved, {
    alice: { request: { transport: 'tcp', framing: 'line' } },
    bob: { request: { transport: 'udp' } },
    carol: { request: {} },
  });
  t.same(moved?.['carol']?.request, {}, 'whoever is not looked at stays where it is');
  t.end();
});

test('pairwise', (t) => {
  t.test('holds every pair of values of two axes, with far fewer combinations than there are', (t) => {
    for (const seed of [1, 2, 3]) {
      const chosen = pairwise(choicesOf(manners), seed);
      const covered = new Set(chosen.flatMap(pairsOf));
      for (const [index, a] of manners.entries()) {
        for (const b of manners.slice(index + 1)) {
          for (const x of AXES[a])
            for (const y of AXES[b]) t.ok(covered.has(`${a}=${x} ${b}=${y}`), `${a}=${x} ${b}=${y}`);
        }
      }
      t.ok(chosen.length <= 8, String(chosen.length));
      t.same(chosen[0], { debug: 'off', kind: 'own', frag: '1', order: 'bind' });
    }
    t.same(pairwise(choicesOf(['debug']), 1).length, 3);
    t.same(pairwise([], 1), [{}]);
    t.end();
  });

  t.test('is shared out among the files of an area; the seed says to which', (t) => {
    const { cases } = loadCases();
    const options = { seed: 7, isOffered: () => true };
    const made = permutations(cases, 'pairwise', options);
    t.same(
      permutations(cases, 'pairwise', options).map(({ id }) => id),
      made.map(({ id }) => id),
      'the seed decides',
    );
    t.equal(new Set(made.map(({ id }) => id)).size, made.length);
    const drawnBy = (seed: number): readonly string[] =>
      permutations(cases, 'pairwise', { ...options, seed }).map(({ file }) => file);
    const often = new Set([1, 2, 3, 4, 5, 6].flatMap(drawnBy));
    t.ok(often.size > new Set(drawnBy(7)).size, 'others in other runs');
    const able = new Set(cases.filter((of) => axesOf(of).some((axis) => !isWay(axis))).map(areaOf));
    const areas = new Set(made.map(areaOf));
    t.same(
      [...able].filter((area) => !areas.has(area)),
      [],
      'no area has none',
    );
    const allowed = new Map(cases.map((of) => [of.id, axesOf(of)]));
    const inDelivery = made.filter(({ id }) => id.startsWith('delivery/'));
    const covered = new Set(
      inDelivery.flatMap(({ id }) => {
        const axes = allowed.get(baseOf(id)) ?? [];
        return pairsOf(
          Object.fromEntries(Object.entries(whole(id)).filter(([axis]) => axes.some((own) => own === axis))),
        );
      }),
    );
    const wanted = product(choicesOf(manners))
      .flatMap(pairsOf)
      .filter((pair) => !isOwn(pair));
    t.same(
      wanted.filter((pair) => !covered.has(pair)),
      [],
    );
    const ways = new Set(made.flatMap(({ id }) => pairsOf(combinationOf(id) ?? {})));
    for (const a of AXES.in) {
      for (const b of AXES.out) {
        const own = a === 'websocket' || b === 'websocket'; // which stands in no id
        t.ok(own || ways.has(`in=${a} out=${b}`), `from ${a} to ${b}`);
      }
    }
    t.ok(made.filter(({ id }) => id.includes('=ftp')).length < 20, 'what is dear comes no more often than it must');
    t.ok(permutations(cases, 'all', options).length > made.length);
    t.same(permutations(cases, 'none', options), []);
    t.notOk(
      permutations(cases, 'all', { seed: 1, isOffered: (axis) => axis !== 'debug' }).some(({ id }) =>
        id.includes('debug='),
      ),
    );
    t.end();
  });
  t.end();
});

test('what fails in some permutations', (t) => {
  const run = (suffix: string, verdict: Verdict): PermutedRun => ({
    id: `a/b${suffix}`,
    verdict,
    run: 'r',
    checks: [],
  });
  const where = (...runs: readonly PermutedRun[]): string[] => familiesOf(runs).map(whereItFails);
  const [own, on, both] = [run('', 'PASS'), run('[debug=on]', 'FAIL'), run('[debug=on,frag=3]', 'FAIL')];

  t.test('is laid to the value that all failing ones have, where there is one', (t) => {
    t.same(where(own, on, both, run('[frag=3]', 'PASS')), ['in 2 of 4 permutations: debug=on']);
    t.same(where(run('', 'FAIL'), on), ['in all 2 permutations']);
    t.same(where(own, on, run('[frag=3]', 'FAIL')), ['in 2 of 3 permutations: [debug=on], [frag=3]']);
    t.same(where(run('', 'FAIL'), run('', 'PASS')), ['in 1 of 2 runs: as it stands']);
    t.same(where(own), ['']);
    t.end();
  });

  t.test('is tried once more with each change alone', (t) => {
    const ids = (...runs: readonly PermutedRun[]) =>
      suspectsOf(runs).map(({ id, combination }) => `${id}${suffixOf(combination)}`);
    t.same(ids(own, both), ['a/b[debug=on]', 'a/b[frag=3]']);
    t.same(ids(own, both, on), ['a/b[frag=3]']);
    t.same(ids(run('', 'FAIL'), both), [], 'what fails anyway needs no other cause');
    t.end();
  });

  t.test('breaks DBG-3 where a debug channel alone makes the difference', (t) => {
    t.match(debugChecks([own, on]), [{ requirement: 'DBG-3', verdict: 'FAIL', case: 'a/b[debug=on]' }]);
    t.match(debugChecks([own, run('[debug=killed]', 'PASS')]), [{ requirement: 'DBG-3', verdict: 'PASS', case: '*' }]);
    t.same(debugChecks([own, both]), []);
    t.same(debugChecks([run('', 'FAIL'), on]), []);
    t.end();
  });
  t.end();
});
