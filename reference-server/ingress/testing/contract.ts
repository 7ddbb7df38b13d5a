import type { Test } from 'tap';
import type { EndCause } from '../../../generated/types.js';
import { until } from '../../testing/until.js';
import { type IngressClient, type IngressUnderTest, type Seen, Stage } from './contract-stage.js';

export type { IngressClient, IngressUnderTest, RunningIngress, Seen } from './contract-stage.js';

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
  if (adapter.without?.includes('delivery')) return;
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
    const { client, member } = await stage.client({ limits: { hardMessageBytes: 100 } });
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
    const delivers = !adapter.without?.includes('delivery');
    const pushes = delivers && !adapter.without?.includes('push');
    sender.send('before the end');
    if (pushes) await until(() => stage.door.batches.length === 1);
    const [sink] = stage.door.sinks;
    t.equal(sink?.writable, delivers, cause);
    sink?.close(cause);
    t.equal(sink?.writable, false, `${cause}: nothing more is written`);
    if (pushes) t.equal((await client.receive(1)).length, 1, `${cause}: what was queued before goes first`);
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

async function separates(t: Test, adapter: IngressUnderTest): Promise<void> {
  const stage = await Stage.set(t, adapter);
  const { sink } = stage.world.join();
  const elsewhere = stage.world.join({ room: 'harbour', create: {} });
  const [one, two] = [await stage.client(), await stage.client()];
  for (const n of ['1', '2', '3']) {
    one.client.send('text', Buffer.from(`one ${n}`));
    two.client.send('text', Buffer.from(`two ${n}`));
  }
  await sink.arrived(6);
  for (const who of ['one', 'two']) {
    const theirs = sink.texts.filter((text) => text.includes(who));
    t.same(theirs, [`text ${who} 1`, `text ${who} 2`, `text ${who} 3`], 'each in the order of its own');
  }
  if (one.client.violate) one.client.violate();
  else one.client.cut();
  if (!adapter.without?.includes('connection')) await one.member.sibling.event('pipe.ended');
  two.client.send('text', Buffer.from('two 4'));
  await sink.arrived(7);
  t.equal(sink.texts.at(-1), 'text two 4', 'who does well does not pay for who does not');
  t.notOk(two.member.sibling.sent.some(({ method }) => method === 'pipe.ended'));
  t.same(elsewhere.received, [], 'another room hears nothing of it');
  if (adapter.without?.includes('delivery')) t.same(stage.door.batches, [], 'and who only sends is given nothing');
}

async function refuses(t: Test, adapter: IngressUnderTest): Promise<void> {
  const stage = await Stage.set(t, adapter);
  const owner = stage.world.join({ room: 'harbour', create: { limits: { maxMessageBytes: 100 } } });
  const { client, member } = await stage.client({ room: 'harbour' });
  client.send('binary', Buffer.alloc(101));
  client.send('text', Buffer.from('small'));
  await owner.sink.arrived(1);
  t.same(owner.received, ['text small'], 'the pipe goes on');
  const { params } = await member.sibling.event('pipe.refused');
  t.match(params, { at: { n: 1 }, error: { name: 'message_too_large', limit: 100 } });
  if (client.told) t.same(await client.told(), ['message_too_large', 'accepted'], 'and says so in its own words');
}

async function closes(t: Test, adapter: IngressUnderTest): Promise<void> {
  const stage = await Stage.set(t, adapter);
  const owner = stage.world.join({ room: 'harbour', create: {} });
  const { client, member } = await stage.client({ room: 'harbour' });
  client.send('text', Buffer.from('ahoy'));
  await owner.sink.arrived(1);
  t.match(owner.sibling.call('room.close', {}), { result: {} });
  t.equal(await client.ended(), adapter.words.room_closed);
  t.match((await member.sibling.event('pipe.ended')).params, { cause: 'room_closed', finalN: 1 });
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
  ['keeps its clients apart', separates],
  ['goes on behind a message that its room refuses', refuses],
  ['ends its pipes with their room', closes],
];

/** What every ingress must do over the ports, whatever it speaks; the real router is behind it. */
export async function runIngressContract(t: Test, adapter: IngressUnderTest): Promise<void> {
  for (const [what, rule] of RULES) await t.test(`an ingress ${what}`, (t) => rule(t, adapter));
}
