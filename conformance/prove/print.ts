import type { EmptyClaim } from './claims.js';
import type { CleanResult } from './try-clean.js';
import type { JudgeResult } from './try-judge.js';
import type { MutantResult } from './try-mutant.js';
import type { NullResult } from './try-null.js';
import type { Proof } from './proof.js';
import type { Alarm } from './verdict.js';

/** Width of a line; longer ones are cut or folded. */
export const WIDTH = 80;
const LABEL = 15;

/** `text` in at most `width` characters, the cut shown. */
export function cut(text: string, width = WIDTH): string {
  const flat = text.replace(/(\S)\s+/g, '$1 ');
  return flat.length <= width ? flat : `${flat.slice(0, width - 1)}…`;
}

/** `text` in lines of at most 80 characters, all indented alike. */
export function fold(text: string, indent: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each) => ' '.repeat(indent) + each).join('\n');
}

const plural = (count: number, what: string): string => `${String(count)} ${what}${count === 1 ? '' : 's'}`;

function row(label: string, text: string): string {
  return `${label.padEnd(LABEL)}${fold(text, LABEL).trimStart()}`;
}

function alarmLines(alarms: readonly Alarm[]): readonly string[] {
  return alarms.flatMap((alarm) => [
    cut(`  ${alarm.requirement.padEnd(13)} ${alarm.case}${alarm.line ? `:${String(alarm.line)}` : ''} ${alarm.why}`),
    ...(alarm.expected === undefined ? [] : [cut(`    expected ${alarm.expected}`)]),
    ...(alarm.received === undefined ? [] : [cut(`    received ${alarm.received}`)]),
  ]);
}

/** One mutant in one line; what is wrong with it in further ones. */
export function mutantLines(result: MutantResult): readonly string[] {
  const { mutant, state, seconds, reason } = result;
  const head = `${state.padEnd(LABEL - 1)} ${mutant.name} (${mutant.kind}) ${seconds.toFixed(1)} s`;
  return reason === undefined ? [cut(head)] : [cut(head), fold(reason, LABEL)];
}

/** Everything about one mutant, for whoever writes it. */
export function mutantDetails(result: MutantResult): readonly string[] {
  const { mutant, kills, alarms, expectedBesides, cases } = result;
  const part = (title: string, found: readonly Alarm[]): readonly string[] =>
    found.length === 0 ? [] : [title, ...alarmLines(found)];
  return [
    ...mutantLines(result),
    fold(mutant.what, 2),
    fold(
      `breaks ${mutant.breaks.join(', ')}; also ${mutant.also.join(', ') || 'nothing'}; ${plural(cases.length, 'case')}`,
      2,
    ),
    ...part('  killed by', kills),
    ...part('  failed besides, as it may', expectedBesides),
    ...part('  FALSE ALARM', alarms),
    '',
  ];
}

function claimSummary(claims: readonly EmptyClaim[]): readonly string[] {
  const lines = claims.map(({ case: of, mutant, exists }) =>
    cut(`  ${of} ${exists ? 'does not kill' : 'names no mutant with'} ${mutant}`),
  );
  return claims.length === 0 ? [] : [row('claims', `${plural(claims.length, 'case')} promise too much`), ...lines];
}

const nullLines = ({ name, gate, passes }: NullResult): readonly string[] => [
  `  ${name}${gate ? '' : ', without the gate'}: ${plural(passes.length, 'check')} passed`,
  ...passes.slice(0, 10).map(({ requirement, case: of }) => cut(`    ${requirement} ${of}`)),
];

const unnoticedLines = ({ unnoticed }: JudgeResult): readonly string[] =>
  unnoticed.slice(0, 20).map(({ case: of, line, what }) => cut(`  ${of} line ${String(line)}: ${what}`));

function mutantSummary(results: readonly MutantResult[]): readonly string[] {
  const count = (state: string): number => results.filter((each) => each.state === state).length;
  const killed = `${String(count('killed'))} of ${String(results.length - count('skipped'))} killed`;
  const skipped = count('skipped') === 0 ? '' : `, ${String(count('skipped'))} skipped (profile not declared)`;
  const seconds = results.reduce((sum, each) => sum + each.seconds, 0);
  const bad = results.filter(({ state }) => state !== 'killed' && state !== 'skipped');
  return [row('mutants', `${killed}${skipped}, ${seconds.toFixed(0)} s of work`), ...bad.flatMap(mutantLines)];
}

function judgeSummary({ negations, tamperings }: Proof): readonly string[] {
  const noticed = ({ tried, unnoticed }: JudgeResult): string =>
    `${String(tried - unnoticed.length)} of ${String(tried)}`;
  const text = `${noticed(negations)} negated expectations and ${noticed(tamperings)} altered timelines noticed`;
  return [row('judge', text), ...unnoticedLines(negations), ...unnoticedLines(tamperings)];
}

function nullSummary(nulls: readonly NullResult[]): readonly string[] {
  const scored = nulls.filter(({ passes }) => passes.length > 0);
  const names = [...new Set(nulls.map(({ name }) => name))].join(', ');
  const text = scored.length === 0 ? `no check passed (${names})` : `${plural(scored.length, 'run')} passed checks`;
  return [row('null servers', text), ...scored.flatMap(nullLines)];
}

const LONGEST_LIST = 40;

function cleanSummary({ proxied, checks, failed, inconclusive, faults, seconds }: CleanResult): readonly string[] {
  const good = `${plural(checks, 'check')}, ${String(failed.length)} failed, ${String(inconclusive.length)} inconclusive, ${seconds.toFixed(1)} s`;
  return [
    row(proxied ? 'behind a proxy' : 'good server', good),
    ...faults.map((fault) => cut(`  fault of the kit: ${fault}`)),
    ...alarmLines([...failed, ...inconclusive]).slice(0, LONGEST_LIST),
  ];
}

/** The whole proof in a few lines. */
export function summary(proof: Proof): readonly string[] {
  const { mutants, nulls, guarded, unguarded, exitCode } = proof;
  return [
    '',
    ...proof.clean.flatMap(cleanSummary),
    ...(mutants.length === 0 ? [] : mutantSummary(mutants)),
    ...claimSummary(proof.emptyClaims),
    ...(nulls.length === 0 ? [] : nullSummary(nulls)),
    ...(proof.negations.tried === 0 ? [] : judgeSummary(proof)),
    ...(guarded + unguarded.length === 0
      ? []
      : [
          row(
            'requirements',
            `${String(guarded)} of ${String(guarded + unguarded.length)} observable MUSTs have a mutant that was killed`,
          ),
        ]),
    ...(unguarded.length === 0 ? [] : [row('  unguarded', unguarded.join(', '))]),
    '',
    exitCode === 0 ? 'proved: the kit is clean' : 'not proved: see above',
  ];
}
