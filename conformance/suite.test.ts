import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'tap';
import { loadCases, parseCase } from './cases.js';
import { UnreachableError } from './discovery.js';
import { judgeTimeline } from './judge-command.js';
import type { Case } from './model.js';
import type { Link, Message } from './mutants/mutant.js';
import { startProxy } from './mutants/wire/proxy.js';
import type { SuiteReport } from './report.js';
import type { SuiteOptions } from './suite.js';
import { startReferenceServer } from './target.js';
import type { Ran } from './testing/runs.js';
import { byRun, run as runPart } from './testing/runs.js';

// Those that a server with every profile runs.
const cases = loadCases().cases.filter(({ canary: isCanary, lacks }) => !isCanary || lacks.length === 0);
const canary = cases.filter((each) => each.canary);
const some = cases.filter(({ id, canary: isCanary }) => isCanary || id.startsWith('delivery/unaltered#'));

const seeded = caseFrom(`given: { members: [alice, bob] }
steps:
  - send: { from: alice, bytes: 65536, as: it }
  - exactly: { at: bob, messages: [{ sent: it }] }
    proves: DELIV-1
`);

const wrong = caseFrom(`given: { members: [alice] }
steps:
  - grant: { as: bob }
    expect: { status: 201, json: { pipeTicket: never } }
    proves: DELIV-1
`);

const server = await startReferenceServer();

const run = (options: Partial<SuiteOptions> = {}): Promise<Ran> =>
  runPart({ base: server.url, cases: some, ...options });

function caseFrom(text: string): Case {
  const { cases: found, problems } = parseCase({
    file: 'area/name.yaml',
    text: `id: area/name\ntitle: A title for a test\n${text}`,
  });
  const [first] = found;
  if (first === undefined) throw new Error(JSON.stringify(problems));
  return first;
}

test('the suite', (t) => {
  t.teardown(() => server.stop());

  t.test('proves what holds, and says how many cases will run before they do', async (t) => {
    const heard: string[] = [];
    const { report } = await run({
      onPlan: ({ cases: count }) => heard.push(`plan ${String(count)}`),
      onCase: ({ id }) => heard.push(id),
    });
    t.equal(heard[0], `plan ${String(some.length)}`);
    t.equal(heard[1], 'canary/opening');
    t.equal(heard.length, some.length + 1);
    t.equal(report.exitCode, 0);
    t.equal(report.summary.cases.PASS, some.length);
    t.equal(report.requirements.find(({ id }) => id === 'DELIV-1')?.verdict, 'PASS');
    t.equal(report.requirements.find(({ id }) => id === 'ISOL-1')?.verdict, 'PASS');
  });

  t.test('gives the same verdicts from its timeline, which holds no secret', async (t) => {
    const token = 'dev.somebody-with-a-long-name';
    const { report, records } = await run({ tokens: [token] });
    const written = JSON.stringify(records);
    t.notMatch(written, token);
    t.match(written, 'redacted-token-of-account-a');
    t.match(written, 'redacted-pipeTicket-');
    const issued = /"(?:pipeTicket|siblingSecret)":"(?!redacted)/.exec(written);
    t.equal(issued, null);
    const again = judgeTimeline(byRun(records), cases);
    const brief = ({ checks }: SuiteReport): unknown[] =>
      checks.map(({ case: of, requirement, verdict }) => [of, requirement, verdict]);
    t.same(brief(again).sort(), brief(report).sort());
    t.equal(again.exitCode, report.exitCode);
  });

  t.test('quotes no secret in what failed, also where nobody keeps a timeline', async (t) => {
    const { report } = await run({ cases: [...canary, wrong], onTimeline: undefined });
    const quoted = JSON.stringify(report);
    t.equal(report.summary.cases.FAIL, 1);
    t.match(quoted, 'redacted-pipeTicket-');
    t.equal(/"(?:pipeTicket|siblingSecret)":"(?!redacted|never)/.exec(quoted.replaceAll('\\"', '"')), null);
  });

  t.test('sends the same content for the same seed and other content for another', async (t) => {
    const hashes = async (seed: number): Promise<string[]> => {
      const { records } = await run({ seed, cases: [seeded] });
      return records.flatMap((record) => (record.type === 'message' && record.bytes === 65536 ? [record.sha256] : []));
    };
    const first = await hashes(1);
    t.equal(first.length, 2);
    t.same(await hashes(1), first);
    t.notSame(await hashes(2), first);
  });

  t.test('runs every case as often as asked, each time with content of its own', async (t) => {
    const { report, records } = await run({ repeat: 3, cases: [seeded], seed: 1 });
    t.equal(report.cases.length, 3);
    const hashes = records.flatMap((record) =>
      record.type === 'message' && record.bytes === 65536 ? [record.sha256] : [],
    );
    t.equal(new Set(hashes).size, 3);
  });

  t.test('finds what fails only beside a debug channel, and blames nothing else', async (t) => {
    const alter = () => ({
      onPipeToServer: (message: Message, { session }: Link) =>
        session?.debug !== undefined && message.payload.length === 65536 ? [] : [message],
    });
    const proxy = await startProxy(server.url, { alter });
    t.teardown(() => proxy.stop());
    const options = { base: proxy.url, cases: [seeded], seed: 1 };
    t.equal((await run(options)).report.exitCode, 0, 'the case itself passes');
    const { report, records } = await run({ ...options, permute: 'pairwise' });
    const failing = report.cases.filter(({ verdict }) => verdict === 'FAIL');
    t.ok(failing.length > 1);
    t.ok(failing.every(({ id }) => /debug=(on|killed)/.test(id)));
    t.equal(report.requirements.find(({ id }) => id === 'DBG-3')?.verdict, 'FAIL');
    t.match(
      report.checks.find(({ requirement }) => requirement === 'DBG-3'),
      { case: /^area\/name\[debug=(on|killed)\]$/ },
    );
    const again = judgeTimeline(byRun(records), [seeded]);
    t.same(again.summary, report.summary, 'and so does whoever judges the timeline');
    const good = await run({ cases: [seeded], seed: 1, permute: 'all' });
    t.equal(good.report.exitCode, 0);
    const byTransport = /\b(in|out)=/;
    t.equal(good.report.cases.filter(({ id }) => !byTransport.test(id)).length, 24);
    t.ok(
      good.report.cases.some(({ id }) => byTransport.test(id)),
      'and by every way in that the server has',
    );
    t.equal(good.report.requirements.find(({ id }) => id === 'DBG-3')?.verdict, 'PASS');
  });

  t.test('does not run what is known beforehand, and says why', async (t) => {
    const control = 'given: { members: [alice, bob] }\nsteps:\n  - control: [alice, bob]\n    proves: DELIV-1\n';
    const slow = caseFrom(`tags: [slow]\n${control}`);
    const other = caseFrom(control.replace('[alice, bob] }', '{ alice: {}, bob: { account: b } } }'));
    const undeclared = caseFrom(`profile: teleport\n${control}`);
    const { report } = await run({ tokens: ['dev.a'], cases: [...canary, slow, other, undeclared] });
    t.same(
      report.cases.slice(1).map(({ verdict, reason }) => [verdict, reason]),
      [
        ['NOT_TESTED', 'slow'],
        ['NOT_TESTED', 'token'],
        ['NOT_APPLICABLE', 'profile teleport'],
      ],
    );
    t.equal(report.exitCode, 0);
    const { report: full } = await run({ cases: [...canary, slow, other], full: true });
    t.same(full.summary.cases.PASS, 3);
  });

  t.test('says the same with hooks for tests and without, but sooner with them', async (t) => {
    const hooked = await startReferenceServer({ hooks: true });
    t.teardown(() => hooked.stop());
    const { url: base, hooksToken } = hooked;
    const waiting = cases.filter(
      ({ id, steps }) => id.startsWith('sessions/') && steps.some((s) => s.verb === 'clock'),
    );
    const long = caseFrom(`tags: [slow]
given: { members: { alice: { pipe: false, limits: { ticketMs: 20000 } }, bob: {}, carol: {} } }
steps:
  - clock: { pass: ticketMs, of: alice }
  - open: { pipe: alice }
    expect: { refused: { error: ticket_invalid } }
    proves: TICKET-2
  - control: [bob, carol]
`);
    const chosen = [...canary, ...waiting];
    const verdicts = ({ checks }: SuiteReport): unknown[] =>
      checks.map(({ case: of, requirement, verdict }) => [of, requirement, verdict]).sort();
    const { report: quick, records } = await run({ base, hooksToken, cases: chosen });
    const { report: patient } = await run({ base, cases: chosen });
    t.same(verdicts(quick), verdicts(patient));
    t.equal(quick.summary.cases.PASS, chosen.length);
    t.ok(records.some((record) => record.type === 'http' && record.at === 'hooks'));
    t.notMatch(JSON.stringify(records), hooksToken);
    const { report: leapt } = await run({ base, hooksToken, cases: [...canary, long] });
    t.match(leapt.cases[1], { verdict: 'PASS' });
    const { report: skipped } = await run({ base, cases: [...canary, long] });
    t.match(skipped.cases[1], { verdict: 'NOT_TESTED', reason: 'slow' });
    const { report: stranger } = await run({ base, hooksToken: 'x'.repeat(40), cases: chosen });
    t.same(verdicts(stranger), verdicts(patient), 'who has the wrong token waits');
  });

  t.test('tells a fault of the kit from one of the server', async (t) => {
    const faulty = caseFrom(
      'given: { members: [alice, bob] }\nsteps:\n  - control: [alice, zoe]\n    proves: DELIV-1\n',
    );
    const { report } = await run({ cases: [faulty] });
    t.equal(report.exitCode, 3);
    t.match(report.cases[0], { verdict: 'INCONCLUSIVE', faults: [/zoe\.pipe was never opened/] });
  });

  t.test('waits no longer than a fence takes for an event that a message did not cause', async (t) => {
    const text =
      'given: { members: [alice, bob] }\nsteps:\n  - send: { from: alice, text: hello }\n  - expect: { at: alice.command, event: pipe.refused }\n    proves: ROOM-LIMIT-2\n';
    const { report } = await run({ cases: [caseFrom(text)], timeoutMs: 30_000 });
    t.match(report.checks[0], { verdict: 'FAIL', why: 'SILENT', received: /fences were answered/ });
  });

  t.test('finds with its window what nobody expected', async (t) => {
    const text =
      'given: { members: [alice, bob] }\nsteps:\n  - send: { from: alice, text: hello }\n  - none: { at: bob, message: any }\n    proves: DELIV-3\n';
    const { report } = await run({ cases: [caseFrom(text)] });
    t.match(report.checks[0], { requirement: 'DELIV-3', verdict: 'FAIL', why: 'EXTRA', received: /"hello"/ });
  });

  t.test('ends at once where the opening does not work, and says what everything waits for', async (t) => {
    const discovery = await (await fetch(new URL('/.well-known/porthouse', server.url))).text();
    const broken = createServer((request, response) => {
      response.writeHead(request.url === '/.well-known/porthouse' ? 200 : 500, { 'content-type': 'application/json' });
      response.end(request.url === '/.well-known/porthouse' ? discovery : '{}');
    });
    await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve));
    t.teardown(() => broken.close());
    const base = new URL(`http://127.0.0.1:${String((broken.address() as AddressInfo).port)}`);
    const { report } = await run({ base });
    t.match(
      report.checks.find(({ requirement }) => requirement === 'OPEN-1'),
      { case: 'canary/opening', verdict: 'FAIL' },
    );
    t.match(report.cases.at(-1), { verdict: 'INCONCLUSIVE', reason: 'OPEN-1' });
    t.equal(report.summary.checks.PASS, 0);
    t.equal(report.exitCode, 1);
    const { report: ungated } = await run({ base, gate: false, untilFail: true, jobs: 1 });
    t.ok(ungated.cases.length < some.length, 'and until-fail starts no further case');
  });

  t.test('needs a well-known document to begin with', async (t) => {
    await t.rejects(run({ base: new URL('http://127.0.0.1:9/') }), UnreachableError);
    await t.rejects(run({ base: new URL('/porthouse/.well-known/porthouse', server.url) }), UnreachableError);
  });
  t.end();
});
