import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { packageRoot } from '../../../support/package-root.js';
import { Connections } from '../../listeners/connections.js';
import { withinPorts } from '../../listeners/range.js';
import { tcpListeners } from '../../listeners/tcp.js';
import { secureSockets } from '../../listeners/tls.js';
import { FtpClient } from '../../testing/ftp.js';
import { until } from '../../testing/until.js';
import { type Member, World } from '../../testing/world.js';
import type { FtpServices } from './dialogue.js';
import { FtpIngress } from './ingress.js';

const pem = (name: string): string => readFileSync(join(packageRoot(), 'reference-server/testing/tls', name), 'utf8');
const ca = pem('cert.pem');
const tls = secureSockets(createSecureContext({ cert: ca, key: pem('key.pem') }));

type WorldOptions = NonNullable<ConstructorParameters<typeof World>[0]>;

/** The ingress before the real router, with a clock that goes by hand. */
async function stage(t: Test, { world: options, ...services }: Partial<FtpServices> & { world?: WorldOptions } = {}) {
  const world = new World({ ticking: true, pipes: { ftp: 'ftp://here' }, ...options });
  const { router, clock, limits } = world;
  const listeners = tcpListeners(new Connections(100));
  const faults: unknown[] = [];
  const ingress = new FtpIngress({
    ...{ door: router, grants: router, rooms: router, clock, limits, listeners, tls: null, tlsOnly: false },
    passiveAddress: null,
    onError: (error) => faults.push(error),
    ...services,
  });
  const listener = await listeners.listen({ host: '127.0.0.1', port: 0 }, (socket) => ingress.connect(socket));
  t.teardown(() => {
    listener.close();
    for (const stream of listeners.open) stream.destroy();
  });
  const dial = (): FtpClient => FtpClient.dial(listener.address.port);
  const member = (request: Parameters<World['member']>[0] = {}): Member => {
    const member = world.member({ transport: 'ftp', ...request });
    member.sibling.bind(member.grant);
    return member;
  };
  const logIn = async (request: Parameters<World['member']>[0] = {}) => {
    const joined = member(request);
    const client = dial();
    t.match(await client.login(joined.grant.pipeTicket), /^230 /);
    return { member: joined, client };
  };
  return { world, ingress, listeners, faults, dial, member, logIn };
}

void t.test('PASV names the address that it is told to, and ports are taken from the range', async (t) => {
  const free = await tcpListeners(new Connections(1)).listen({ host: '127.0.0.1', port: 0 }, () => undefined);
  const { port } = free.address;
  free.close();
  const listeners = withinPorts(tcpListeners(new Connections(9)), { first: port, last: port });
  const { logIn, world } = await stage(t, { listeners, passiveAddress: '192.0.2.7' });
  const [one, two] = [(await logIn()).client, (await logIn()).client];
  t.equal(await one.say('PASV'), `227 (192,0,2,7,${String(port >> 8)},${String(port & 255)})`);
  t.equal(await two.say('EPSV'), '425 busy', 'there is no other port');
  t.equal(await one.say('EPSV'), `229 (|||${String(port)}|)`, 'one that is no longer wanted is free');
  world.clock.advance(world.limits.ftpDataMs);
  t.equal(await two.say('EPSV'), `229 (|||${String(port)}|)`, 'and so is one to which nobody came');
});

void t.test('whoever says nothing of use is shown out', async (t) => {
  const { world, dial, logIn } = await stage(t);
  const stranger = dial();
  await stranger.reply();
  world.clock.advance(world.limits.bindMs - 1);
  t.equal(await stranger.say('NOOP'), '200 ok');
  world.clock.advance(1);
  t.equal(await stranger.reply(), '421 timeout', 'a word does not make the time to log in longer');
  t.equal(await stranger.reply(), null);
  const { client, member } = await logIn();
  world.clock.advance(world.limits.ftpIdleMs - 1);
  t.equal(await client.say('NOOP'), '200 ok');
  world.clock.advance(world.limits.ftpIdleMs - 1);
  t.match(await client.say('EPSV'), /^229/);
  client.write('STOR x\r\n');
  await new Promise((resolve) => setImmediate(resolve));
  world.clock.advance(world.limits.ftpDataMs);
  t.equal(await client.reply(), '425 timeout');
  world.clock.advance(world.limits.ftpIdleMs);
  t.equal(await client.reply(), '421 timeout');
  t.match((await member.sibling.event('pipe.ended')).params, { cause: 'timeout', finalN: 0 });
});

void t.test('an upload that stands still breaks off', async (t) => {
  const { world, logIn } = await stage(t);
  const { client, member } = await logIn();
  const data = await client.data();
  t.match(await client.say('STOR x'), /^150/);
  data.write('half');
  await until(() => data.bytesWritten === 4);
  await new Promise((resolve) => setImmediate(resolve));
  world.clock.advance(world.limits.ftpDataMs + 1);
  t.equal(await client.reply(), '426 truncated epoch=1 n=1');
  t.match((await member.sibling.event('pipe.refused')).params, { from: 1, to: 1, error: { name: 'truncated' } });
});

void t.test('a message whose download breaks off is the next one again', async (t) => {
  const { listeners, logIn, world } = await stage(t);
  const sender = world.join();
  const { client, member } = await logIn();
  sender.send('one');
  sender.send('two');
  const data = await client.data();
  await until(() => listeners.open.size === 2);
  data.resetAndDestroy();
  await until(() => listeners.open.size === 1);
  t.equal(await client.say('RETR next'), '426 truncated', 'whoever is gone before is sent nothing');
  const later = await client.data();
  later.removeAllListeners('end');
  t.match(await client.say('RETR next'), /^150 epoch=1 n=1 /);
  await once(later.resume(), 'end');
  later.resetAndDestroy();
  t.equal(await client.reply(), '426 truncated epoch=1 n=1', 'what the system has taken has not been read');
  const silent = await client.data();
  silent.removeAllListeners('end');
  t.match(await client.say('RETR next'), /^150 epoch=1 n=1 /);
  await once(silent.resume(), 'end');
  world.clock.advance(world.limits.ftpDataMs + 1);
  t.equal(await client.reply(), '426 truncated epoch=1 n=1', 'nor does a client that says nothing of it');
  t.match(member.sibling.call('pipe.state')?.result, { state: { pipe: { s2c: { n: 0 } } } });
  t.same(await client.retrieve('RETR next'), { bytes: Buffer.from('one'), reply: '226 epoch=1 n=1 kind=text' });
  t.match(member.sibling.call('pipe.state')?.result, { state: { pipe: { s2c: { n: 1 } } } });
  t.equal(await client.say('QUIT'), '221 closed_by_peer');
  const ended = (await member.sibling.event('pipe.ended', 2)).params;
  t.match(ended, { dir: 's2c', finalN: 1, cause: 'closed_by_peer' }, 'what was not retrieved is not counted');
});

void t.test('what is not retrieved waits under the policy of the room', async (t) => {
  const { world, logIn } = await stage(t);
  const create = (slowConsumer: 'dropOldest' | 'dropNewest' | 'close') =>
    ({ create: { slowConsumer, limits: { maxQueuedMessages: 2 } }, room: slowConsumer.toLowerCase() }) as const;
  for (const [policy, left] of [
    ['dropOldest', ['2', '3']],
    ['dropNewest', ['1', '2']],
  ] as const) {
    const { client, member } = await logIn(create(policy));
    const sender = world.join({ room: member.grant.room });
    for (const text of ['1', '2', '3']) {
      sender.send(text);
      await new Promise((resolve) => setImmediate(resolve));
    }
    t.match((await member.sibling.event('pipe.dropped')).params, { count: 1 }, policy);
    for (const [index, text] of left.entries()) {
      const got = await client.retrieve('RETR next');
      t.same([String(got.bytes), got.reply], [text, `226 epoch=1 n=${String(index + 1)} kind=text`], policy);
    }
    t.equal((await client.retrieve('RETR next')).reply, '450 empty');
  }
  const { client, member } = await logIn(create('close'));
  const sender = world.join({ room: 'close' });
  for (const text of ['1', '2', '3']) sender.send(text);
  t.equal(await client.reply(), '421 slow_consumer');
  t.match((await member.sibling.event('pipe.ended', 2)).params, { dir: 's2c', finalN: 0, cause: 'slow_consumer' });
});

void t.test('inside TLS everything is inside, and an end has to be said there', async (t) => {
  const { dial, member } = await stage(t, { tls, tlsOnly: true });
  const { grant } = member();
  const client = dial();
  await client.reply();
  t.equal(await client.say('USER porthouse'), '530 tls_needed');
  t.equal(await client.secure(ca), '234 TLS');
  t.match(await client.say('USER porthouse'), /^331/);
  t.match(await client.say(`PASS ${grant.pipeTicket}`), /^230/);
  t.match(await client.say('EPSV'), /^229/);
  t.equal(await client.say('STOR x'), '521 prot_first');
  t.match(await client.say('PROT P'), /^503/);
  t.match(await client.say('PBSZ 0'), /^200/);
  t.match(await client.say('PROT C'), /^534/);
  t.match(await client.say('PROT P'), /^200/);
  const whole = await client.data();
  t.match(await client.say('STOR x'), /^150/);
  client.inTls(whole).end('whole');
  t.match(await client.reply(), /^226 epoch=1 n=1 /);
  const part = await client.data();
  t.match(await client.say('STOR x'), /^150/);
  const inside = client.inTls(part);
  inside.write('a part');
  await once(inside, 'secureConnect');
  await until(() => inside.writableLength === 0);
  part.end();
  t.equal(await client.reply(), '426 truncated epoch=1 n=2', 'an end of the wire alone is none');
});

void t.test('a handshake that does not come to its end has the time of the login, and no last words', async (t) => {
  const { dial, world, listeners } = await stage(t, { tls });
  const client = dial();
  await client.reply();
  t.equal(await client.say('AUTH TLS'), '234 TLS');
  world.clock.advance(world.limits.bindMs);
  t.equal(await client.reply(), null);
  await until(() => listeners.open.size === 0);
});

void t.test('what came in the clear behind AUTH TLS is not taken for said inside', async (t) => {
  const { dial } = await stage(t, { tls });
  for (const behind of ['NOOP\r\n', 'NO']) {
    const client = dial();
    await client.reply();
    client.write(`AUTH TLS\r\n${behind}`);
    t.equal(await client.reply(), '500 protocol_error');
    t.equal(await client.reply(), null);
  }
});

void t.test('a server that stops says so to everybody in its turn', async (t) => {
  const { world, ingress, dial, logIn } = await stage(t);
  const { client, member } = await logIn();
  const stranger = dial();
  await stranger.reply();
  world.router.drain({ deadlineMs: 1000, reconnectAfterMs: 0 });
  ingress.drain();
  t.equal(await stranger.reply(), '421 draining');
  t.equal(await client.reply(), '421 draining');
  t.match((await member.sibling.event('pipe.ended')).params, { cause: 'draining' });
  t.equal(await dial().reply(), '421 draining');
});

void t.test('commands that wait are as many as there may be, and no more', async (t) => {
  const { logIn } = await stage(t);
  const { client, member } = await logIn();
  await client.data();
  client.write(`RETR wait\r\n${'NOOP\r\n'.repeat(64)}`);
  t.match(await client.say('ABOR'), /^426 truncated$/);
  t.equal(await client.reply(), '226 ABOR');
  const nothing = async (times: number): Promise<void> => {
    for (let n = 0; n < times; n += 1) if ((await client.reply()) !== '200 ok') t.fail('no answer to NOOP');
  };
  await nothing(64);
  client.write('NOOP\r\n'.repeat(200));
  await nothing(200); // what takes no time keeps nobody waiting
  await client.data();
  client.write(`RETR wait\r\n${'NOOP\r\n'.repeat(65)}`);
  t.equal(await client.reply(), '500 protocol_error');
  t.match((await member.sibling.event('pipe.ended')).params, { cause: 'protocol_error' });
});

void t.test('no bytes whatever do harm to anybody else', async (t) => {
  const { world, faults, dial, logIn } = await stage(t);
  const { client } = await logIn();
  const words = fc.constantFrom(
    ...['USER anonymous', 'PASS x', 'CWD lobby', 'EPSV', 'PASV', 'STOR x', 'RETR wait', 'RETR next', 'LIST', 'ABOR'],
    ...['MLST', 'QUIT', 'TYPE I', 'ALLO 4', 'STAT', 'CDUP', 'AUTH TLS', 'PROT P', 'APPE x', 'STOU', 'SIZE next'],
  );
  const line = fc.oneof(
    words.map((word) => Buffer.from(`${word}\r\n`)),
    fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 12 }), async (lines) => {
      const stranger = dial();
      await stranger.reply();
      for (const bytes of lines) stranger.socket.write(bytes);
      stranger.socket.end();
      stranger.socket.resume();
      await once(stranger.socket, 'close').catch(() => undefined);
    }),
    { numRuns: 60 },
  );
  const listener = world.join();
  t.match(await client.store('still here'), /^226 /);
  await listener.sink.arrived(1);
  t.same(faults, []);
});
