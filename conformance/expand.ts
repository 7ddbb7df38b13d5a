import { bystandersOver, isExclusive } from './plan.js';
import type { Case, CaseStep, Fields, Member, Part, Step, Verb } from './model.js';
import { asText, fullAt } from './model.js';

/** Room key and names of the pair that is added to every case. */
export const BYSTANDER = {
  room: 'bystander',
  /** Their room after a restart. */
  again: 'bystanders-again',
  first: 'bystander1',
  second: 'bystander2',
} as const;

/** Key of the room of the naked endpoint in which a case takes place. */
export const NAKED_ROOM = 'naked';

interface Draft {
  readonly part: Part;
  readonly verb: Verb;
  readonly fields: Fields;
  readonly expect?: Fields;
  readonly needs?: string;
}

// A long run must not fill the server with the sessions of cases that are over. Bystanders never sleep; others do, and
// a busy machine must not end their sessions meanwhile.
const LIVES = {
  bystander: { sessionLingerMs: 1000, ticketMs: 10_000 },
  other: { sessionLingerMs: 5000, ticketMs: 10_000 },
} as const;

const MEMBER: Member = {
  account: 'a',
  room: BYSTANDER.room,
  pipe: true,
  command: false,
  debug: false,
  request: {},
};

/**
 * Every step of a run, in order: the bystanders' opening and first nonce, what `given` asks for, the case's own steps,
 * and the bystanders' last nonce. Each says what it expects, also where the file left it out.
 */
export function expand(of: Case): readonly Step[] {
  const steps = expanded.get(of) ?? stepsOf(of);
  expanded.set(of, steps);
  return steps;
}

// Runner and judge ask for the same case, and again in each of its repetitions.
const expanded = new WeakMap<Case, readonly Step[]>();

function stepsOf(of: Case): Step[] {
  const opening = of.canary ? [] : openingOver(bystandersOver(of));
  const given = givenDrafts(of);
  const closing = of.canary ? [] : isExclusive(of) ? bystandersReturn() : closingOver(bystandersOver(of));
  const drafts = [...opening, ...given, ...of.steps.map(asDraft), ...closing];
  return drafts.map((draft, index) => finish(draft, index));
}

/** A grant of which the case says nothing about limits has a short life. */
function asDraft(step: CaseStep): Draft & Partial<CaseStep> {
  const { verb, fields, expect } = step;
  const ordinary = verb === 'grant' && !/limits|expiresInMs/i.test(JSON.stringify([fields['request'], expect]));
  return { ...step, part: 'main', ...(ordinary ? { fields: { ...fields, lives: LIVES.other } } : {}) };
}

function finish(draft: Draft & Partial<CaseStep>, index: number): Step {
  const expect = expectationOf(draft, index);
  return {
    index,
    part: draft.part,
    verb: draft.verb,
    fields: draft.fields,
    ...(expect === undefined ? {} : { expect }),
    proves: draft.proves ?? [],
    save: draft.save ?? {},
    line: draft.line ?? 0,
    ...(draft.needs === undefined ? {} : { needs: draft.needs }),
  };
}

/** A case that ends the server takes the bystanders with it: whether all is well again they show anew. */
const bystandersReturn = (): Draft[] => [
  { part: 'bystander', verb: 'restart', fields: { how: 'if-ended' } },
  ...bystandersOpen(BYSTANDER.again),
];

function bystandersOpen(room: string = BYSTANDER.room, transport = 'websocket'): Draft[] {
  const { first, second } = BYSTANDER;
  const member = transport === 'websocket' ? MEMBER : { ...MEMBER, request: { transport } };
  return [
    ...memberDrafts(first, member, true),
    ...memberDrafts(second, MEMBER, false),
    { ...bystanderNonce(), needs: 'DELIV-1' },
  ].map((draft) => ({
    ...draft,
    part: 'bystander',
    fields: draft.verb === 'grant' ? { ...draft.fields, room, lives: LIVES.bystander } : draft.fields,
  }));
}

const bystanderNonce = (from: string = BYSTANDER.first, to: string = BYSTANDER.second): Draft => ({
  part: 'bystander',
  verb: 'control',
  fields: { of: [from, to] },
});

// The same for every case of a transport, so that what is known of their fields is known of all.
const openings = new Map<string, readonly Draft[]>();
const CLOSING = [bystanderNonce()];
// Over another transport nothing but its own first nonce says that the first one's pipe is open, and only at the end a
// nonce goes to it. The one by which isolation is judged goes the way that was good before.
const CLOSING_BOTH: readonly Draft[] = [bystanderNonce(BYSTANDER.second, BYSTANDER.first), bystanderNonce()];

const closingOver = (transport: string): readonly Draft[] => (transport === 'websocket' ? CLOSING : CLOSING_BOTH);

function openingOver(transport: string): readonly Draft[] {
  const found = openings.get(transport) ?? bystandersOpen(BYSTANDER.room, transport);
  openings.set(transport, found);
  return found;
}

function givenDrafts({ given }: Case): Draft[] {
  const made = new Set<string>();
  return Object.entries(given.members).flatMap(([name, member]) => {
    // The room of a naked endpoint is there.
    const creates = !made.has(member.room) && member.room !== NAKED_ROOM;
    made.add(member.room);
    return memberDrafts(name, member, creates);
  });
}

function memberDrafts(name: string, member: Member, creates: boolean): Draft[] {
  const { account, room, request } = member;
  const part = 'given';
  const grant: Draft = {
    part,
    verb: 'grant',
    fields: { as: name, account, room, request, lives: LIVES.other, ...(creates ? { create: true } : {}) },
    needs: creates ? 'OPEN-9' : 'OPEN-1',
  };
  const bind = (channel: string): Draft => ({
    part,
    verb: 'bind',
    fields: { member: name, channel, ...(member.siblings === undefined ? {} : { over: member.siblings }) },
    needs: 'BIND-3',
  });
  const overWebSocket = (request['transport'] ?? 'websocket') === 'websocket';
  const open: Draft = { part, verb: 'open', fields: { pipe: name }, needs: overWebSocket ? 'WS-1' : 'PIPE-1' };
  const opened: Draft = {
    part,
    verb: 'expect',
    fields: { at: `${name}.command`, event: 'pipe.opened' },
    needs: 'PIPE-1',
  };
  const binds = [...(member.command ? [bind('command')] : []), ...(member.debug ? [bind('debug')] : [])];
  const opens = member.pipe ? [open] : [];
  return [
    grant,
    ...(member.pipeFirst === true ? [...opens, ...binds] : [...binds, ...opens]),
    ...(member.pipe && member.command ? [opened] : []),
  ];
}

/** The name of the socket that an `open` opens or a `bind` binds. */
export function socketOf(verb: Verb, fields: Fields): string {
  const as = typeof fields['as'] === 'string' ? fields['as'] : undefined;
  if (verb === 'bind') return `${asText(fields['member'])}.${as ?? channelOf(fields)}`;
  if (fields['pipe'] !== undefined) return `${asText(fields['pipe'])}.${as ?? 'pipe'}`;
  return `${asText(fields['sibling'])}.${as ?? 'command'}`;
}

/** The channel that a `bind` asks for. */
export const channelOf = (fields: Fields): string =>
  typeof fields['channel'] === 'string' ? fields['channel'] : 'command';

/** The label of the call that a step makes: its `as`, or one of its own. */
export function labelOf(verb: Verb, fields: Fields, index: number): string {
  const as = fields['as'];
  return verb !== 'bind' && typeof as === 'string' ? as : `${verb}:${String(index)}`;
}

function expectationOf({ verb, fields, expect }: Draft, index: number): Fields | undefined {
  if (verb === 'expect') return fields;
  const implied = expect ?? impliedBy(verb, fields);
  if (implied === undefined) return undefined;
  const calls = (verb === 'call' && fields['notify'] !== true) || verb === 'bind' || verb === 'fence';
  const answered = implied['reply'] !== undefined || implied['error'] !== undefined;
  const to = calls ? labelOf(verb, fields, index) : rawTarget(verb, fields);
  return {
    at: placeOf(verb, fields),
    ...(answered && to !== undefined ? { to } : {}),
    ...implied,
  };
}

// What answers bytes that are no call of the kit answers none of its calls either.
function rawTarget(verb: Verb, fields: Fields): string | undefined {
  return verb === 'raw' && fields['message'] === undefined ? 'any' : undefined;
}

function impliedBy(verb: Verb, fields: Fields): Fields | undefined {
  if (verb === 'grant') return { status: 201 };
  if (verb === 'open') return fields['pipe'] === undefined ? { event: 'sibling.hello' } : { opened: {} };
  if (verb === 'dial') return { opened: {} };
  if (verb === 'fence' || (verb === 'bind' && fields['await'] !== false)) return { reply: {} };
  return undefined;
}

function placeOf(verb: Verb, fields: Fields): string {
  if (verb === 'grant') return `${asText(fields['as'])}.grant`;
  if (verb === 'open' || verb === 'bind') return socketOf(verb, fields);
  if (verb === 'http') return asText(fields['as']);
  if (verb === 'dial') return fullAt(asText(fields['as']));
  if (verb === 'send') return fullAt(asText(fields['from']));
  if (verb === 'fence') return `${asText(fields['at'])}.command`;
  return fields['connect'] === undefined ? fullAt(asText(fields['at'])) : asText(fields['as']);
}
