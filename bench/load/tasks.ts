import type { Line } from './dialect.js';
import { Opening } from './opening.js';
import type { Job, Outcome } from './job.js';
import { Meter } from './meter.js';
import { type Parser, Receiver } from './parser.js';
import { Ring } from './ring.js';

/** How long the sockets are left alone between two rounds of reading. */
const CADENCE_MS = 1;
/** Longer than any server needs for what is under way. */
const PATIENCE_MS = 10_000;

const still = new Int32Array(new SharedArrayBuffer(4));

interface Company {
  readonly sender: Line;
  readonly members: readonly Receiver[];
  readonly ring: Ring;
}

async function gather(job: Job, arrived?: (number: number) => void): Promise<Company> {
  const opening = await Opening.start(job);
  const sender = await opening.one('sender');
  const wires = await opening.many(job.members, 'member');
  const parser: Parser = opening.dialect.parser;
  const members = wires.map((wire) => {
    const member = new Receiver(parser, job.payloadBytes, arrived);
    wire.follow((bytes) => member.take(bytes));
    return member;
  });
  const ring = new Ring(job.window, job.payloadBytes, (payload) => opening.dialect.frame(payload));
  return { sender, members, ring };
}

const behindMost = (members: readonly Receiver[]): number =>
  members.reduce((least, { received }) => Math.min(least, received), Infinity);

/** Runs `turn` between two looks at the sockets until it returns true. */
function turns(turn: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const next = (): void => {
      if (turn()) resolve();
      else setImmediate(next);
    };
    next();
  });
}

/**
 * A closed loop: at most `window` messages are under way, and the next are sent when the slowest member has the first
 * of them. All sockets are read in turn after a rest; a client that reads each as it wakes measures itself.
 */
export async function window(job: Job): Promise<Outcome> {
  const { sender, members, ring } = await gather(job);
  let sent = 0;
  let moved = performance.now();
  const turn = (): void => {
    const room = behindMost(members) + job.window;
    if (room > sent) {
      ring.write(sender, sent, room);
      sent = room;
      moved = performance.now();
    } else if (performance.now() - moved > PATIENCE_MS) throw new Error(`message ${String(sent - job.window)} is lost`);
    Atomics.wait(still, 0, 0, CADENCE_MS);
  };
  const delivered = (): number => members.reduce((sum, { received }) => sum + received, 0);
  const during = async (ms: number): Promise<Outcome> => {
    const before = delivered();
    const least = before + job.window * job.members; // or a server that was kept from its core would count for nothing
    const meter = new Meter(job.serverPid);
    await turns(() => {
      turn();
      return meter.ms >= ms && delivered() >= least;
    });
    return meter.outcome(delivered() - before);
  };
  await during(job.warmUpMs);
  const outcome = await during(job.ms);
  await all(members, sent);
  return outcome;
}

/** What is still under way has to come, too. */
async function all(members: readonly Receiver[], sent: number): Promise<void> {
  const meter = performance.now();
  await turns(() => {
    if (performance.now() - meter > PATIENCE_MS) throw new Error(`only ${String(behindMost(members))} came`);
    return behindMost(members) === sent;
  });
}

/** Messages at a fixed rate, whatever becomes of them; how long each takes to each member. */
export async function pace(job: Job): Promise<Outcome> {
  const total = Math.round((job.rate * job.ms) / 1000);
  const early = Math.round((job.rate * job.warmUpMs) / 1000);
  const written = new Float64Array(early + total);
  const delays = new Float64Array(total * job.members);
  let measured = 0;
  const { sender, members, ring } = await gather(job, (number) => {
    if (number >= early) delays[measured++] = performance.now() - (written[number] ?? 0);
  });
  let meter = new Meter(job.serverPid);
  const start = performance.now();
  for (let number = 0; number < early + total; number++) {
    const wait = start + (number * 1000) / job.rate - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    if (number === early) meter = new Meter(job.serverPid);
    written[number] = performance.now();
    ring.write(sender, number, number + 1);
  }
  await all(members, early + total);
  const outcome = meter.outcome(measured);
  delays.sort();
  const at = (share: number): number => delays[Math.floor(share * (measured - 1))] ?? 0;
  return { ...outcome, p50: at(0.5), p99: at(0.99) };
}

/** Opens connections, from nothing to the first byte that they could send. */
export async function open(job: Job): Promise<Outcome> {
  const opening = await Opening.start(job);
  await opening.many(job.before, 'member');
  const meter = new Meter(job.serverPid);
  await opening.many(job.members, 'member');
  return meter.outcome(job.members);
}

/** Opens some connections, and when that is known more of them, and keeps them all. */
export async function hold(job: Job, held: (count: number) => Promise<void>): Promise<Outcome> {
  const opening = await Opening.start(job);
  const role = job.siblings ? 'member with sibling' : 'member';
  await opening.many(job.before, role);
  await held(job.before);
  const meter = new Meter(job.serverPid);
  await opening.many(job.members, role);
  const outcome = meter.outcome(job.members);
  await held(job.members);
  return outcome;
}
