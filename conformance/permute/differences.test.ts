import { test } from 'tap';
import type { Verdict } from '../judge/judge.js';
import type { Edit } from '../testing/recorded.js';
import { arrived, changed, isEvent, of, records, withJson, without } from '../testing/recorded.js';
import type { TimelineRecord } from '../timeline.js';
import { compared, differenceOf, independenceChecks } from './differences.js';
import type { Told } from './told.js';
import { toldIn } from './told.js';

const toldAfter = (edit: Edit): Told =>
  toldIn(
    of,
    edit(records).map((record, i) => ({ ...record, i })),
  );

const own = toldAfter((all) => all);
const differenceAfter = (edit: Edit) => differenceOf(own, toldAfter(edit));

/** Everything in the records that reads `from` reads `to`. */
const renamed =
  (from: RegExp, to: string): Edit =>
  (all) =>
    JSON.parse(JSON.stringify(all).replaceAll(from, to)) as readonly TimelineRecord[];

const twice =
  (isIt: (record: TimelineRecord) => boolean): Edit =>
  (all) =>
    all.flatMap((record) => (isIt(record) ? [record, record] : [record]));

const refused = isEvent('pipe.refused');
const opened = isEvent('pipe.opened', 'bob.command');

test('what members are told is the same in two runs that differ in names, times and transports alone', (t) => {
  t.same([...own.keys()].sort(), [
    'alice.command answers fence after 3',
    'alice.command answers pipe.ticket',
    'alice.command pipe.opened',
    'alice.command pipe.receipt',
    'alice.command pipe.refused',
    'alice.command pipe.undeliverable',
    'bob.command pipe.opened',
    'bob.pipe from alice',
  ]);
  t.equal(differenceAfter(renamed(/s_I-AngI5l8ODI8B0LJO80Ww/g, 's_another')), undefined, 'a session id');
  t.equal(differenceAfter(renamed(/k63f03a05-1/g, 'k0-2')), undefined, 'names of rooms');
  t.equal(differenceAfter(renamed(/"seq":2/g, '"seq":3')), undefined, 'numbers of events');
  const overLines = renamed(/"at":"bob.pipe","conn":5,"event":"opening"/g, '$&,"transport":"tcp","framing":"line"');
  const asBinary = changed(arrived('one'), (record) => ({ ...record, kind: 'binary' }) as TimelineRecord);
  t.equal(
    differenceAfter((all) => asBinary(overLines(all))),
    undefined,
    'kinds that a transport cannot tell apart',
  );
  const last: Edit = (all) => [...all, ...all.filter(arrived('two'))];
  t.equal(differenceAfter(last), undefined, 'what came when nobody waited any more');
  t.end();
});

test('it is another where a message, an event or a reply differs, and both are shown', (t) => {
  t.match(differenceAfter(changed(refused, withJson('params', { at: { epoch: 1, dir: 'c2s', unit: 'msg', n: 4 } }))), {
    what: 'alice.command pipe.refused',
    expected: /"n":3/,
    received: /"n":4/,
  });
  t.match(differenceAfter(twice(refused)), { what: 'alice.command pipe.refused', received: /1\. .*; 2\. / }, 'twice');
  t.match(differenceAfter(without(refused)), { received: 'nothing' }, 'an event for which a step waited');
  t.match(differenceAfter(changed(opened, withJson('params', { epoch: 2 }))), { what: 'bob.command pipe.opened' });
  t.match(differenceAfter(twice(arrived('one'))), {
    what: 'bob.pipe from alice',
    expected: '1. text first (3 bytes); 2. text second (3 bytes); 3. text sentinel:17 (19 bytes)',
    received: /1\. text first \(3 bytes\); 2\. text first/,
  });
  t.match(differenceAfter(changed(arrived('two'), (record) => ({ ...record, kind: 'binary' }) as TimelineRecord)), {
    received: /2\. binary second/,
  });
  t.match(differenceAfter(renamed(/"c2sReceived":3/g, '"c2sReceived":4')), {
    what: 'alice.command answers fence after 3',
  });
  t.match(differenceAfter(renamed(/pipe_exists/g, 'forbidden')), { what: 'alice.command answers pipe.ticket' });
  t.end();
});

test('a case and its permutations by other transports are held beside each other', (t) => {
  const run = (suffix: string, told: Told | undefined = own, verdict: Verdict = 'PASS') => ({
    id: `a/b${suffix}`,
    verdict,
    run: `r${suffix}`,
    checks: [],
    told,
  });
  const other = toldAfter(twice(refused));
  t.match(independenceChecks([run(''), run('[in=udp]')]), [{ case: '*', requirement: 'DELIV-12', verdict: 'PASS' }]);
  t.match(independenceChecks([run(''), run('[in=udp]', other), run('[out=ftp]')]), [
    {
      case: 'a/b[in=udp]',
      requirement: 'DELIV-12',
      verdict: 'FAIL',
      expected: /^at alice\.command pipe\.refused, as in a\/b: 1\. /,
    },
  ]);
  t.same(independenceChecks([run('')]), [], 'nothing to compare');
  t.same(independenceChecks([run(''), run('[debug=on]', other)]), [], 'a change of another sort');
  t.same(independenceChecks([run(''), run('[in=udp]', other, 'FAIL')]), [], 'what fails says so itself');
  t.same([...compared(['a/b', 'a/b[in=udp]', 'a/c', 'a/c[frag=3]', 'a/d[debug=on,in=udp]'])], ['a/b']);
  t.end();
});
