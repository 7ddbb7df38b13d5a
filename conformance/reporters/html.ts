import type { Check, Verdict } from '../judge/judge.js';
import { familiesOf, isBad, whereItFails } from '../permute/twins.js';
import { requirementOf } from '../register.js';
import type { RequirementReport, SuiteReport, Tally } from '../report.js';
import { EXIT } from '../report.js';
import { escaped, page } from './html-page.js';
import { legible, recordLine } from './lines.js';
import { repeatCommand } from './pretty.js';

const LINE = 160;
const SIGNS: Readonly<Record<Verdict, string>> = {
  PASS: '●',
  FAIL: '✗',
  WARN: '▲',
  INCONCLUSIVE: '?',
  NOT_TESTED: '·',
  NOT_APPLICABLE: '·',
};
const VERDICTS = Object.keys(SIGNS) as readonly Verdict[];

/** What can be read aloud: `NOT_TESTED` as `not tested`. */
const spoken = (verdict: Verdict): string => verdict.toLowerCase().replace('_', ' ');
const safe = (text: string): string => escaped(legible(text));

/** A sentence of the specification, which is Markdown. */
const prose = (text: string): string => safe(text).replace(/`([^`]+)`/g, '<code>$1</code>');

/** One page for people: every requirement with its checks, every failure with its traffic; to search and to print. */
export function htmlPage(report: SuiteReport, target: string): string {
  const title = `Conformance of ${report.target.server || report.target.url}`;
  return page(title, [...heading(title, report), ...finder(report), ...failures(report, target), ...chapters(report)]);
}

function heading(title: string, { target, suite, seed, seconds, summary, exitCode, notices }: SuiteReport): string[] {
  const isGood = exitCode === EXIT.conformant;
  const said = isGood ? 'conformant' : exitCode === EXIT.failed ? 'not conformant' : `exit ${String(exitCode)}`;
  const facts = {
    result: `<span class="verdict ${isGood ? 'PASS' : 'FAIL'}">${said}</span>`,
    server: `${safe(target.server)} at <code>${safe(target.url)}</code>`,
    profiles: safe(target.profiles.join(', ')),
    requirements: tallied(summary.requirements),
    runs: tallied(summary.cases),
    suite: `<code>${safe(suite.hash)}</code>, seed ${String(seed)}, ${seconds.toFixed(1)} s`,
    ...(notices.length === 0 ? {} : { noted: safe(notices.join('; ')) }),
  };
  const rows = Object.entries(facts).map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`);
  return [`<h1>${safe(title)}</h1>`, `<dl>${rows.join('')}</dl>`];
}

const tallied = (tally: Tally): string =>
  VERDICTS.filter((verdict) => tally[verdict] > 0)
    .map((verdict) => `<span class="${verdict}">${String(tally[verdict])} ${spoken(verdict)}</span>`)
    .join(', ');

function finder({ requirements }: SuiteReport): string[] {
  const there = VERDICTS.filter((verdict) => requirements.some((each) => each.verdict === verdict));
  const boxes = there.map(
    (verdict) => `<label><input type="checkbox" value="${verdict}" checked> ${spoken(verdict)}</label>`,
  );
  const search = '<input type="search" placeholder="Find a requirement, a word, a case" aria-label="Find">';
  return [`<form class="find" hidden onsubmit="return false">${search}${boxes.join('')}</form>`];
}

/** Every case that fails, told once; its permutations in a word. */
function failures(report: SuiteReport, target: string): string[] {
  const broken = familiesOf(report.cases).filter(({ runs }) =>
    runs.some(({ verdict }) => verdict === 'FAIL' || verdict === 'WARN'),
  );
  if (broken.length === 0) return [];
  const told = broken.map((family) => {
    const run = family.runs.find((each) => each.id === family.id && isBad(each)) ?? family.runs.find(isBad);
    if (run === undefined) return '';
    const checks = run.checks.filter(({ verdict }) => verdict === 'FAIL' || verdict === 'WARN');
    const ids = [...new Set(checks.map(({ requirement }) => requirement))].join(', ');
    return [
      `<details data-verdict="${checks[0]?.verdict ?? 'FAIL'}"><summary><span class="verdict FAIL">${safe(ids)}</span> `,
      `${safe(family.id)} ${safe(whereItFails(family))}</summary><p>${safe(run.title)}</p>`,
      ...checks.map(evidence),
      `<pre class="said">${safe(repeatCommand(target, run.id, report.seed))}</pre></details>`,
    ].join('');
  });
  return ['<section><h2>What fails</h2>', ...told, '</section>'];
}

function evidence({ requirement, why, expected, received, records, timeline = [] }: Check): string {
  const lines = timeline.map((record) => escaped(recordLine(record, LINE, record.i === records?.[1])));
  return [
    `<h3>${safe(requirement)} ${safe((why ?? '').toLowerCase())}</h3>`,
    `<p>${prose(requirementOf(requirement)?.sentence ?? '')}</p>`,
    `<p class="label">expected</p><pre class="said">${safe(expected ?? '')}</pre>`,
    `<p class="label">received</p><pre class="said">${safe(received ?? '')}</pre>`,
    lines.length === 0 ? '' : `<pre>${lines.join('\n')}</pre>`,
  ].join('');
}

function chapters({ requirements, checks }: SuiteReport): string[] {
  const byId = new Map<string, Check[]>();
  for (const check of checks) byId.set(check.requirement, [...(byId.get(check.requirement) ?? []), check]);
  const names = [...new Set(requirements.map(chapterOf))];
  return names.flatMap((name) => [
    `<section><h2>${safe(name)}</h2>`,
    ...requirements.filter((each) => chapterOf(each) === name).map((each) => rule(each, byId.get(each.id) ?? [])),
    '</section>',
  ]);
}

const chapterOf = ({ section }: RequirementReport): string => section.split('#')[0]?.replace(/\.md$/, '') ?? '';

function rule({ id, verdict, sentence, reason }: RequirementReport, checks: readonly Check[]): string {
  const signs = checks.map(
    (check) => `<span class="${check.verdict}" title="${safe(check.case)}">${SIGNS[check.verdict]}</span>`,
  );
  return [
    `<div class="rule" data-verdict="${verdict}"><strong id="${safe(id)}">${safe(id)}</strong>`,
    `<span class="verdict ${verdict}">${SIGNS[verdict]} ${spoken(verdict)}</span><p>${prose(sentence)}</p>`,
    signs.length === 0 ? '' : `<div class="checks">${signs.join('<wbr>')}</div>`,
    reason === undefined ? '' : `<div class="why">${safe(reason)}</div>`,
    '</div>',
  ].join('');
}
