import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { packageRoot } from '../../../support/package-root.js';
import type { RequestedLimits, RoomSpec } from '../../../generated/types.js';
import { MemoryNetwork, UdpClient } from '../../testing/datagrams.js';
import { holds, holdsAsync } from '../../testing/property.js';
import { CountingEntropy } from '../../testing/time.js';
import { until } from '../../testing/until.js';
import { type Member, World } from '../../testing/world.js';
import { type Keys, TYPE, associationOf, keysOf, opened, sealed } from './datagram.js';
import { UdpIngress } from './ingress.js';
import { Window } from './window.js';

const ANY = { host: '127.0.0.1', port: 0 };

/** An ingress in memory before the real router, with a clock that goes by hand. */
class Stage {
  readonly network: MemoryNetwork;
  readonly world: World;
  readonly ingress: UdpIngress;

  private constructor({ network, world, ingress }: Pick<Stage, 'network' | 'world' | 'ingress'>) {
    this.network = network;
    this.world = world;
    this.ingress = ingress;
  }

  static async set(rooms?: Readonly<Record<string, RoomSpec>>): Promise<Stage> {
    const world = new World({ ticking: true, pipes: { udp: 'udp://127.0.0.1:1' }, ...(rooms && { rooms }) });
    const network = new MemoryNetwork();
    const entropy = new CountingEntropy();
    const ingress = await UdpIngress.listen({ sockets: network, at: ANY, door: world.router, entropy });
    return new Stage({ network, world, ingress });
  }

  /** A member whose sibling is bound, and its side of the association. */
  async member(limits: RequestedLimits = {}): Promise<{ member: Member; client: UdpClient }> {
    const member = this.world.member({ transport: 'udp', limits });
    member.sibling.bind(member.grant);
    return { member, client: await new UdpClient(member.grant, this.ingress.address).bind(this.network) };
  }

  async open(limits: RequestedLimits = {}): Promise<{ member: Member; client: UdpClient }> {
    const { member, client } = await this.member(limits);
    await client.open();
    return { member, client };
  }

  /** Lets everything that is under way arrive. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  /** What the server has sent since the last look. */
  get answers(): number {
    const own = this.network.sent.filter(({ from }) => from.port === this.ingress.address.port).length;
    this.network.sent.length = 0;
    return own;
  }
}

interface Vector {
  readonly name: string;
  readonly siblingSecret: string;
  readonly pipeTicket: string;
  readonly udpAssoc: string;
  readonly salt: string;
  readonly c2s: string;
  readonly s2c: string;
  readonly datagrams: readonly {
    readonly dir: keyof Keys;
    readonly seq: number;
    readonly payload: string;
    readonly datagram: string;
  }[];
}

void t.test('keys and datagrams are those of the vectors', (t) => {
  const file = join(packageRoot(), 'spec/vectors/udp.json');
  const { associations } = JSON.parse(readFileSync(file, 'utf8')) as { associations: readonly Vector[] };
  for (const { name, siblingSecret, pipeTicket, udpAssoc, salt, c2s, s2c, datagrams } of associations) {
    const digest = createHash('sha256').update(pipeTicket).digest();
    t.equal(digest.toString('hex'), salt, name);
    const keys = keysOf(Buffer.from(siblingSecret, 'base64url'), digest);
    t.same([keys.c2s.toString('hex'), keys.s2c.toString('hex')], [c2s, s2c], name);
    for (const { dir, seq, payload, datagram } of datagrams) {
      const bytes = Buffer.from(datagram, 'hex');
      t.equal(associationOf(bytes), udpAssoc);
      const read = opened(bytes, keys[dir]);
      t.match(read, { seq, payload: Buffer.from(payload, 'hex') });
      t.equal(opened(bytes, keys[dir === 'c2s' ? 's2c' : 'c2s']), undefined, 'the other key is of no use');
      const assoc = Buffer.from(udpAssoc, 'base64url');
      if (read) t.equal(sealed(read, { assoc, key: keys[dir] }).toString('hex'), datagram);
    }
  }
  t.end();
});

void t.test('a window takes each number once, if it is less than 64 behind', (t) => {
  const numbers = fc.array(fc.oneof(fc.nat(200), fc.integer({ min: 0xffffff00, max: 0xffffffff })), { maxLength: 300 });
  const property = fc.property(numbers, (sequence) => {
    const window = new Window();
    const taken = new Set<number>();
    let highest = 0;
    return sequence.every((n) => {
      const fresh = n > 0 && n > highest - 64 && !taken.has(n);
      if (fresh) taken.add(n);
      highest = fresh ? Math.max(highest, n) : highest;
      return window.take(n) === fresh && window.highest === highest;
    });
  });
  holds(t, property, 300);
  t.end();
});

void t.test('nothing is kept of whoever has not proved an address', async (t) => {
  const stage = await Stage.set();
  const { client, member } = await stage.member();
  for (let n = 0; n < 50; n++) client.say(TYPE.open);
  await until(() => client.came.length === 50);
  t.equal(stage.ingress.size, 0);
  t.notOk(member.sibling.sent.some(({ method }) => method === 'pipe.opened'));
  stage.world.clock.advance(20_000);
  const { payload } = await client.next(TYPE.challenge);
  client.say(TYPE.response, payload);
  await stage.settle();
  t.equal(stage.ingress.size, 0, 'a cookie of 20 seconds ago is too old');
  client.came.length = 0;
  await client.open();
  t.equal(stage.ingress.size, 1);
  t.match((await member.sibling.event('pipe.opened')).params, { epoch: 1, transport: 'udp' });
});

void t.test('a ticket that is not outstanding is met with silence', async (t) => {
  const stage = await Stage.set();
  const { client, member } = await stage.member({ ticketMs: 1000 });
  stage.world.clock.advance(1000);
  client.say(TYPE.open);
  await stage.settle();
  t.equal(stage.answers, 0, 'it is too late');
  const ticket = member.sibling.call('pipe.ticket', { transport: 'udp' })?.result;
  const next = await new UdpClient({ ...member.grant, ...ticket }, stage.ingress.address).bind(stage.network);
  await next.open();
  t.match(member.sibling.call('pipe.state')?.result, { state: { pipe: { c2s: { n: 0, missing: 0 } } } });
  next.say(TYPE.close);
  t.equal((await next.next(TYPE.close)).payload.readUInt16BE(), 1000);
  stage.network.sent.length = 0;
  next.say(TYPE.open);
  next.send('text', 'too late');
  await stage.settle();
  t.equal(stage.answers, 0, 'it is used');
});

void t.test('whoever comes to a server that stops is told so, and who is there as well', async (t) => {
  const stage = await Stage.set();
  const { client } = await stage.member();
  const { client: there, member } = await stage.open();
  client.say(TYPE.open);
  const { payload } = await client.next(TYPE.challenge);
  stage.world.router.drain({ deadlineMs: 1000, reconnectAfterMs: 1 });
  t.equal((await there.next(TYPE.close)).payload.readUInt16BE(), 4009);
  t.match((await member.sibling.event('pipe.ended')).params, { cause: 'draining' });
  client.say(TYPE.response, payload);
  t.equal((await client.next(TYPE.close)).payload.readUInt16BE(), 4009);
});

void t.test('what nobody has lost is pinged four times, and given up', async (t) => {
  const stage = await Stage.set();
  const { client, member } = await stage.open({ keepaliveMs: 1000 });
  const { client: lively } = await stage.open({ keepaliveMs: 1000 });
  for (let quarter = 0; quarter < 8; quarter++) {
    stage.world.clock.advance(250);
    await stage.settle();
    for (const { type, seq } of lively.came.splice(0)) if (type === TYPE.ping) lively.say(TYPE.pong, undefined, seq);
    await stage.settle();
  }
  t.equal(client.came.filter(({ type }) => type === TYPE.ping).length, 4);
  t.equal((await client.next(TYPE.close)).payload.readUInt16BE(), 4010);
  t.match((await member.sibling.event('pipe.ended')).params, { cause: 'timeout' });
  t.equal(stage.ingress.size, 1, 'the one that answers is there');
});

void t.test('a pong of an earlier silence is no sign of life', async (t) => {
  const stage = await Stage.set();
  const { client, member } = await stage.open({ keepaliveMs: 1000 });
  stage.world.clock.advance(1000);
  const { seq } = await client.next(TYPE.ping);
  client.say(TYPE.pong, undefined, seq);
  await stage.settle();
  stage.world.clock.advance(1000);
  await stage.settle();
  client.say(TYPE.pong, undefined, seq);
  await stage.settle();
  stage.world.clock.advance(1000);
  t.match((await member.sibling.event('pipe.ended')).params, { cause: 'timeout' });
});

void t.test('a room that blocks its senders loses what they send meanwhile, and counts it', async (t) => {
  const spec = { slowConsumer: 'block', limits: { maxQueuedMessages: 1 } } as const;
  const stage = await Stage.set({ lobby: spec });
  const { client, member } = await stage.open();
  const slow = stage.world.join({ account: 'bob' });
  slow.sink.stalled = true;
  for (const text of ['one', 'two', 'three']) {
    client.send('text', text);
    await stage.settle();
  }
  client.send('text', 'lost');
  await stage.settle();
  slow.sink.resume();
  client.send('text', 'five');
  await slow.sink.arrived(4);
  t.same(slow.received, ['text one', 'text two', 'text three', 'text five']);
  t.match(member.sibling.call('fence')?.result, { c2sReceived: 5, missing: 1 });
});

void t.test('a late message from before a switch is taken under the old settings', async (t) => {
  const stage = await Stage.set();
  const { client, member } = await stage.open();
  const bob = stage.world.join();
  client.send('text', 'one', 1);
  await bob.sink.arrived(1);
  const set = { format: 'binary' };
  const proposal = { id: 'x', dir: 'c2s', at: { epoch: 1, n: 4 }, set };
  t.match(member.sibling.call('switch.propose', proposal)?.result, { status: 'acknowledged' });
  client.send('binary', 'five', 5);
  t.match((await member.sibling.event('switch.done')).params, { at: { n: 4 } }, 'the boundary was crossed');
  client.send('text', 'three', 3);
  client.send('text', 'four', 4);
  t.match((await member.sibling.event('pipe.refused')).params, { from: 4, error: { name: 'format_mismatch' } });
  t.same(bob.received, ['text one', 'binary five', 'text three']);
});

/** Whatever anybody sends: nothing is thrown, nobody unproved is answered, and who is there goes on. */
async function survives(t: Test, make: (client: UdpClient, noise: Buffer) => Buffer): Promise<void> {
  const stage = await Stage.set();
  const { client } = await stage.open();
  const { client: victim, member } = await stage.open();
  const stranger = { host: '127.0.0.1', port: 9 };
  const noise = fc.uint8Array({ maxLength: 1300 });
  const property = fc.asyncProperty(noise, async (bytes) => {
    stage.network.sent.length = 0;
    const noisy = make(victim, Buffer.from(bytes));
    stage.network.carry({ from: stranger, to: stage.ingress.address, bytes: noisy });
    await stage.settle();
    return stage.network.sent.every(({ to }) => to.port !== stranger.port);
  });
  await holdsAsync(t, property, 200);
  victim.send('text', 'still here', 0x7fffffff);
  t.equal(String((await client.messages(1))[0]?.payload), 'still here');
  t.notOk(member.sibling.sent.some(({ method }) => method === 'pipe.ended'));
}

void t.test('random datagrams do no harm', (t) => survives(t, (_client, noise) => noise));
void t.test('random datagrams for an open association do no harm', (t) =>
  survives(t, ({ assoc }, noise) => Buffer.concat([Buffer.from([0x50, 0x48, 1, noise[0] ?? 0]), assoc, noise])),
);
