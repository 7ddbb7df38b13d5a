import type { LintFault } from './lint.js';
import type { Case, CaseStep } from './model.js';
import { asText, splitAt } from './model.js';

const BUILT_IN: readonly string[] = [
  'room',
  'rooms',
  'run',
  'limits',
  'discovery',
  'server',
  'a',
  'b',
  'hooks',
  'naked',
];
const NAMES = /\$\{?([A-Za-z_][\w-]*)/g;

/** Variables that nothing gives a value, and sockets of members who are not there. */
export function variableFaults(of: Case): LintFault[] {
  const known = new Set([...BUILT_IN, ...Object.keys(of.given.members)]);
  return of.steps.flatMap((step) => {
    const mentioned = membersOf(step);
    const { line } = step;
    for (const member of mentioned.made) known.add(member);
    const unknown = variablesOf(step).filter((name) => !known.has(name));
    const absent = mentioned.needed.filter((name) => !known.has(name));
    for (const name of Object.keys(step.save)) known.add(name);
    return [
      ...unknown.map((name) => ({ line, what: `nothing is known as $${name}` })),
      ...absent.map((name) => ({ line, what: `there is no ${name}` })),
    ];
  });
}

// Keys that begin with `$` are operators; only values are names.
function variablesOf({ fields, expect }: CaseStep): string[] {
  const texts: string[] = [];
  const walk = (value: unknown): void => {
    if (typeof value === 'string') texts.push(value);
    else if (typeof value === 'object' && value !== null) {
      for (const [key, each] of Object.entries(value)) if (key !== '$match') walk(each);
    }
  };
  walk(fields);
  walk(expect);
  const found = texts.filter((text) => !text.startsWith('$$')).flatMap((text) => [...namesIn(text)]);
  return [...new Set(found)];
}

function* namesIn(text: string): Iterable<string> {
  const whole = /^\$([A-Za-z_][\w-]*)(?:\.[\w-]+)*$/.exec(text)?.[1];
  if (whole !== undefined) yield whole;
  else for (const [found, name] of text.matchAll(NAMES)) if (found.startsWith('${') && name !== undefined) yield name;
}

interface Mentioned {
  /** Names that the step brings into being. */
  readonly made: readonly string[];
  /** Names that must be there already. */
  readonly needed: readonly string[];
}

function membersOf({ verb, fields, expect }: CaseStep): Mentioned {
  const head = (value: unknown): string[] => (typeof value === 'string' ? [splitAt(value).member] : []);
  const made = [
    ...(verb === 'grant' || verb === 'http' || verb === 'dial' ? head(fields['as']) : []),
    ...(verb === 'raw' && fields['connect'] !== undefined ? head(fields['as']) : []),
    ...(verb === 'open' ? [...head(fields['pipe']), ...head(fields['sibling'])] : []),
    ...(verb === 'retry' ? retried(fields) : []),
  ];
  const needed = [fields['at'], fields['from'], fields['member'], fields['sentinel'], expect?.['at']].filter(
    (at) => at !== 'none' && at !== 'ping',
  );
  const pair = verb === 'control' && Array.isArray(fields['of']) ? fields['of'].map(String) : [];
  return { made, needed: [...needed, ...pair].flatMap(head) };
}

function retried(fields: CaseStep['fields']): string[] {
  const { http, grant } = fields;
  return [http, grant].flatMap((each) =>
    typeof each === 'object' && each !== null && 'as' in each ? [asText(each['as'] as string)] : [],
  );
}
