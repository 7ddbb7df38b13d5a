import { test } from 'tap';
import { asText, isFields } from '../model.js';
import {
  answers,
  arrived,
  changed,
  isEvent,
  judged,
  records,
  socketOf,
  verdicts,
  withJson,
} from '../testing/recorded.js';
import type { Edit } from '../testing/recorded.js';
import type { TimelineRecord } from '../timeline.js';

test('the invariants find in any run', (t) => {
  t.test('a message that nobody sent', (t) => {
    const stranger: Edit = (all) =>
      all.flatMap((record): readonly TimelineRecord[] =>
        arrived('two')(record) ? [record, { ...record, sha256: '0'.repeat(64), text: 'welcome' }] : [record],
      );
    t.equal(verdicts(judged(stranger))['DELIV-7'], 'FAIL');
    t.end();
  });

  t.test('a message that was sent in another room', (t) => {
    const nonce = records.find((record) => record.type === 'message' && record.at === 'bystander1.pipe');
    const astray: Edit = (all) =>
      all.flatMap((record): readonly TimelineRecord[] =>
        arrived('two')(record) && nonce
          ? [record, { ...nonce, at: 'bob.pipe', conn: record.conn, dir: 'in' } as TimelineRecord]
          : [record],
      );
    t.equal(verdicts(judged(astray))['DELIV-5'], 'FAIL');
    t.end();
  });

  t.test('a hole between the numbers of events', (t) => {
    t.equal(verdicts(judged(changed(isEvent('pipe.refused'), withJson('params', { seq: 3 }))))['SIB-1'], 'FAIL');
    t.end();
  });

  t.test('an event that is not of its schema', (t) => {
    t.equal(
      verdicts(judged(changed(isEvent('pipe.opened', 'bob.command'), withJson('params', { epoch: 'first' }))))[
        'FRAME-1'
      ],
      'FAIL',
    );
    t.end();
  });

  t.test('a refusal over HTTP, and a grant, that are not of their schema', (t) => {
    const grant = (record: TimelineRecord): boolean =>
      record.type === 'http' && record.at === 'bob.grant' && record.dir === 'in';
    const bare = judged(changed(grant, (record) => ({ ...record, json: { sid: 'me' } }) as TimelineRecord));
    t.equal(verdicts(bare)['OPEN-1'], 'FAIL');
    const refused = judged(
      changed(grant, (record) => ({ ...record, status: 503, json: { sorry: true } }) as TimelineRecord),
    );
    t.equal(verdicts(refused)['HTTP-1'], 'FAIL');
    t.end();
  });

  t.test('a ticket that comes back on the pipe, or on a sibling', (t) => {
    const grant = records.find(
      (record) => record.type === 'http' && record.at === 'alice.grant' && record.dir === 'in',
    );
    const ticket = grant?.type === 'http' && isFields(grant.json) ? asText(grant.json['pipeTicket']) : '';
    const isOpen = (record: TimelineRecord): boolean =>
      record.type === 'socket' && record.at === 'alice.pipe' && record.event === 'open';
    const echoed = changed(
      isOpen,
      (record) =>
        ({ ...record, headers: [['Sec-WebSocket-Protocol', `porthouse.ticket.${ticket}`]] }) as TimelineRecord,
    );
    t.equal(verdicts(judged(echoed))['TICKET-4'], 'FAIL');
    const told = changed(isEvent('pipe.refused'), withJson('params', { hint: ticket }));
    t.equal(verdicts(judged(told))['SEC-8'], 'FAIL');
    t.end();
  });

  t.test('a fence that answers too early, or counts what never was', (t) => {
    const early = judged(changed(answers('kit-3'), withJson('result', { c2sRouted: 2 })));
    t.equal(verdicts(early)['FENCE-1'], 'FAIL');
    const boasting = judged(changed(answers('kit-3'), withJson('result', { c2sReceived: 9 })));
    t.equal(verdicts(boasting)['FENCE-5'], 'FAIL');
    const promising = judged(changed(answers('kit-5'), withJson('result', { s2cEnqueued: 5, s2cWritten: 2 })));
    t.equal(verdicts(promising)['FENCE-5'], 'FAIL');
    t.end();
  });

  t.test('what the driver saw of broken framing', (t) => {
    const seen =
      (what: string): Edit =>
      (all) => [...all, { ...socketOf('bob.pipe'), event: 'violation', what } as TimelineRecord];
    t.equal(verdicts(judged(seen('masked_by_server')))['WS-18'], 'FAIL');
    t.equal(verdicts(judged(seen('extension_not_offered')))['WS-10'], 'FAIL');
    t.equal(verdicts(judged(seen('rsv_set')))['WS-21'], 'FAIL');
    t.end();
  });

  t.test('what the kit itself sent wrong, as a fault of the kit', (t) => {
    const isCall = (record: TimelineRecord): boolean =>
      record.type === 'frame' &&
      record.dir === 'out' &&
      isFields(record.json) &&
      record.json['method'] === 'pipe.ticket';
    const judgement = judged(changed(isCall, withJson('params', { transport: 7 })));
    t.equal(judgement.faults.length, 1);
    t.match(judgement.faults[0], /what the kit sent is not a valid calls\/pipe\.ticket\.params/);
    const onPurpose = judged(
      changed(isCall, (record) => ({ ...withJson('params', { transport: 7 })(record), odd: true }) as TimelineRecord),
    );
    t.same(onPurpose.faults, []);
    t.end();
  });
  t.end();
});
