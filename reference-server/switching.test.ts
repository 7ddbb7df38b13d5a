import fc from 'fast-check';
import t from 'tap';
import type { Grant } from '../generated/types.js';
import { startServer } from './compose.js';
import { loadConfig } from './config/config.js';
import { ask } from './testing/http.js';
import { holdsAsync } from './testing/property.js';
import { type Answer, SwitchingClient, type Switched } from './testing/switching-client.js';

async function grantFrom(url: string, request: object): Promise<Grant> {
  const headers = { 'content-type': 'application/json', authorization: 'Bearer dev.alice' };
  const body = JSON.stringify({ transport: 'websocket', ...request });
  const answer = await ask(url, { method: 'POST', path: '/porthouse/v1/sessions', headers, body });
  if (answer.status !== 201) throw new Error(answer.body);
  return JSON.parse(answer.body) as Grant;
}

async function member(url: string, request: object): Promise<SwitchingClient> {
  const client = new SwitchingClient(url, await grantFrom(url, request));
  await client.bind();
  await client.open();
  return client;
}

const kind = fc.constantFrom<Switched>('text', 'binary');
const step = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('bob sends', 'alice sends', 'carol sends') },
  { weight: 2, arbitrary: fc.constantFrom('acknowledge', 'refuse', 'call off') },
  { weight: 3, arbitrary: fc.constant('look') },
  { weight: 1, arbitrary: fc.constantFrom('cut', 'take over', 'replace the pipe') },
  { weight: 2, arbitrary: fc.record({ propose: kind, ahead: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ request: kind }) },
  { weight: 3, arbitrary: fc.constant('move') },
  { weight: 3, arbitrary: fc.record({ follow: fc.integer({ min: 1, max: 3 }), agrees: fc.boolean() }) },
);
const steps = fc.array(step, { minLength: 5, maxLength: 40 });
/** How long the server waits for an answer: short enough to give up in the middle, or long enough never to. */
const patience = fc.constantFrom(2, 5000);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Bob goes to and fro between the rooms of alice and carol. */
interface Scene {
  readonly alice: SwitchingClient;
  readonly bob: SwitchingClient;
  readonly carol: SwitchingClient;
  readonly rooms: readonly [string, string];
}

/** Nothing waits for what it brings about, unless it says so: what overtakes what is up to the sockets. */
async function run(what: Step, { alice, bob, carol, rooms }: Scene): Promise<void> {
  if (what === 'bob sends') bob.send();
  else if (what === 'alice sends') alice.send();
  else if (what === 'carol sends') carol.send();
  else if (what === 'acknowledge' || what === 'refuse') bob.answer(what === 'acknowledge');
  else if (what === 'call off') void bob.callOff();
  else if (what === 'look') await bob.call('pipe.state');
  else if (what === 'replace the pipe') await bob.replace();
  else if (typeof what === 'object' && 'propose' in what) void bob.propose({ format: what.propose }, what.ahead);
  else if (typeof what === 'object' && 'follow' in what) {
    if (what.agrees) bob.answer(true);
    void bob.follow(what.follow);
  } else if (what === 'move') void bob.call('room.move', { room: rooms[bob.sends.room === rooms[0] ? 1 : 0] });
  else if (typeof what === 'object') void bob.call('switch.request', { dir: 's2c', set: { format: what.request } });
  else {
    if (what === 'cut') bob.cut();
    await bob.bind();
  }
}

interface State {
  readonly room: { readonly name: string };
  readonly formats: { readonly send: readonly string[]; readonly receive: readonly string[] };
  readonly switches: readonly unknown[];
  readonly pipe: { readonly s2c: { readonly n: number } };
}

const stateOf = ({ result }: Answer): State => (result as unknown as { state: State }).state;

/** Answers what is asked, calls off what is open, and waits until nothing is. */
async function settled({ alice, bob, carol }: Scene): Promise<State> {
  for (const client of [alice, carol]) await client.call('fence', { scope: 'room' });
  for (;;) {
    bob.answer(true);
    await bob.callOff();
    await bob.follow(1);
    const state = stateOf(await bob.call('pipe.state'));
    if (state.switches.length === 0 && bob.settled && bob.got === state.pipe.s2c.n) return state;
  }
}

const KINDS = ['text', 'json', 'binary'];

/** What the server thinks otherwise than the client, when all is settled. */
function differences({ formats, room }: State, { sends, receives }: SwitchingClient): string[] {
  const faults: string[] = [];
  if (formats.send.join() !== (sends.kind ?? KINDS.join())) faults.push(`the server takes ${formats.send.join()}`);
  if (formats.receive.join() !== (receives.kind ?? KINDS.join())) faults.push(`it sends ${formats.receive.join()}`);
  if (sends.room !== room.name) faults.push(`the server takes it for ${room.name}, sent to ${sends.room}`);
  if (receives.room !== room.name) faults.push(`the server sends of ${room.name}, read as of ${receives.room}`);
  return faults;
}

void t.test('whatever the order, no message is read under other settings than it was written under', async (t) => {
  const config = loadConfig(undefined, { port: 0 });
  const server = await startServer({ ...config, logLevel: 'fatal', limits: { ...config.limits, drainMs: 0 } });
  let rooms = 0;
  const schedule = fc.asyncProperty(steps, patience, async (steps, switchAckMs) => {
    const room = `r${++rooms}`;
    const limits = { sessionLingerMs: 20 };
    const create = { onMismatch: 'convert' };
    const alice = await member(server.url, { room, create, limits });
    const carol = await member(server.url, { room: `${room}-annex`, create, limits });
    const bob = await member(server.url, { room, limits: { ...limits, switchAckMs } });
    const scene: Scene = { alice, bob, carol, rooms: [room, `${room}-annex`] };
    for (const each of steps) await run(each, scene);
    const state = await settled(scene);
    await bob.call('fence', { scope: 'room' });
    const faults = [alice, bob, carol].flatMap((client) => client.faults);
    faults.push(...differences(state, bob));
    for (const client of [alice, bob, carol]) client.close();
    if (faults.length > 0) throw new Error(faults.join('; '));
  });
  await holdsAsync(t, schedule, 60);
  await server.drain();
});
