import { join } from 'node:path';
import { test } from 'tap';
import { applyBaseline, readBaseline } from './baseline.js';
import type { Check, Verdict } from './judge/judge.js';
import { redact } from './redact.js';
import type { SuiteReport } from './report.js';
import { buildReport, worst } from './report.js';
import type { TimelineRecord } from './timeline.js';

test('the exit code', (t) => {
  const check = (verdict: Verdict, more: Partial<Check> = {}): Check => ({
    case: 'area/one',
    run: 'r',
    step: 1,
    requirement: 'DELIV-1',
    verdict,
    ...more,
  });
  const report = (
    checks: readonly Check[],
    faults: readonly string[] = [],
    profiles: readonly string[] = ['core'],
  ): SuiteReport =>
    buildReport({
      cases: [
        {
          id: 'area/one',
          title: '',
          file: '',
          line: 1,
          run: 'r',
          verdict: worst(
            checks.map(({ verdict }) => verdict),
            'PASS',
          ),
          checks,
          faults,
          seconds: 0,
        },
      ],
      suite: { version: 1, hash: '' },
      target: { url: '', server: '', profiles, hash: '' },
      seed: 1,
      seconds: 0,
      tested: profiles,
    });
  const none = { baseline: [], strict: false, partial: false };
  const stale = [{ check: 'DELIV-9', reason: 'known' }];

  t.test('says the gravest: a fault of the kit, a failure, a stale baseline, what is open', (t) => {
    t.equal(report([check('PASS')]).exitCode, 0);
    t.equal(report([check('PASS'), check('WARN')]).exitCode, 0);
    t.equal(report([check('PASS'), check('NOT_TESTED'), check('NOT_APPLICABLE')]).exitCode, 0);
    t.equal(report([check('PASS'), check('INCONCLUSIVE')]).exitCode, 2);
    t.equal(report([check('NOT_TESTED')]).exitCode, 2, 'nothing passed of a declared profile');
    t.equal(report([check('PASS'), check('INCONCLUSIVE'), check('FAIL')]).exitCode, 1);
    t.equal(report([check('FAIL')], ['oops']).exitCode, 3);
    const with4 = { ...none, baseline: stale };
    t.equal(applyBaseline(report([check('PASS')]), with4).exitCode, 4);
    t.equal(applyBaseline(report([check('PASS'), check('INCONCLUSIVE')]), with4).exitCode, 4);
    t.equal(applyBaseline(report([check('PASS'), check('FAIL')]), with4).exitCode, 1);
    t.equal(applyBaseline(report([check('PASS')], ['oops']), with4).exitCode, 3);
    t.equal(applyBaseline(report([check('PASS'), check('WARN')]), { ...none, strict: true }).exitCode, 1);
    t.end();
  });

  t.test('is not changed by a profile of a later version, which is only noted', (t) => {
    const later = report([check('PASS')], [], ['core', 'teleport']);
    t.equal(later.exitCode, 0);
    t.same(later.summary.unproven, []);
    t.match(later.notices, [/teleport/]);
    t.same(report([check('PASS')], [], ['core', 'lines']).summary.unproven, ['lines'], 'a known one needs a proof');
    t.end();
  });

  t.test('leaves known failures out, by case, by requirement, or by both', (t) => {
    const failed = report([check('PASS'), check('FAIL', { requirement: 'DELIV-2' })]);
    for (const glob of ['area/*', 'DELIV-2', 'area/one DELIV-2', '* DELIV-?']) {
      const {
        exitCode,
        known,
        stale: old,
      } = applyBaseline(failed, { ...none, baseline: [{ check: glob, reason: 'known' }] });
      t.same([exitCode, known.length, old.length], [0, 1, 0], glob);
    }
    const permuted = report([check('PASS'), check('FAIL', { case: 'area/one[debug=on]' })]);
    for (const [glob, code] of Object.entries({
      'area/one': 0,
      'area/one[debug=on] DELIV-1': 0,
      'area/one[frag=3]': 1,
    })) {
      t.equal(applyBaseline(permuted, { ...none, baseline: [{ check: glob, reason: 'known' }] }).exitCode, code, glob);
    }
    t.equal(
      applyBaseline(failed, { ...none, baseline: [{ check: 'DELIV-3', reason: 'known' }], partial: true }).exitCode,
      1,
    );
    t.end();
  });

  t.test('calls an entry stale under which everything passes, and one that matches nothing in a whole run', (t) => {
    const good = report([check('PASS')]);
    const passing = [{ check: 'DELIV-1', reason: 'known' }];
    t.equal(applyBaseline(good, { ...none, baseline: passing }).exitCode, 4);
    t.equal(applyBaseline(good, { ...none, baseline: passing, partial: true }).exitCode, 4);
    t.equal(applyBaseline(good, { ...none, baseline: stale, partial: true }).exitCode, 0);
    t.end();
  });

  t.test('a baseline is YAML or JSON, and every entry has a reason', (t) => {
    const folder = t.testdir({
      'a.yaml': '- { check: DELIV-1, reason: not yet }\n',
      'b.json': '[{"check":"x"}]',
      'c.yaml': 'check: x',
    });
    t.same(readBaseline(join(folder, 'a.yaml')), [{ check: 'DELIV-1', reason: 'not yet' }]);
    t.throws(() => readBaseline(join(folder, 'b.json')), /entry 1 needs a check and a reason/);
    t.throws(() => readBaseline(join(folder, 'c.yaml')), /not a list/);
    t.end();
  });
  t.end();
});

test('redaction', (t) => {
  const secret = 'x'.repeat(43);
  const base = { t: 0, run: 'r' };
  const records: TimelineRecord[] = [
    {
      ...base,
      i: 0,
      type: 'http',
      at: 'alice.grant',
      dir: 'in',
      status: 201,
      headers: [],
      bytes: 1,
      json: { pipeTicket: secret, sid: 'me' },
    },
    {
      ...base,
      i: 1,
      type: 'socket',
      at: 'alice.pipe',
      conn: 0,
      event: 'opening',
      protocols: [`porthouse.ticket.${secret}`],
    },
    {
      ...base,
      i: 2,
      type: 'raw',
      at: 'alice.pipe',
      conn: 0,
      dir: 'out',
      bytes: 43,
      hex: Buffer.from(secret).toString('hex'),
    },
  ];
  const [grant, opening, raw] = redact(records);
  t.match(grant, { json: { pipeTicket: /^redacted-pipeTicket-0-of-alice-A*$/, sid: 'me' } });
  const name = grant?.type === 'http' ? (grant.json as { pipeTicket: string }).pipeTicket : '';
  t.equal(name.length, 43, 'a name has the shape of what it stands for');
  t.match(opening, { protocols: [`porthouse.ticket.${name}`] }, 'and is the same everywhere');
  t.match(raw, { hex: Buffer.from(name).toString('hex') }, 'in raw bytes too');
  const [, echo] = redact([
    ...records.slice(0, 1),
    { ...base, i: 1, type: 'socket', at: 'alice.pipe', conn: 0, event: 'refused', text: `no\n${secret}s` },
  ]);
  t.match(echo, { text: `no\n${name}s` }, 'whatever stands beside it');
  const [, field] = redact([
    ...records.slice(0, 1),
    { ...base, i: 1, type: 'frame', at: 'alice.command', conn: 0, dir: 'in', json: { data: [{ [secret]: 1 }] } },
  ]);
  t.match(field, { json: { data: [{ [name]: 1 }] } }, 'also as the name of a field');
  const short = redact([
    {
      ...base,
      i: 0,
      type: 'run',
      case: 'c',
      seed: 1,
      prefix: 'p',
      url: '',
      discovery: 'dev.a dev.alice',
      rooms: {},
      tokens: { a: 'dev.a' },
      deadlineMs: 1,
    },
  ]);
  t.match(short[0], { discovery: 'token-of-a dev.alice' }, 'a short token is not looked for inside words');
  t.end();
});
