import { test } from 'tap';
import { isFields } from '../model.js';
import {
  answers,
  arrived,
  changed,
  checkOf,
  isEvent,
  judged,
  of,
  records,
  verdicts,
  withJson,
  without,
} from '../testing/recorded.js';
import type { Edit } from '../testing/recorded.js';
import type { TimelineRecord } from '../timeline.js';

const isLastNonce = (record: TimelineRecord): boolean =>
  record.type === 'message' && record.at === 'bystander2.pipe' && record.i > 50;

const isSentinel = (record: TimelineRecord): boolean =>
  record.type === 'message' && record.at === 'bob.pipe' && record.text?.startsWith('"~') === true;

const PASSED = {
  'ROOM-LIMIT-2': 'PASS',
  'DELIV-1': 'PASS',
  'ROOM-LIMIT-1': 'PASS',
  'PIPE-4': 'PASS',
  'ISOL-1': 'PASS',
};

test('the judge reads from a timeline', (t) => {
  t.test('that a run that went well proves what its steps say', (t) => {
    const judgement = judged();
    t.same(verdicts(judgement), PASSED);
    t.same(judgement.faults, []);
    t.equal(checkOf(judgement, 'DELIV-1').line, of.steps[4]?.line);
    t.end();
  });

  t.test('that a message is missing', (t) => {
    const judgement = judged(without(arrived('two')));
    t.match(checkOf(judgement, 'DELIV-1'), {
      verdict: 'FAIL',
      why: 'MISSING',
      received: '1 of 2 messages before the sentinel',
    });
    t.match(checkOf(judgement, 'PIPE-4'), { verdict: 'INCONCLUSIVE', waitsFor: 'DELIV-1' });
    t.equal(checkOf(judgement, 'ROOM-LIMIT-2').verdict, 'PASS');
    t.end();
  });

  t.test('that two messages changed places', (t) => {
    const swap: Edit = (all) => {
      const at = all.findIndex(arrived('one'));
      const [one, two] = [all[at], all[at + 1]];
      return one && two ? [...all.slice(0, at), two, one, ...all.slice(at + 2)] : all;
    };
    t.match(checkOf(judged(swap), 'DELIV-1'), { verdict: 'FAIL', why: 'WRONG', received: /"two"/ });
    t.end();
  });

  t.test('that a message was altered on its way', (t) => {
    const judgement = judged(
      changed(arrived('two'), (record) => ({ ...record, sha256: 'f'.repeat(64), text: 'tvo' }) as TimelineRecord),
    );
    t.match(checkOf(judgement, 'DELIV-1'), { verdict: 'FAIL', why: 'WRONG', received: /"tvo"/ });
    t.match(checkOf(judgement, 'DELIV-7'), { verdict: 'FAIL', why: 'INVARIANT' });
    t.end();
  });

  t.test('that a message came twice', (t) => {
    const twice: Edit = (all) =>
      all.flatMap((record): readonly TimelineRecord[] => (arrived('two')(record) ? [record, record] : [record]));
    t.match(checkOf(judged(twice), 'DELIV-1'), { verdict: 'FAIL', why: 'EXTRA' });
    t.end();
  });

  t.test('that a message changed its kind', (t) => {
    const judgement = judged(changed(arrived('one'), (record) => ({ ...record, kind: 'binary' }) as TimelineRecord));
    t.match(checkOf(judgement, 'DELIV-1'), { verdict: 'FAIL', why: 'WRONG' });
    t.end();
  });

  t.test('that without its sentinel a window proves nothing', (t) => {
    t.match(checkOf(judged(without(isSentinel)), 'DELIV-1'), { verdict: 'FAIL', why: 'SILENT' });
    t.end();
  });

  t.test('that an event stayed away, and what waits for it', (t) => {
    const judgement = judged(without(isEvent('pipe.refused')));
    t.match(checkOf(judgement, 'ROOM-LIMIT-2'), { verdict: 'FAIL', why: 'SILENT', received: 'nothing' });
    t.match(checkOf(judgement, 'DELIV-1'), { verdict: 'INCONCLUSIVE', waitsFor: 'ROOM-LIMIT-2' });
    t.end();
  });

  t.test('that an event came, but too late, and by how much', (t) => {
    const late: Edit = (all) => {
      const event = all.find(isEvent('pipe.refused'));
      const rest = all.filter((record) => record !== event);
      const last = rest.at(-1);
      return event && last ? [...rest, { ...event, t: last.t + 40 }] : all;
    };
    t.match(checkOf(judged(late), 'ROOM-LIMIT-2'), {
      verdict: 'FAIL',
      why: 'LATE',
      received: /it came \d+ ms after the deadline/,
    });
    t.end();
  });

  t.test('that an event of the right name says something else', (t) => {
    const judgement = judged(changed(isEvent('pipe.refused'), withJson('params', { from: 4 })));
    t.match(checkOf(judgement, 'ROOM-LIMIT-2'), {
      verdict: 'FAIL',
      why: 'WRONG',
      received: /params\/from: 4 instead of 3/,
    });
    t.end();
  });

  t.test('that a refusal names the right error with the wrong code', (t) => {
    const wrong = changed(isEvent('pipe.refused'), (record) => record);
    t.same(verdicts(judged(wrong)), PASSED);
    const call = records.find(
      (record) => record.type === 'frame' && record.dir === 'out' && record.label?.startsWith('call:') === true,
    );
    const id = call?.type === 'frame' && isFields(call.json) ? (call.json['id'] ?? null) : null;
    const judgement = judged(changed(answers(id), withJson('error', { code: 1002 })));
    t.match(checkOf(judgement, 'PIPE-4'), { verdict: 'FAIL', why: 'WRONG' });
    t.match(checkOf(judgement, 'ERR-1'), { verdict: 'FAIL', why: 'INVARIANT' });
    t.end();
  });

  t.test('that bystanders who were well and are not any more were disturbed', (t) => {
    const judgement = judged(without(isLastNonce));
    t.match(checkOf(judgement, 'ISOL-1'), { verdict: 'FAIL', why: 'SILENT' });
    t.match(checkOf(judgement, 'DELIV-1'), { verdict: 'INCONCLUSIVE', waitsFor: 'ISOL-1' });
    t.end();
  });

  t.test('that bystanders who never were well accuse nobody', (t) => {
    const noneAtAll = without((record) => record.type === 'message' && record.at === 'bystander2.pipe');
    t.match(checkOf(judged(noneAtAll), 'ISOL-1'), { verdict: 'INCONCLUSIVE', waitsFor: 'DELIV-1' });
    t.end();
  });

  t.test('that without a start nothing was tested, and what has to be repaired first', (t) => {
    const judgement = judged(
      without((record) => record.type === 'http' && record.at === 'alice.grant' && record.dir === 'in'),
    );
    t.match(checkOf(judgement, 'DELIV-1'), { verdict: 'INCONCLUSIVE', waitsFor: 'OPEN-9' });
    t.match(checkOf(judgement, 'PIPE-4'), { verdict: 'INCONCLUSIVE', waitsFor: 'OPEN-9' });
    t.end();
  });

  t.test('that a run that broke off says nothing about the rest', (t) => {
    const half: Edit = (all) => all.slice(0, all.findIndex(arrived('one')));
    t.match(checkOf(judged(half), 'DELIV-1'), { verdict: 'INCONCLUSIVE', waitsFor: 'the run ended before it' });
    t.end();
  });
  t.end();
});
