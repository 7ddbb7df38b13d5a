import { Command } from 'commander';
import type { Test } from 'tap';
import { test } from 'tap';
import { loadCases } from '../cases.js';
import type { Case } from '../model.js';
import type { WireMutant } from '../mutants/mutant.js';
import { identity } from '../mutants/registry.js';
import { requirementOf } from '../register.js';
import type { Mutant } from './catalogue.js';
import { choose, fits, patchCatalogue, wireCatalogue } from './catalogue.js';
import { registerProve } from './cli.js';
import { negations } from './negate.js';
import { WIDTH, cut, fold, summary } from './print.js';
import type { ProofOptions } from './proof.js';
import { prove } from './proof.js';
import { casesFor } from './selection.js';

const { cases } = loadCases();
const few = cases.filter(({ canary, id }) => canary || /^delivery\/(unaltered#(text|binary|long-text)|echo)$/.test(id));

const wire = (changes: Partial<WireMutant>): Mutant => {
  const mutant: WireMutant = { ...identity, ...changes };
  return { ...mutant, kind: 'wire', wire: mutant };
};

const options = (changes: Partial<ProofOptions>): ProofOptions => ({
  tokens: ['dev.alice', 'dev.bob'],
  cases: few,
  parts: ['clean', 'mutants'],
  seed: 1,
  full: false,
  jobs: 2,
  ...changes,
});

test('every mutant has a name of its own and breaks requirements that exist', (t) => {
  const all = [...wireCatalogue(), ...patchCatalogue()];
  const names = all.map(({ name }) => name);
  t.same(
    names.filter((name, i) => names.indexOf(name) !== i),
    [],
    'no name is used twice',
  );
  t.same(
    names.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)),
    [],
    'names are in kebab case',
  );
  t.same(
    all.filter(({ breaks }) => breaks.length === 0).map(({ name }) => name),
    [],
    'each breaks something',
  );
  const unknown = all.flatMap(({ name, breaks, also }) =>
    [...breaks, ...also].filter((id) => requirementOf(id) === undefined).map((id) => `${name}: ${id}`),
  );
  t.same(unknown, [], 'each names only requirements that exist');
  t.end();
});

test('cases name only mutants that exist', (t) => {
  const names = new Set([...wireCatalogue(), ...patchCatalogue()].map(({ name }) => name));
  const promised = cases.flatMap(({ id, mutants }) => mutants.map((name) => ({ id, name })));
  t.same(
    promised.filter(({ name }) => !names.has(name)),
    [],
  );
  t.end();
});

test('mutants are chosen by globs over their names and what they break', (t) => {
  const all = [wire({ name: 'one-fault', breaks: ['A-1'] }), wire({ name: 'other', breaks: ['A-2', 'B-1'] })];
  const names = (choice: Parameters<typeof choose>[1]) => choose(all, choice).map(({ name }) => name);
  t.same(names({}), ['one-fault', 'other']);
  t.same(names({ mutant: '*-fault' }), ['one-fault']);
  t.same(names({ requirement: 'A-*' }), ['one-fault', 'other']);
  t.same(names({ requirement: 'B-1', mutant: 'one*' }), []);
  t.notOk(fits('a.c', 'abc'), 'a point is a point');
  t.end();
});

test('a mutant runs the canary, what proves its ids, and the same sample for the same seed', (t) => {
  const mutant = wire({ name: 'x', breaks: ['DELIV-4'] });
  const chosen = (seed: number) => casesFor(mutant, cases, { seed, full: false }).cases.map(({ id }) => id);
  const proving = cases.filter(
    ({ steps, tags }) => !tags.includes('slow') && steps.some((step) => step.proves.includes('DELIV-4')),
  );
  t.same(chosen(1), chosen(1));
  t.not(chosen(1).join(' '), chosen(2).join(' '));
  t.ok(chosen(1).includes('canary/opening'));
  t.same(
    proving.filter(({ id }) => !chosen(1).includes(id)),
    [],
  );
  const drawn = chosen(1).findLast((id) => !proving.some((of) => of.id === id));
  const without = cases.filter(({ id }) => id !== drawn);
  const after = casesFor(mutant, without, { seed: 1, full: false }).cases.map(({ id }) => id);
  t.equal(after.filter((id) => !chosen(1).includes(id)).length, 1, 'one case less changes nothing but its own place');
  const claimed = cases.map((of) => (of.id === 'delivery/echo' ? { ...of, mutants: ['x'] } : of));
  const narrow = casesFor(mutant, claimed, { seed: 1, full: false }).cases;
  t.ok(narrow.some(({ id }) => id === 'delivery/echo'));
  t.ok(narrow.length <= 8, 'cases that claim the mutant stand for all that prove its ids');
  t.ok(casesFor(mutant, cases, { seed: 1, full: true }).cases.length > cases.length / 2);
  t.end();
});

test('every leaf of an expectation, and every list, is negated by itself', (t) => {
  const step = { save: {}, line: 1, proves: [] };
  const of: Case = {
    ...(cases[0] as Case),
    steps: [
      { ...step, verb: 'expect', fields: { at: 'a.command', event: 'x', params: { n: 1, at: { epoch: { $gt: 0 } } } } },
      { ...step, verb: 'exactly', fields: { at: 'b', messages: [{ sent: 'one' }] } },
      { ...step, verb: 'none', fields: { at: 'a.command', event: 'y' } },
      { ...step, verb: 'call', fields: { at: 'a.command', method: 'fence' }, expect: { reply: {} } },
      { ...step, verb: 'send', fields: { from: 'a', text: 'x' } },
    ],
  };
  t.same(
    negations(of).map(({ step: at, what }) => `${String(at)} ${what}`),
    [
      '0 event',
      '0 params/n',
      '0 params/at/epoch',
      '1 messages: one less',
      '1 messages: one more',
      '1 messages/0',
      '2 none',
      '3 reply',
    ],
  );
  t.end();
});

test('a mutant that changes nothing survives, and that is an exit of 1', async (t) => {
  const harmless = wire({ name: 'changes-nothing', breaks: ['DELIV-1'] });
  const proof = await prove(options({ mutants: [harmless] }));
  t.match(proof.clean, [
    { proxied: false, failed: [], inconclusive: [], faults: [] },
    { proxied: true, failed: [], inconclusive: [], faults: [] },
  ]);
  t.match(proof.mutants, [{ state: 'survived', survived: ['DELIV-1'], reason: 'DELIV-1 PASS' }]);
  t.equal(proof.exitCode, 1);
  t.match(summary(proof).join('\n'), /survived +changes-nothing/);
  for (const line of summary(proof)) for (const each of line.split('\n')) t.ok(each.length <= WIDTH, each);
});

test('a mutant that is noticed is killed; one that breaks more than it says, and one that cannot start, are not', async (t) => {
  const flips: WireMutant['alter'] = () => ({
    onPipeToClient: (message) => [
      message.payload.length > 1000
        ? { ...message, payload: Buffer.from(message.payload).fill(' ', 999, 1000) }
        : message,
    ],
  });
  const altering = wire({ name: 'blanks-a-byte', breaks: ['DELIV-1'], also: ['DELIV-2', 'DELIV-7'], alter: flips });
  const noisy = { ...altering, name: 'says-too-little', breaks: ['DELIV-4'], also: [] };
  const throwing = wire({
    name: 'throws',
    breaks: ['DELIV-1'],
    alter: () => ({
      onPipeToServer: () => {
        throw new Error('out of order');
      },
    }),
  });
  const once: WireMutant['alter'] = () => {
    let fired = 0;
    return {
      onPipeToClient: (message) => [
        message.payload.length > 1000 && fired++ === 0 ? { ...message, payload: Buffer.alloc(1001, ' ') } : message,
      ],
    };
  };
  const passing = wire({ name: 'strikes-once', breaks: ['DELIV-4'], alter: once });
  const absent: Mutant = { ...wire({}), name: 'no-such-patch', kind: 'patch', breaks: ['DELIV-1'] };
  const { wire: _, ...patch } = absent;
  const proof = await prove(options({ mutants: [altering, noisy, patch, throwing, passing] }));
  const [killed, alarming, invalid, thrown, unheard] = proof.mutants;
  t.equal(killed?.state, 'killed');
  t.ok(killed?.kills.every(({ requirement }) => requirement === 'DELIV-1'));
  t.match(alarming, { state: 'false-alarm', reason: /^DELIV-1 fails in / });
  t.match(unheard, { state: 'survived', alarms: [] }, 'an alarm that its case does not raise again is none');
  t.match(thrown, { state: 'invalid', reason: 'the mutant failed: out of order' });
  t.match(invalid, { state: 'invalid', reason: /no patch is called no-such-patch/ });
  t.hasOwnProps(proof.matrix['DELIV-1'] ?? {}, ['blanks-a-byte']);
  t.equal(proof.exitCode, 1);
});

test('null servers earn nothing, the judge notices all that is altered, and that is an exit of 0', async (t) => {
  const seen: string[] = [];
  const proof = await prove(options({ mutants: [], parts: ['clean', 'nulls', 'judge'] }), {
    onNull: ({ name, gate }) => seen.push(`${name} ${String(gate)}`),
  });
  t.same(
    proof.nulls.flatMap(({ passes }) => passes),
    [],
  );
  t.equal(seen.length, 21);
  t.ok(proof.negations.tried > 10);
  t.ok(proof.tamperings.tried > 10);
  t.match(proof, { negations: { unnoticed: [] }, tamperings: { unnoticed: [] }, exitCode: 0 });
  t.match(summary(proof).at(-1), 'proved: the kit is clean');
});

/** Runs the command as the binary does; its words and its exit code. */
async function run(t: Test, ...args: readonly string[]) {
  const before = process.exitCode;
  const said = [process.stdout, process.stderr].map((stream) => t.capture(stream, 'write'));
  const program = new Command('porthouse').exitOverride();
  registerProve(program);
  for (const command of program.commands) command.copyInheritedSettings(program);
  const refused = await program.parseAsync(['node', 'porthouse', 'prove', ...args]).then(
    () => undefined,
    (error: unknown) => error,
  );
  const code = refused === undefined ? process.exitCode : refused;
  process.exitCode = before;
  const words = said.flatMap((each) => each().map(({ args: [text] }) => String(text))).join('');
  for (const each of said) each.restore();
  return { code, words };
}

test('a proof that cannot be had is an exit of 3 with one line that says why', async (t) => {
  t.match(await run(t, 'not an address'), { code: { code: 'commander.invalidArgument' } });
  t.match(await run(t, '--only', 'everything'), { code: { code: 'commander.invalidArgument' } });
  t.match(await run(t, '--mutant', 'nobody-has-this-name'), { code: 3, words: /^porthouse prove: no mutant .*\n$/ });
  t.match(await run(t, 'http://127.0.0.1:1', '--only', 'clean'), { code: 3, words: /^porthouse prove: .*\n$/ });
});

test('mutants are listed without being tried', async (t) => {
  const { words } = await run(t, '--list', '--mutant', 'alters-*');
  t.match(words, /^alters-a-byte \(wire\) breaks DELIV-1/m);
  t.match(words, /Flips the lowest bit/);
});

test('lines are cut and folded at 80 columns', (t) => {
  t.equal(cut('x'.repeat(100)).length, WIDTH);
  t.equal(cut('  two\n lines'), '  two lines');
  t.equal(fold('one two', 78), `${' '.repeat(78)}one\n${' '.repeat(78)}two`);
  t.end();
});
