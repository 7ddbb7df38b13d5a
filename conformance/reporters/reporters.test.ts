import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { test } from 'tap';
import { packageRoot } from '../../support/package-root.js';
import { judgeTimeline } from '../judge-command.js';
import type { Check } from '../judge/judge.js';
import type { CaseReport, SuiteReport } from '../report.js';
import { arrived, of, records, without } from '../testing/recorded.js';
import { parseTap } from '../testing/tap.js';
import type { TimelineRecord } from '../timeline.js';
import { htmlPage } from './html.js';
import { jsonReport } from './json.js';
import { junitXml } from './junit.js';
import { PrettyReporter } from './pretty.js';
import { TapReporter } from './tap.js';

const ROOT = packageRoot(import.meta.url);

/** A suite of one case in which one message was lost. */
function failing(): SuiteReport {
  const [first] = records;
  const discovery = first?.type === 'run' ? first.discovery : {};
  const head: TimelineRecord = {
    i: 0,
    t: 0,
    run: '*',
    type: 'suite',
    suite: '0123456789ab',
    url: 'http://here',
    discovery,
    seed: 5,
    tested: ['core'],
  };
  return judgeTimeline(
    new Map([
      ['*', [head]],
      ['one', without(arrived('two'))(records)],
    ]),
    [of],
  );
}

test('the reporters', (t) => {
  const report = failing();
  const [it] = report.cases;
  if (it === undefined) throw new Error('there is no case');
  const permutation = (suffix: string): CaseReport => {
    const id = `${it.id}${suffix}`;
    return { ...it, id, checks: it.checks.map((check) => ({ ...check, case: id })) };
  };
  const [lost] = report.checks.filter(({ verdict }) => verdict === 'FAIL');

  t.test('have a failure to tell', (t) => {
    t.match(lost, { case: 'judge/two-messages', requirement: 'DELIV-1', why: 'MISSING' });
    t.equal(report.exitCode, 1);
    t.end();
  });

  t.test('TAP is what its parsers take, and prove counts the same', (t) => {
    const tap = tapOf(report, true);
    const parsed = parseTap(tap);
    t.same([parsed.ok, parsed.count, parsed.fail, parsed.version], [false, report.cases.length, 1, 14]);
    t.match(parsed.failures[0], {
      name: /^judge\/two-messages/,
      diag: { verdict: 'FAIL', checks: [{ requirement: 'DELIV-1' }] },
    });
    const skipped = parseTap(
      tapOf(
        {
          ...report,
          cases: report.cases.map((each) => ({ ...each, verdict: 'NOT_TESTED', reason: 'slow', checks: [] })),
        },
        true,
      ),
    );
    t.same([skipped.ok, skipped.skip], [true, report.cases.length]);
    const file = join(t.testdir({}), 'run.tap');
    writeFileSync(file, tapOf(report, false));
    const said = provesay(file);
    t.match(said, /Failed 1\/\d+ subtests|Failed: 1/);
    t.notMatch(said, /Parse errors/);
    t.end();
  });

  t.test('JSON is valid, and points to the sentence, the line and the command', (t) => {
    const schema = JSON.parse(readFileSync(join(ROOT, 'conformance', 'report.schema.json'), 'utf8')) as object;
    const valid = new Ajv2020({ strictTuples: false }).compile(schema);
    const json = JSON.parse(JSON.stringify(jsonReport(report, 'http://here'))) as {
      checks: readonly (Check & Record<string, unknown>)[];
    };
    t.ok(valid(json), JSON.stringify(valid.errors));
    t.match(
      json.checks.find(({ verdict }) => verdict === 'FAIL'),
      {
        sentence: { file: /^spec\/protocol\/.+\.md#/, text: /MUST deliver/ },
        source: /^conformance\/cases\/judge\/two-messages\.yaml:\d+$/,
        again: "porthouse test http://here --case 'judge/two-messages' --seed 5",
        timeline: [{}],
      },
    );
    t.end();
  });

  t.test('JUnit counts what it holds, and holds nothing that XML cannot', (t) => {
    const evil = { ...it, checks: it.checks.map((check) => ({ ...check, received: 'a\u0000<b>&"\uD800' })) };
    const skipped = { ...it, id: 'other/one', verdict: 'NOT_TESTED' as const, reason: 'slow', checks: [] };
    const open = { ...skipped, verdict: 'INCONCLUSIVE' as const, reason: 'OPEN-1' };
    const all = [evil, permutation('[debug=on]'), skipped, open, { ...skipped, verdict: 'PASS' as const }];
    const xml = junitXml({ ...report, cases: all }, 'http://here');
    t.match(
      xml,
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<testsuites [^>]*tests="5" failures="2" errors="1" skipped="1"/,
    );
    t.match(xml, /<testsuite name="judge" tests="2" failures="2" errors="0" skipped="0"/);
    t.match(xml, 'name="judge/two-messages[debug=on]"');
    t.match(xml, /<failure type="FAIL" message="DELIV-1[^"]*: expected /);
    t.match(xml, '<error type="INCONCLUSIVE" message="waits for OPEN-1">');
    t.match(xml, 'a\\x00&lt;b&gt;&amp;&quot;\uFFFD');
    t.match(xml, "--case 'judge/two-messages' --seed 5");
    t.equal(xml.match(/<(?!\?)[a-z]/g)?.length, (xml.match(/<\/[a-z]|\/>/g) ?? []).length, 'every element ends');
    t.end();
  });

  t.test('HTML is one page that fetches nothing, tells every requirement, and runs nothing that a server says', (t) => {
    const evil = (checks: readonly Check[]) =>
      checks.map((check) => ({ ...check, received: '<script>alert(1)</script>\u0000' }));
    const cases = [
      { ...it, checks: evil(it.checks) },
      { ...it, id: `${it.id}[frag=3]`, verdict: 'PASS' as const, checks: [] },
    ];
    const target = { ...report.target, server: '<img src=x onerror=alert(1)>' };
    const html = htmlPage({ ...report, target, cases, checks: evil(report.checks) }, 'http://here');
    t.match(html, /^<!doctype html>/);
    for (const { id } of report.requirements) t.ok(html.includes(`id="${id}"`), id);
    t.match(html, 'two-messages in 1 of 2 permutations: frag=1');
    t.match(html, '&lt;script&gt;alert(1)');
    t.equal(html.match(/<script/g)?.length, 1);
    t.notMatch(html, /<img|https?:\/\/(?!here)[^ <]*\.(js|css)/);
    t.notOk(html.includes('\u0000'));
    t.match(html, '<pre>');
    t.match(html, 'two-messages&#39; --seed 5');
    t.end();
  });

  t.test('pretty tells what it takes to see a failure again, in 80 columns', (t) => {
    const lines = prettyOf(report, undefined).split('\n');
    const text = lines.join('\n');
    for (const part of [
      'FAIL DELIV-1',
      'MUST deliver',
      'expected',
      'received',
      'two-messages.yaml:',
      '→ alice.pipe',
      "--case 'judge/two-messages' --seed 5",
      'exit 1',
    ]) {
      t.ok(text.includes(part), part);
    }
    t.same(
      lines.filter((line) => line.length > 80),
      [],
    );
    t.notMatch(text, '\u001b');
    t.match(prettyOf(report, 60), '\u001b[K', 'and draws progress on a terminal');
    t.end();
  });

  t.test('pretty folds what waits for the same thing', (t) => {
    const waiting = ['', '-too', '-too[debug=on]'].map((more) => ({
      ...it,
      id: `${it.id}${more}`,
      verdict: 'INCONCLUSIVE' as const,
      reason: 'OPEN-1',
      checks: [],
    }));
    const text = prettyOf({ ...report, cases: waiting }, undefined);
    t.match(text, '2 cases wait for OPEN-1: A server MUST answer');
    t.end();
  });

  t.test('pretty tells a failure once, and in which permutations it is there', (t) => {
    const good = { ...it, verdict: 'PASS' as const, checks: [] };
    const cases = [
      good,
      { ...good, id: `${it.id}[frag=3]` },
      permutation('[debug=on]'),
      permutation('[debug=on,frag=3]'),
    ];
    const text = prettyOf({ ...report, cases, checks: cases.flatMap(({ checks }) => checks) }, undefined);
    t.equal(text.split('\n').filter((line) => line.startsWith('FAIL DELIV-1')).length, 1);
    t.match(text, `${it.id} fails in 2 of 4 permutations: debug=on`);
    t.match(text, /FAIL DELIV-1 +1 of 1 case +judge\/two-messages\n/);
    t.match(text, /next: .*\n.*--case 'judge\/two-messages\[debug=on\]'/s);
    t.end();
  });

  t.test('nothing that a server says can move the cursor', (t) => {
    const evil = {
      ...report,
      cases: report.cases.map((each) => ({
        ...each,
        checks: each.checks.map((check) => ({ ...check, timeline: [], received: '\u001b[2Jgone' })),
      })),
    };
    t.notMatch(prettyOf(evil, undefined), '\u001b');
    t.end();
  });
  t.end();
});

function tapOf(report: SuiteReport, tapVersion: boolean): string {
  let text = '';
  const tap = new TapReporter({ write: (more) => (text += more) }, { target: '', tapVersion });
  for (const each of report.cases) tap.case(each);
  tap.end(report);
  return text;
}

function prettyOf(report: SuiteReport, columns: number | undefined): string {
  let text = '';
  const pretty = new PrettyReporter(
    { write: (more) => void (text += more), columns },
    { target: 'http://here', tapVersion: true },
  );
  pretty.plan({
    url: 'http://here',
    server: 'x',
    profiles: ['core'],
    cases: report.cases.length,
    permutations: 0,
    skipped: { slow: 2 },
    seed: report.seed,
  });
  for (const each of report.cases) pretty.case(each);
  pretty.end(report);
  return text;
}

function provesay(file: string): string {
  try {
    return execFileSync('prove', ['-e', 'cat', file], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    return `${stdout ?? ''}${stderr ?? ''}`;
  }
}
