import type { Test } from 'tap';
import type { EndCause, Framing, Grant } from '../../../generated/types.js';
import type { Clock } from '../../ports/clock.js';
import type { Kind } from '../../ports/message.js';
import type { PipeDoor } from '../../ports/pipe.js';
import { until } from '../../testing/until.js';
import { type Member, World } from '../../testing/world.js';
import { RecordingDoor } from './recording-door.js';

/** A message as a client of the transport sees it. */
export interface Seen {
  readonly kind: Kind;
  readonly payload: Buffer;
}

/** A client of the transport, for what every transport has. */
export interface IngressClient {
  send(kind: Kind, payload: Buffer): void;
  /** The next messages. */
  receive(count: number): Promise<readonly Seen[]>;
  /** Stops to read, and reads again. */
  pause(): void;
  resume(): void;
  /** Ends the connection in order. */
  close(): void;
  /** Breaks the connection off. */
  cut(): void;
  /** Breaks the transport's rules. */
  violate?(): void;
  /** The server's words for the end, once the connection has ended. */
  ended(): Promise<string>;
}

export interface RunningIngress {
  /** Opens a pipe; the name of the error where it is refused, be it that nobody answers. */
  connect(ticket: string, grant: Grant): Promise<IngressClient | string>;
  /** Shows a ticket on a connection that breaks before the handshake is over; where showing it is the whole of it, none. */
  vanish?(ticket: string): void;
  stop(): void | Promise<void>;
}

/** What an adapter brings to the suite. */
export interface IngressUnderTest {
  readonly transport: string;
  /** Where it has several ways, by which its messages are told apart. */
  readonly framing?: Framing;
  /** What a client sees for each cause for which the router ends a pipe. */
  readonly words: Readonly<Partial<Record<EndCause, string>>>;
  /** Whether a client that has ended its direction can still be sent something (TCP-18). */
  readonly halfClose?: boolean;
  /** Longest payload that it carries; any, without. */
  readonly mostBytes?: number;
  /** What a message of kind `json` arrives as; `text` without. */
  readonly json?: Kind;
  /**
   * What it has not: a connection that can break, an account of what waits, batches that are framed once for all,
   * tickets that are shown.
   */
  readonly without?: readonly ('connection' | 'backlog' | 'shared frames' | 'shown tickets')[];
  start(door: PipeDoor, clock: Clock): Promise<RunningIngress>;
}

/** A running ingress before the real router, and members to talk with. */
class Stage {
  readonly world: World;
  readonly door: RecordingDoor;
  readonly #adapter: IngressUnderTest;
  readonly #ingress: RunningIngress;

  private constructor(adapter: IngressUnderTest, ingress: RunningIngress) {
    const { transport, framing } = adapter;
    this.world = new World({
      ticking: true,
      limits: { maxQueuedBytes: 2 ** 30, maxQueuedMessages: 1_000_000 },
      pipes: { [transport]: '/elsewhere' },
      ...(framing && { framings: { [transport]: [framing] } }),
    });
    this.door = new RecordingDoor(this.world.router);
    this.#adapter = adapter;
    this.#ingress = ingress;
  }

  static async set(t: Test, adapter: IngressUnderTest): Promise<Stage> {
    const door: PipeDoor = {
      redeem: (...shown) => stage.door.redeem(...shown),
      associate: (...shown) => stage.door.associate(...shown),
    };
    const clock: Clock = { now: () => stage.world.clock.now(), after: (ms, run) => stage.world.clock.after(ms, run) };
    const ingress = await adapter.start(door, clock);
    const stage: Stage = new Stage(adapter, ingress);
    t.teardown(() => ingress.stop());
    return stage;
  }

  /** A member without a pipe, whose sibling is bound. */
  member(limits: { hardMessageBytes?: number } = {}): Member {
    const { transport } = this.#adapter;
    const member = this.world.member({ limits, transport });
    member.sibling.bind(member.grant);
    return member;
  }

  connect(grant: Grant): Promise<IngressClient | string> {
    return this.#ingress.connect(grant.pipeTicket, grant);
  }

  /** False where there is no handshake to break off. */
  vanish(ticket: string): boolean {
    this.#ingress.vanish?.(ticket);
    return this.#ingress.vanish !== undefined;
  }

  /** A member whose pipe is a connection of the transport. */
  async client(limits: { hardMessageBytes?: number } = {}): Promise<{ client: IngressClient; member: Member }> {
    const member = this.member(limits);
    const client = await this.connect(member.grant);
    if (typeof client === 'string') throw new Error(client);
    return { client, member };
  }
}

const show = ({ kind, payload }: Seen): string =>
  `${kind} ${String(payload.length)} ${payload.toString('base64').slice(0, 40)}`;

const PAYLOADS: readonly Seen[] = [
  { kind: 'text', payload: Buffer.from('ahoy, Ünïcödé 🚢') },
  { kind: 'binary', payload: Buffer.from([0, 255, 128, 10, 13]) },
  { kind: 'text', payload: Buffer.alloc(0) },
  { kind: 'binary', payload: Buffer.alloc(0) },
  ...[125, 126, 65_535, 65_536].map((bytes) => ({ kind: 'binary' as const, payload: Buffer.alloc(bytes, bytes) })),
];

/** The payloads of the suite that a transport carries. */
const carriedBy = ({ mostBytes = Infinity }: IngressUnderTest): readonly Seen[] =>
  PAYLOADS.filter(({ payload }) => payload.length <= mostBytes);

async function opens(t: Test, adapter: IngressUnderTest): Promise<void> {
  const stage = await Stage.set(t, adapter);
  const member = stage.member();
  const unknown = { ...member.grant, pipeTicket: 'A'.repeat(43), udpAssoc: 'AAAAAAAAAAA' };
  t.equal(await stage.connect(unknown), 'ticket_invalid');
  const client = await stage.connect(member.grant);
  t.type(client, 'object');
  t.match((await member.sibling.event('pipe.opened')).params, { epoch: 1, transport: adapter.transport, seq: 1 });
  t.equal(await stage.connect(member.grant), 'ticket_invalid', 'a ticket is good once');
  const again = adapter.without?.includes('shown tickets') ? [] : ['redeem ticket_invalid'];
  t.same(stage.door.calls, ['redeem ticket_invalid', 'redeem granted', 'open', ...again]);
}

async function abandons(t: Test, adapter: IngressUnderTest): Promise<void> {
  const stage = await Stage.set(t, adapter);
  const { grant } = stage.world.member({ transport: adapter.transport });
  if (!stage.vanish(grant.pipeTicket)) return;
  await until(() => stage.door.calls.length === 2);
  t.same(stage.door.calls, ['redeem granted', 'abandon']);
  stage.world.clock.advance(stage.world.limits.sessionLingerMs);
  t.equal(stage.world.router.sessions, 0, 'so that the session can end');
}

async function receives(t: Test, adapter: IngressUnderTest): Promise<void> {
  const stage = await Stage.set(t, adapter);
  const observer = stage.world.join();
  const { client } = await stage.client();
  const payloads = carriedBy(adapter);
  for (const { kind, payload } of payloads) client.send(kind, payload);
  const arrived = await observer.sink.arrived(payloads.length);
  t.same(arrived.map(show), payloads.map(show));
  t.same(stage.door.received.map(show), payloads.map(show), 'each is reported once, whole, with its kind');
}

async function delivers(t: Test, adapter: IngressUnderTest): Promise<void> {
  const stage = await Stage.set(t, adapter);
  const sender = stage.world.join();
  const [one, two] = [await stage.client(), await stage.client()];
  const payloads = carriedBy(adapter);
  for (const { kind, payload } of payloads) sender.send(payload, kind);
  sender.send('{"a": 1}', 'json');
  const json = { kind: adapter.json ?? 'text', payload: Buffer.from('{"a": 1}') };
  const wanted = [...payloads, json].map(show);
  t.same((await one.client.receive(wanted.length)).map(show), wanted);
  t.same((await two.client.receive(wanted.length)).map(show), wanted);
  if (adapter.without?.includes('shared frames')) return;
  const batches = new Set(stage.door.batches);
  const { transport, framing } = adapter;
  t.equal(stage.door.batches.length, 2 * batches.size, 'both were given the same batches');
  t.ok(batches.size < wanted.length, 'which are fewer than the messages');
  for (const batch of batches) {
    const framed = batch.encoding(framing ? `${transport}:${framing}` : transport, () => 'framed again');
    t.not(framed, 'framed again', 'and each was framed once');
  }
}

async function counts(t: Test, adapter: IngressUnderTest): Promise<void> {
  if (adapter.without?.includes('backlog')) return;
  const stage = await Stage.set(t, adapter);
  const sender = stage.world.join();
  const { client } = await stage.client();
  const [sink] = stage.door.sinks;
  if (!sink) throw new Error('no sink');
  t.same(sink.backlog(), { messages: 0, bytes: 0 });
  client.pause();
  let sent = 0;
  for (; sent < 2000 && sink.ready; sent++) {
    sender.send(Buffer.alloc(60_000));
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { messages, bytes } = sink.backlog();
  t.ok(messages > 0, 'what the kernel does not take waits');
  t.equal(bytes, messages * 60_000, 'and is counted by its payload');
  sender.send(Buffer.from('behind'));
  client.resume();
  await client.receive(sent + 1);
  await until(() => sink.backlog().messages === 0);
  t.same(sink.backlog(), { messages: 0, bytes: 0 });
}

interface Ending {
  readonly cause: EndCause;
  readonly how: (client: IngressClient) => void;
}

const CLOSING: Ending = { cause: 'closed_by_peer', how: (client) => client.close() };

const ENDINGS: readonly Ending[] = [
  { cause: 'lost', how: (client) => client.cut() },
  { cause: 'protocol_error', how: (client) => client.violate?.() },
  { cause: 'message_too_long', how: (client) => client.send('binary', Buffer.alloc(101)) },
];

async function ends(t: Test, adapter: IngressUnderTest): Promise<void> {
  const disconnected: readonly EndCause[] = adapter.without?.includes('connection') ? ['lost', 'protocol_error'] : [];
  const endings = ENDINGS.filter((ending) => !disconnected.includes(ending.cause));
  for (const { cause, how } of [...(adapter.halfClose ? [] : [CLOSING]), ...endings]) {
    const stage = await Stage.set(t, adapter);
    const { client, member } = await stage.client({ hardMessageBytes: 100 });
    client.send('binary', Buffer.alloc(100));
    how(client);
    const { params } = await member.sibling.event('pipe.ended', 2);
    const wanted = cause === 'lost' ? { cause, dir: 's2c' } : { cause, dir: 's2c', finalN: 0 };
    t.match(params, wanted, cause);
    t.equal(stage.door.causes[0], cause);
    await client.ended();
    const ended = member.sibling.sent.filter(({ method }) => method === 'pipe.ended');
    t.equal(ended.length, 2, `${cause}: said once in each direction`);
    if (cause !== 'lost') t.match(ended[0]?.params, { finalN: 1, finalBytes: 100 }, `${cause}: what was whole counts`);
  }
}

/** A client that has said everything is told the rest. */
async function halves(t: Test, adapter: IngressUnderTest): Promise<void> {
  if (!adapter.halfClose) return;
  const stage = await Stage.set(t, adapter);
  const { client, member } = await stage.client();
  client.send('text', Buffer.from('one'));
  client.close();
  const { params } = await member.sibling.event('pipe.ended');
  t.match(params, { cause: 'closed_by_peer', dir: 'c2s', finalN: 1, finalBytes: 3 });
  stage.world.join().send('still there');
  t.same(
    (await client.receive(1)).map(show),
    [{ kind: 'text' as const, payload: Buffer.from('still there') }].map(show),
  );
  client.cut();
  const sender = stage.world.join();
  await until(() => {
    sender.send('is anybody there?');
    return stage.door.causes.length > 0;
  });
  t.match((await member.sibling.event('pipe.ended', 2)).params, { cause: 'lost', dir: 's2c' });
}

async function speaks(t: Test, adapter: IngressUnderTest): Promise<void> {
  for (const [cause, words] of Object.entries(adapter.words) as [EndCause, string][]) {
    const stage = await Stage.set(t, adapter);
    const { client, member } = await stage.client();
    const sender = stage.world.join();
    sender.send('before the end');
    await until(() => stage.door.batches.length === 1);
    const [sink] = stage.door.sinks;
    t.equal(sink?.writable, true, cause);
    sink?.close(cause);
    t.equal(sink?.writable, false, `${cause}: nothing more is written`);
    t.equal((await client.receive(1)).length, 1, `${cause}: what was queued before goes first`);
    t.equal(await client.ended(), words, cause);
    t.match((await member.sibling.event('pipe.ended')).params, { cause });
  }
}

async function replaces(t: Test, adapter: IngressUnderTest): Promise<void> {
  const stage = await Stage.set(t, adapter);
  const { client, member } = await stage.client();
  const ticket = member.sibling.call('pipe.ticket', { transport: adapter.transport, replace: true })?.result;
  t.equal(await client.ended(), adapter.words.replaced);
  const next = await stage.connect({ ...member.grant, ...ticket });
  t.type(next, 'object');
  t.match((await member.sibling.event('pipe.opened', 2)).params, { epoch: 2 });
  const ended = member.sibling.sent.filter(({ method }) => method === 'pipe.ended');
  t.same(
    ended.map(({ params }) => params?.cause),
    ['replaced', 'replaced'],
    'the end of the old one is said once',
  );
}

const RULES: readonly (readonly [what: string, rule: (t: Test, adapter: IngressUnderTest) => Promise<void>])[] = [
  ['spends a ticket once, and opens the pipe when the handshake is done', opens],
  ['lets go of an offer whose handshake fails', abandons],
  ['reports messages whole, with their kinds, in order', receives],
  ['delivers a batch in order, framed once for all', delivers],
  ['counts what waits', counts],
  ['reports the end once, with its cause', ends],
  ['tells a client that has said everything the rest', halves],
  ['ends a pipe in its own words for each cause', speaks],
  ['makes room for the next pipe', replaces],
];

/** What every ingress must do over the ports, whatever it speaks; the real router is behind it. */
export async function runIngressContract(t: Test, adapter: IngressUnderTest): Promise<void> {
  for (const [what, rule] of RULES) await t.test(`an ingress ${what}`, (t) => rule(t, adapter));
}
