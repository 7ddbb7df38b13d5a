import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { packageRoot } from '../support/package-root.js';
import { loadCases, parseCase } from './cases.js';
import { judgeTimeline } from './judge-command.js';
import { lintCases } from './lint.js';
import type { Case } from './model.js';
import type { WireMutant } from './mutants/mutant.js';
import { identity } from './mutants/registry.js';
import type { OwnedServer } from './owned-server.js';
import { prove } from './prove/proof.js';
import type { CaseReport, SuiteReport } from './report.js';
import type { SuiteOptions } from './suite.js';
import { DEVELOPMENT_TOKENS, StartError, startCommand, startReferenceServer } from './target.js';
import type { Ran } from './testing/runs.js';
import { byRun, run as runPart } from './testing/runs.js';

const MAIN = join(packageRoot(import.meta.url), 'dist', 'reference-server', 'main.js');
const canary = loadCases().cases.filter((each) => each.canary && each.lacks.length === 0);

function caseFrom(name: string, steps: string): Case {
  const text = `id: area/${name}\ntitle: A title for a test\ngiven: { members: [alice, bob] }\nsteps:\n${steps}`;
  const { cases, problems } = parseCase({ file: `area/${name}.yaml`, text });
  const [first] = cases;
  if (first === undefined) throw new Error(JSON.stringify(problems));
  return first;
}

const COMES_BACK = `  - restart: { how: HOW }
  - expect: { at: alice, closed: any }
  - grant: { as: alice, create: {} }
  - grant: { as: bob }
  - bind: { member: alice }
  - bind: { member: bob }
  - open: { pipe: alice }
  - open: { pipe: bob }
  - expect: { at: bob.command, event: pipe.opened, params: { epoch: 1 } }
  - send: { from: alice, text: one, as: it }
  - exactly: { at: bob, messages: [{ sent: it }] }
    proves: DELIV-1
`;
const killed = caseFrom('killed', COMES_BACK.replace('HOW', 'kill'));
const asked = caseFrom('asked', COMES_BACK.replace('HOW', 'term'));
const drained = caseFrom(
  'drained',
  `  - control: [alice, bob]
  - drain: {}
  - expect: { at: alice.command, event: server.draining }
  - expect: { at: bob, closed: { code: 4009 } }
    proves: DELIV-1
`,
);
const ordinary = caseFrom('ordinary', '  - control: [alice, bob]\n    proves: DELIV-1\n');

const all = [...canary, killed, ordinary, drained, asked];

const run = (server: OwnedServer, options: Partial<SuiteOptions>): Promise<Ran> =>
  runPart({ base: server.url, owned: server, cases: all, ...options });

const verdicts = ({ checks }: SuiteReport): unknown[] =>
  checks.map(({ case: of, requirement, verdict }) => [of, requirement, verdict]).sort();

test('a server of the kit’s own', (t) => {
  t.test('is ended and started again by cases that run alone and last', async (t) => {
    const server = await startReferenceServer();
    t.teardown(() => server.stop());
    const { report, records } = await run(server, {});
    t.same(
      report.cases.map(({ id, verdict }) => [id, verdict]),
      ['canary/opening', 'area/ordinary', 'area/killed', 'area/drained', 'area/asked'].map((id) => [id, 'PASS']),
    );
    t.equal(report.exitCode, 0);
    const starts = records.filter((record) => record.type === 'server' && record.event === 'started');
    t.same([...new Set(starts.map((record) => record.type === 'server' && record.url))].length, 1, 'at the same place');
    t.equal(starts.length, 3, 'and what a case left ended, too');
    const offline = judgeTimeline(byRun(records), all);
    t.same(verdicts(offline), verdicts(report), 'and its timeline says the same');
  });

  t.test('is spared where there can be another, which is ended while others run before the first', async (t) => {
    const server = await startReferenceServer();
    t.teardown(() => server.stop());
    const spares: OwnedServer[] = [];
    const spare = async (): Promise<OwnedServer> => {
      const started = await startReferenceServer();
      spares.push(started);
      return started;
    };
    const { report, records } = await run(server, { spare });
    t.equal(report.exitCode, 0, JSON.stringify(report.checks.filter(({ verdict }) => verdict !== 'PASS')));
    t.equal(report.summary.cases.PASS, all.length);
    const places = records.flatMap((record) =>
      record.type === 'run' ? [[record.case, new URL(record.url).origin]] : [],
    );
    const [other] = spares.map(({ url }) => url.origin);
    t.same(
      places.filter(([, origin]) => origin === other).map(([id]) => id),
      ['area/killed', 'area/drained', 'area/asked'],
    );
    t.equal(places.length, all.length);
    t.same(verdicts(judgeTimeline(byRun(records), all)), verdicts(report));
    await t.rejects(fetch(other ?? ''), 'and is not left behind');
  });

  t.test('is ended itself where no other can be had, or where one case at a time is asked for', async (t) => {
    const server = await startReferenceServer();
    t.teardown(() => server.stop());
    let asked = 0;
    const spare = (): Promise<OwnedServer> => {
      asked += 1;
      return Promise.reject(new StartError('no'));
    };
    for (const jobs of [1, 2]) {
      const { report } = await run(server, { spare, jobs, cases: [...canary, killed, ordinary] });
      t.equal(report.exitCode, 0);
      t.equal(report.cases.at(-1)?.id, 'area/killed');
      t.equal(asked, jobs - 1);
    }
  });

  t.test('is left alone where it is somebody else’s', async (t) => {
    const server = await startReferenceServer();
    t.teardown(() => server.stop());
    const { report } = await run(server, { owned: undefined, cases: [...canary, killed, drained] });
    t.same(
      report.cases.slice(1).map(({ verdict, reason }) => [verdict, reason]),
      [
        ['NOT_TESTED', 'restart'],
        ['NOT_TESTED', 'restart'],
      ],
    );
    t.equal(server.trouble(), undefined);
  });

  t.test('may be behind a shell, and may have another address at each start', async (t) => {
    const server = await startCommand(`cd / && "${process.execPath}" "${MAIN}" --port 0 && true`);
    t.teardown(() => server.stop());
    const { report, records } = await run(server, { cases: [...canary, asked, killed] });
    t.equal(report.exitCode, 0, JSON.stringify(report.checks.filter(({ verdict }) => verdict !== 'PASS')));
    const urls = records.flatMap((record) => (record.type === 'run' ? [record.url] : []));
    t.equal(new Set(urls).size, 2, 'the third case began where the second had found it');
  });

  t.test('that ends by itself fails the run, and is not started again', async (t) => {
    const file = join(t.testdir({}), 'pid');
    const server = await startCommand(`echo $$ > "${file}"; exec "${process.execPath}" "${MAIN}" --port 0`);
    t.teardown(() => server.stop());
    const die = ({ id }: CaseReport): void => {
      if (id === 'canary/opening') process.kill(Number(readFileSync(file, 'utf8')), 'SIGKILL');
    };
    const { report, records } = await run(server, { cases: [...canary, killed], onCase: die });
    const last = report.checks.find(({ case: of, requirement }) => of === '*' && requirement === 'ISOL-1');
    t.match(last, { verdict: 'FAIL', received: /it ended by itself \(SIGKILL\)/ });
    t.equal(report.exitCode, 1);
    t.notOk(records.some((record) => record.type === 'server' && record.event === 'started'));
    t.equal(judgeTimeline(byRun(records), [...canary, killed]).exitCode, 1);
  });

  t.test('that does not come back fails what that proves', async (t) => {
    const flag = join(t.testdir({}), 'flag');
    const once = `test -e "${flag}" && { echo 'Error: no second time' >&2; exit 7; }; touch "${flag}"`;
    const server = await startCommand(`${once}; exec "${process.execPath}" "${MAIN}" --port 0`);
    t.teardown(() => server.stop());
    const proving = caseFrom('proving', '  - control: [alice, bob]\n  - restart: { how: kill }\n    proves: DELIV-1\n');
    const { report } = await run(server, { cases: [...canary, proving] });
    t.match(
      report.checks.find(({ case: of }) => of === 'area/proving'),
      { requirement: 'DELIV-1', verdict: 'FAIL', why: 'CLOSED', received: /no second time/ },
    );
    t.equal(report.exitCode, 1);
  });
  t.end();
});

test('before a mutant every restart is of the mutant’s own server', async (t) => {
  const wire: WireMutant = {
    ...identity,
    name: 'drops-one',
    breaks: ['DELIV-1'],
    also: ['FENCE-5'],
    alter: () => ({ onPipeToClient: (message) => (message.payload.toString() === 'one' ? [] : [message]) }),
  };
  const proof = await prove({
    tokens: DEVELOPMENT_TOKENS,
    cases: [...canary, killed],
    parts: ['clean', 'mutants'],
    seed: 1,
    full: false,
    jobs: 2,
    mutants: [{ ...wire, kind: 'wire', wire }],
  });
  t.same(
    proof.mutants.map(({ state, reason }) => reason ?? state),
    ['killed'],
  );
  t.equal(proof.exitCode, 0, JSON.stringify(proof.clean));
});

test('the linter keeps canaries from ending the server', (t) => {
  const of = { ...killed, canary: true };
  t.match(
    lintCases([of]).map(({ what }) => what),
    ['a canary does not end the server'],
  );
  t.end();
});
