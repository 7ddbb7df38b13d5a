import { test } from 'tap';
import { loadCases } from '../cases.js';
import type { Check, Verdict } from '../judge/judge.js';
import type { Case } from '../model.js';
import type { WireMutant } from '../mutants/mutant.js';
import { identity } from '../mutants/registry.js';
import type { Mutant } from './catalogue.js';
import { emptyClaims } from './claims.js';
import type { MutantResult } from './try-mutant.js';
import { judgeMutant } from './verdict.js';

const wire = (changes: Partial<WireMutant>): Mutant => {
  const mutant: WireMutant = { ...identity, ...changes };
  return { ...mutant, kind: 'wire', wire: mutant };
};

test('a mutant is killed only by FAILs of what it breaks, and by nothing else', (t) => {
  const mutant = wire({ name: 'x', breaks: ['DELIV-1', 'DELIV-2'], also: ['POS-1'] });
  const check = (requirement: string, verdict: Verdict, of = 'a/b'): Check => ({
    case: of,
    run: '1',
    step: 3,
    requirement,
    verdict,
  });
  const state = (checks: readonly Check[], applies = (_: string) => true, passedBefore = (_: Check) => true) =>
    judgeMutant(mutant, { checks, canaries: new Set(['canary/opening']), applies, passedBefore });
  const both = [check('DELIV-1', 'FAIL'), check('DELIV-2', 'WARN')];
  t.match(state(both), { state: 'killed', survived: [] });
  t.match(state([...both, check('POS-1', 'FAIL')]), { state: 'killed', expectedBesides: [{ requirement: 'POS-1' }] });
  t.match(state([check('DELIV-1', 'FAIL'), check('DELIV-2', 'INCONCLUSIVE')]), {
    state: 'survived',
    reason: 'DELIV-2 INCONCLUSIVE',
  });
  t.match(state([check('DELIV-1', 'FAIL')]), { state: 'survived', reason: 'DELIV-2 has no case' });
  t.match(state([...both, check('SIB-1', 'FAIL')]), { state: 'false-alarm', reason: 'SIB-1 fails in a/b' });
  t.match(state([check('OPEN-1', 'INCONCLUSIVE', 'canary/opening')]), { state: 'invalid' });
  t.match(
    state(both, () => false),
    { state: 'skipped' },
  );
  t.match(
    state(both, (id) => id === 'DELIV-1'),
    { state: 'killed' },
  );
  t.match(
    state(
      both,
      () => true,
      () => false,
    ),
    { state: 'survived' },
    'what fails before the good server does not count',
  );
  t.end();
});

test('a case that promises to kill a mutant, and fails before none, makes an empty claim', (t) => {
  const [of] = loadCases().cases;
  if (of === undefined) throw new Error('there are no cases');
  const claiming = (id: string, mutants: readonly string[]): Case => ({ ...of, id, mutants });
  const kill = { requirement: 'DELIV-1', case: 'a/b#second', why: 'WRONG' };
  const tried = { state: 'killed', kills: [kill], survived: [], alarms: [], expectedBesides: [], seconds: 1 } as const;
  const result: MutantResult = { ...tried, mutant: wire({ name: 'x' }), cases: ['a/b#first', 'a/b#second', 'c/d'] };
  const claims = (mutants: readonly Case[], known?: ReadonlySet<string>) => emptyClaims(mutants, [result], known);
  t.same(claims([claiming('a/b#first', ['x']), claiming('a/b#second', ['x'])]), [], 'one row is enough');
  t.same(claims([claiming('c/d', ['x'])]), [{ case: 'c/d', mutant: 'x', exists: true }]);
  t.same(claims([claiming('e/f', ['x', 'y'])]), [], 'what was not run or not tried is not held against a case');
  t.same(
    claims([claiming('e/f', ['y'])], new Set(['x'])),
    [{ case: 'e/f', mutant: 'y', exists: false }],
    'a mutant that is not there',
  );
  t.end();
});
