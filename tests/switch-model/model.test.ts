import t, { type Test } from 'tap';
import { explore, type Finding, type Model } from './explore.js';
import { move } from './move.js';
import type { MoveBounds, MoveFaults } from './move-state.js';
import { type Bounds, toClient, type ToClientFaults } from './to-client.js';
import { toServer, type ToServerFaults } from './to-server.js';

const BOUNDS: Bounds = { messages: 2, switches: 2, cuts: 1, timeouts: 2, ends: 1 };

/** How a fault is reached, for whoever reads the output. */
function story({ fault, way, states }: Finding): string {
  return fault === null ? `${states} states, all sound` : `${fault}, after: ${way.join('; ')}`;
}

function sound(t: Test, model: Model<unknown>): void {
  const found = explore(model);
  t.equal(found.fault, null, story(found));
  t.ok(found.states > 1000, 'and there was something to look at');
}

function caught(t: Test, model: Model<unknown>, fault: RegExp): void {
  const found = explore(model);
  t.match(found.fault, fault, story(found));
}

t.test('the rule for what goes to the client holds in every interleaving of one cut and one lost pipe', (t) => {
  sound(t, toClient(BOUNDS));
  t.end();
});

t.test('the rule for what goes to the client holds over two cuts and three messages', (t) => {
  sound(t, toClient({ ...BOUNDS, messages: 3, cuts: 2, ends: 0 }));
  t.end();
});

t.test('the rule for what comes from the client holds in every interleaving of one cut and one lost pipe', (t) => {
  sound(t, toServer({ ...BOUNDS, messages: 3 }));
  t.end();
});

t.test('the rule for what comes from the client holds over two cuts', (t) => {
  sound(t, toServer({ ...BOUNDS, messages: 4, cuts: 2, ends: 0 }));
  t.end();
});

const MISREAD = /was written under settings \d and read under \d|was sent under settings \d and taken under \d/;
const TWO = /two switches are open/;
const DISAGREE = /all is settled/;

const WRONG_TO_CLIENT: readonly [string, ToClientFaults, RegExp][] = [
  ['a sender that tells and crosses', { fireAndForget: true }, MISREAD],
  ['a boundary that the receiver picks', { receiverPicks: true }, MISREAD],
  ['a sender that crosses before the acknowledgement', { crossesBeforeAck: true }, MISREAD],
  ['an abort that nobody acknowledges', { abortUnacknowledged: true }, MISREAD],
  ['a late acknowledgement that counts', { honoursLateAck: true }, MISREAD],
  ['a switch that outlives its pipe', { survivesPipe: true }, MISREAD],
  ['a second switch beside the first', { opensTwo: true }, TWO],
  ['events that a cut loses', { forgetsEvents: true }, TWO],
  ['a refusal that only the reply tells of', { refusesSilently: true }, TWO],
];

for (const [name, faults, fault] of WRONG_TO_CLIENT) {
  t.test(`to the client: ${name} is caught`, (t) => {
    caught(t, toClient(BOUNDS, faults), fault);
    t.end();
  });
}

const WRONG_TO_SERVER: readonly [string, ToServerFaults, RegExp][] = [
  ['a client that crosses before the acknowledgement', { fireAndForget: true }, MISREAD],
  ['an abort that the client does not wait for', { abortUnacknowledged: true }, MISREAD],
  ['a repeated proposal that is answered as a new one', { notIdempotent: true }, MISREAD],
  ['a switch that outlives its pipe', { survivesPipe: true }, MISREAD],
  ['calls of a connection that was taken over', { hearsGhosts: true }, MISREAD],
  ['a client that does not compare with where the pipe ended', { ignoresFinalN: true }, DISAGREE],
  ['events that a cut loses', { forgetsEvents: true }, /nothing but a timeout/],
];

for (const [name, faults, fault] of WRONG_TO_SERVER) {
  t.test(`from the client: ${name} is caught`, (t) => {
    caught(t, toServer({ ...BOUNDS, messages: 3 }, faults), fault);
    t.end();
  });
}

const MOVES: MoveBounds = { messages: 1, moves: 2, cuts: 1, timeouts: 1, ends: 0, closings: 0 };
const FEW: MoveBounds = { messages: 2, moves: 1, cuts: 0, timeouts: 2, ends: 1, closings: 1 };

t.test('a move holds in every interleaving of one cut and one timeout', (t) => {
  sound(t, move(MOVES));
  t.end();
});

t.test('a move holds over two timeouts, a lost pipe and the end of the room that it leads to', (t) => {
  sound(t, move(FEW));
  sound(t, move({ ...FEW, messages: 1, cuts: 1, timeouts: 1 }));
  t.end();
});

t.test('a client that sends nothing gets into the other room', (t) => {
  const silent = { ...FEW, messages: 0, moves: 2, resolute: true };
  t.equal(explore(move(silent)).fault, null);
  caught(t, move(silent, { waitsForMessage: true }), /nothing but a timeout/);
  t.end();
});

const WRONG_MOVES: readonly [string, MoveFaults, RegExp][] = [
  ['a half that crosses alone', { crossesAlone: true }, /^message \d|all is settled/],
  ["the client's half taken first", { takesHalfFirst: true }, /written of room/],
  ['an abort that nobody acknowledges', { abortUnacknowledged: true }, /written of room/],
  ['a half that is dropped with the other and not acknowledged', { dropsOtherHalf: true }, /written of room|settle/],
  ['a move that outlives its pipe', { survivesPipe: true }, /message \d|all is settled|two moves|nothing but/],
  ['a place that is not given back', { keepsPlace: true }, /a place is kept for nobody/],
  ['a room that is closed in silence', { closesSilently: true }, /was sent to room/],
  ['events that a cut loses', { forgetsEvents: true }, /two moves|nothing but|all is settled|room/],
];

for (const [name, faults, fault] of WRONG_MOVES) {
  t.test(`a move: ${name} is caught`, (t) => {
    caught(t, move({ ...FEW, cuts: faults.forgetsEvents ? 1 : 0 }, faults), fault);
    t.end();
  });
}
