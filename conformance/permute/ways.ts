import { asText, splitAt } from '../model.js';
import type { Case, CaseStep, Fields, Member, Verb } from '../model.js';
import type { Json } from '../timeline.js';
import { contentOf } from './content.js';

/** A way into a room, or out of it, beside WebSocket. */
export interface Way {
  readonly transport: string;
  readonly framing?: string;
  /** Whether one pipe goes both ways. */
  readonly duplex: boolean;
  /** Whether everything comes through; else only text without line ends. */
  readonly kinds: boolean;
  /** Longest payload that fits, in bytes, and most messages that a case should send by it. */
  readonly mostBytes: number;
  readonly mostMessages: number;
}

const LONG = 1024 * 1024;
const MANY = 10_000;
const FEW = 12;

/** Every way that the kit can take, by the name that a permutation has for it. */
export const WAYS = {
  line: { transport: 'tcp', framing: 'line', duplex: true, kinds: false, mostBytes: LONG, mostMessages: MANY },
  frame: { transport: 'tcp', framing: 'frame', duplex: true, kinds: true, mostBytes: LONG, mostMessages: MANY },
  udp: { transport: 'udp', duplex: true, kinds: true, mostBytes: 1000, mostMessages: FEW },
  ftp: { transport: 'ftp', duplex: true, kinds: true, mostBytes: LONG, mostMessages: FEW },
  form: { transport: 'form', duplex: false, kinds: true, mostBytes: LONG, mostMessages: FEW },
} as const satisfies Readonly<Record<string, Way>>;

export type WayName = keyof typeof WAYS;

const names = Object.keys(WAYS) as readonly WayName[];

const wayOf = (name: WayName): Way => WAYS[name];

/** The profile that a server must have for a way. */
export const profileOfWay = (name: string): string | undefined =>
  names.some((each) => each === name) ? wayOf(name as WayName).transport : undefined;

/** What a case does that is the same whatever its members come by. */
const ANY_WAY: ReadonlySet<Verb> = new Set(['send', 'expect', 'exactly', 'none', 'control', 'call', 'fence', 'bind']);

/** What is about a transport, about kinds, which not every transport tells apart, about time, or about what waits. */
const OF_A_WAY =
  /transport|framing|format|kind|convert|websocket|closed|alive|pong|"sentinel":"(ping|none)"|pipe\.(close|ticket|pause|ended)|switch|stream|queued|slowConsumer|messageBurst|boundaries|hardMessageBytes|room\.(member|mov)|debug|drain|finalN/i;

const fieldsOf = (of: Case): string =>
  JSON.stringify([
    of.given.rooms,
    Object.values(of.given.members).map(({ request }) => request),
    of.steps.map(({ fields, expect }) => [fields, expect]),
  ]);

interface Roles {
  readonly senders: ReadonlySet<string>;
  readonly receivers: ReadonlySet<string>;
  readonly sends: readonly Fields[];
}

/** Whoever sends, nonces included, and whoever is looked at. */
function rolesOf({ given, steps }: Case): Roles {
  const senders = new Set<string>();
  const seen = new Set<string>();
  const sends: Fields[] = [];
  for (const { verb, fields } of steps) {
    if (verb === 'send') {
      senders.add(splitAt(asText(fields['from'])).member);
      sends.push(contentOf(fields));
    }
    if (verb === 'control' && Array.isArray(fields['of'])) {
      const [from, to] = fields['of'].map((each: Json) => splitAt(asText(each)).member);
      if (from !== undefined) senders.add(from);
      if (to !== undefined) seen.add(to);
    }
    if (typeof fields['sentinel'] === 'string') senders.add(splitAt(fields['sentinel']).member);
    if (looksAtPipe({ fields, verb })) seen.add(splitAt(asText(fields['at'])).member);
  }
  const withPipes = Object.entries(given.members).flatMap(([name, { pipe }]) => (pipe ? [name] : []));
  return { senders, receivers: new Set([...seen].filter((name) => withPipes.includes(name))), sends };
}

/** A manifest speaks of what its reader receives. */
const looksAtPipe = ({ fields, verb }: Pick<CaseStep, 'fields' | 'verb'>): boolean =>
  ['expect', 'exactly', 'none'].includes(verb) &&
  ('message' in fields || 'messages' in fields || fields['event'] === 'pipe.manifest');

/** Whether who is there can come by another way at all. */
function isFree(of: Case): boolean {
  const members = Object.values(of.given.members);
  return (
    of.steps.every(({ verb }) => ANY_WAY.has(verb)) && members.some(({ pipe }) => pipe) && !OF_A_WAY.test(fieldsOf(of))
  );
}

function countOf({ count }: Fields): number {
  if (count === undefined) return 1;
  return typeof count === 'number' ? count : MANY + 1;
}

function sizeOf(content: Fields): number {
  if (typeof content['bytes'] === 'number') return content['bytes'];
  if (content['bytes'] !== undefined) return 65_536;
  if (typeof content['hex'] === 'string') return content['hex'].length / 2;
  return Buffer.byteLength(asText(content['text'] ?? content['json']), 'utf8');
}

const isPlainText = (content: Fields): boolean =>
  (content['text'] !== undefined || content['json'] !== undefined) && !asText(content['text'] ?? '').includes('\n');

function carries(way: Way, sends: readonly Fields[]): boolean {
  if (!way.kinds && !sends.every(isPlainText)) return false;
  const messages = sends.reduce((sum, content) => sum + countOf(content), 0);
  return messages <= way.mostMessages && sends.every((content) => sizeOf(content) <= way.mostBytes);
}

/** The ways by which the senders of a case may come, or by which its receivers may, beside their own. */
export function waysOf(of: Case, direction: 'in' | 'out'): readonly WayName[] {
  if (!isFree(of)) return [];
  const { senders, receivers, sends } = rolesOf(of);
  const [those, others] = direction === 'in' ? [senders, receivers] : [receivers, senders];
  const both = [...those].some((name) => others.has(name));
  if (those.size === 0 || (direction === 'out' && both)) return []; // who does both goes by the way of senders
  return names.filter((name) => {
    const way = wayOf(name);
    if (direction === 'out' && name === 'form') return false;
    if (!way.duplex && both) return false;
    return carries(way, sends);
  });
}

/** The case with its senders, or its receivers, come by `name`. */
export function byWay(of: Case, direction: 'in' | 'out', name: string): Case {
  const { senders, receivers } = rolesOf(of);
  const { transport, framing } = wayOf(name as WayName);
  const change = { transport, ...(framing === undefined ? {} : { framing }) };
  const those = direction === 'in' ? senders : receivers;
  const isMoved = (member: string): boolean => those.has(member) && (direction === 'in' || !senders.has(member));
  const members = Object.entries(of.given.members).map(([member, each]): [string, Member] => [
    member,
    each.pipe && isMoved(member) ? { ...each, request: { ...each.request, ...change } } : each,
  ]);
  return { ...of, given: { ...of.given, members: Object.fromEntries(members) } };
}
