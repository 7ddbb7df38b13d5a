import type { Case, Fields, Verb } from './model.js';
import { asText, fullAt, isFields } from './model.js';
import { requirementOf } from './register.js';
import type { Json } from './timeline.js';

/** Why a case is known beforehand not to run. */
export interface Skip {
  readonly verdict: 'NOT_APPLICABLE' | 'NOT_TESTED';
  readonly reason: string;
}

/** What a server says of itself. */
export interface Declared {
  readonly server: string;
  readonly profiles: readonly string[];
}

/** What decides which cases run. */
export interface Selection {
  readonly accounts: number;
  readonly full: boolean;
  /** Profiles asked for; undefined for all. */
  readonly profiles: readonly string[] | undefined;
  /** Whether the kit may end the server and start it again. */
  readonly owned: boolean;
  /** Whether the kit has the token for the server's hooks. */
  readonly hooks: boolean;
  /** Whether the kit has a server with TLS over a transport. */
  readonly tls: (transport: string) => boolean;
  /** Whether there is a naked endpoint with these members. */
  readonly naked: (wanted: Fields) => boolean;
}

/** Reads name, version and profiles out of a well-known document. */
export function declaredBy(discovery: Json): Declared {
  const fields = isFields(discovery) ? discovery : {};
  const { name, version } = isFields(fields['server']) ? fields['server'] : {};
  const listed = Array.isArray(fields['profiles']) ? fields['profiles'].map(String) : [];
  const server = [name, version].filter((part) => typeof part === 'string').join(' ');
  // Nobody can undeclare core.
  return { server, profiles: listed.includes('core') ? listed : ['core', ...listed] };
}

/** The profiles that a server must have declared for a case to concern it. */
export function profilesOf(of: Case): readonly string[] {
  const profiles = concerned.get(of) ?? concernedBy(of);
  concerned.set(of, profiles);
  return profiles;
}

// Asked for with every choice that is made about a case.
const concerned = new WeakMap<Case, readonly string[]>();

function concernedBy(of: Case): readonly string[] {
  const ids = of.steps.flatMap((step) => step.proves);
  const proved = of.profiles ?? ids.map((id) => requirementOf(id)?.profile ?? 'core');
  return [...new Set([...proved, ...transportsOf(of)])];
}

/** The profiles of which a case proves something, where it passes. */
export const profilesProved = ({ steps }: Case): readonly string[] =>
  steps.flatMap(({ proves }) => proves.map((id) => requirementOf(id)?.profile ?? 'core'));

/** Transports by which a bystander can both send and receive, the dearest first. */
const STANDS_BY = ['ftp', 'udp', 'tcp'] as const;

/**
 * By what one of the bystanders of a case comes: the transport that the case is about, so that nothing of it is believed to a
 * server which does not carry a message over that, and a case that harms others harms them; else WebSocket.
 */
export function bystandersOver(of: Case): string {
  if (isExclusive(of)) return 'websocket';
  const profiles = profilesOf(of);
  return STANDS_BY.find((transport) => profiles.includes(transport)) ?? 'websocket';
}

// WebSocket is what the kit uses for everything that a case says nothing about.
const transportsOf = ({ given }: Case): readonly string[] =>
  Object.values(given.members).flatMap(({ request: { transport }, siblings }) =>
    [transport, siblings].filter((each) => typeof each === 'string').filter((each) => each !== 'websocket'),
  );

/** Whether a case is slow for nothing but time that hooks let pass at once. */
export const onlyWaits = ({ steps }: Pick<Case, 'steps'>): boolean =>
  steps.some(({ verb }) => verb === 'clock') && steps.every(({ verb, fields }) => verb !== 'clock' || !fields['real']);

const ALONE: ReadonlySet<Verb> = new Set(['restart', 'drain']);

/** Whether a case ends the server: it runs when all others are over, and alone. */
export const isExclusive = (of: Pick<Case, 'steps'>): boolean => of.steps.some(({ verb }) => ALONE.has(verb));

/** Why `of` will not run; undefined when it will. */
export function skipOf(of: Case, declared: Declared, selection: Selection): Skip | undefined {
  const missing = profilesOf(of).find((profile) => !declared.profiles.includes(profile));
  if (missing !== undefined) return { verdict: 'NOT_APPLICABLE', reason: `profile ${missing}` };
  if (of.usual !== undefined && needsWebSocket(of)) {
    return { verdict: 'NOT_APPLICABLE', reason: 'profile websocket' };
  }
  const had = of.lacks.find((profile) => declared.profiles.includes(profile));
  if (had !== undefined) return { verdict: 'NOT_APPLICABLE', reason: `has profile ${had}` };
  if (of.accounts > selection.accounts) return { verdict: 'NOT_TESTED', reason: 'token' };
  if (isExclusive(of) && !selection.owned) return { verdict: 'NOT_TESTED', reason: 'restart' };
  if (of.tls !== undefined && !selection.tls(of.tls)) return { verdict: 'NOT_TESTED', reason: 'tls' };
  if (of.naked !== undefined && !selection.naked(of.naked)) return { verdict: 'NOT_TESTED', reason: 'naked' };
  const hooks = selection.hooks && declared.profiles.includes('testhooks');
  if (of.hooks && !hooks) return { verdict: 'NOT_TESTED', reason: 'hooks' };
  const isSlow = of.tags.includes('slow') && !(hooks && onlyWaits(of));
  if (isSlow && !selection.full) return { verdict: 'NOT_TESTED', reason: 'slow' };
  return undefined;
}

/** The case as it runs before a server with these profiles: by TCP where it does not say how and there is no WebSocket. */
export const asUsual = (of: Case, { profiles }: Declared): Case =>
  profiles.includes('tcp') && !profiles.includes('websocket') ? { ...of, usual: 'tcp' } : of;

const OF_WEBSOCKET =
  /"(protocols|headers|fragments|frame|alive|pong|closed|opened|refused)"|"sentinel":"ping"|format|convert|websocket/i;

// `close` over TCP ends one direction alone.
const WORDS_OF_ITS_OWN: ReadonlySet<Verb> = new Set(['raw', 'ping', 'hold', 'close']);

/**
 * Whether a case looks at what only WebSocket has, at a socket of which it does not say how it comes: close codes, frames,
 * pongs, JSON that is carried as text. Without a sibling nobody knows when a pipe over TCP is open.
 */
function needsWebSocket({ given, steps }: Case): boolean {
  const members = Object.values(given.members);
  if (members.some(({ pipe, command, request }) => pipe && !command && request['transport'] === undefined)) return true;
  if (OF_WEBSOCKET.test(JSON.stringify([given.rooms, members.map(({ request }) => request)]))) return true;
  const named = new Set(
    Object.entries(given.members).flatMap(([name, { request, siblings }]) => [
      ...(request['transport'] === undefined ? [] : [`${name}.pipe`]),
      ...(siblings === undefined ? [] : [`${name}.command`, `${name}.debug`]),
    ]),
  );
  for (const { verb, fields } of steps) {
    if (verb === 'dial') named.add(fullAt(asText(fields['as'])));
    if (verb === 'open' && fields['over'] !== undefined) named.add(socketName(fields));
  }
  const bound = new Set(Object.entries(given.members).flatMap(([name, { command }]) => (command ? [name] : [])));
  return steps.some(({ verb, fields, expect }) => {
    if (verb === 'bind') bound.add(asText(fields['member']));
    const blind = verb === 'open' && fields['pipe'] !== undefined && !bound.has(asText(fields['pipe']));
    const at = verb === 'open' ? socketName(fields) : fullAt(asText(fields['at'] ?? fields['from']));
    if (named.has(at)) return false;
    const isEndpoint = verb === 'http' && /^(pipe|sibling)$/.test(asText(fields['to']));
    const isRaw = WORDS_OF_ITS_OWN.has(verb);
    return blind || isEndpoint || isRaw || OF_WEBSOCKET.test(JSON.stringify([fields, expect]));
  });
}

function socketName({ pipe, sibling, as }: Fields): string {
  const name = typeof as === 'string' ? as : pipe === undefined ? 'command' : 'pipe';
  return `${asText(pipe ?? sibling)}.${name}`;
}

/** Whether the choice of profiles leaves `of` in. */
export function isChosen(of: Case, { profiles }: Selection): boolean {
  return profiles === undefined || of.canary || profilesOf(of).some((profile) => profiles.includes(profile));
}
