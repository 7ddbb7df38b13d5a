import type { Model, Step } from './explore.js';
import { bind, call, cut, emit, newSibling, quiet, type Sibling, type SiblingFaults, take } from './sibling.js';
import type { Bounds } from './to-client.js';

/**
 * The switch of what comes from the client: the client is the sender, picks n and proposes it with a call whose reply
 * is the acknowledgement. Each flag is one way to get it wrong.
 */
export interface ToServerFaults extends SiblingFaults {
  /** The client crosses when it has proposed, and waits for no reply. */
  readonly fireAndForget?: boolean;
  /** The client goes on under the old settings when it has called off, and waits for no reply. */
  readonly abortUnacknowledged?: boolean;
  /** The server answers a repeated proposal as if it were another one. */
  readonly notIdempotent?: boolean;
  /** An open switch outlives its pipe at the server. */
  readonly survivesPipe?: boolean;
  /** A client that has crossed takes that for settled, also where the pipe ended before the server counted it. */
  readonly ignoresFinalN?: boolean;
}

type Event = { is: 'done'; id: number } | { is: 'ended'; finalN: number };
type Call = { is: 'propose' | 'abort'; id: number; n: number; epoch: number };
type Status = 'acknowledged' | 'refused' | 'aborted' | 'done';
type Reply = { to: Call['is']; id: number; status: Status };

interface State {
  epoch: number;
  /** Whether the server has the pipe open. */
  up: boolean;
  /** Under way in the pipe: the number of each message, and the settings that it was sent under. */
  pipe: [n: number, settings: number][];
  client: {
    sent: number;
    settings: number;
    open: { id: number; n: number; phase: 'asked' | 'acknowledged' | 'aborting' } | null;
    /** Crossed, and not known to be counted. */
    crossed: { id: number; n: number; before: number } | null;
    made: number;
    ended: boolean;
  };
  server: { got: number; settings: number; open: { id: number; n: number }[]; known: { id: number; status: Status }[] };
  sibling: Sibling<Event, Call, Reply>;
  left: { ends: number };
  fault: string | null;
}

function start(bounds: Bounds): State {
  return {
    epoch: 1,
    up: true,
    pipe: [],
    client: { sent: 0, settings: 0, open: null, crossed: null, made: 0, ended: false },
    server: { got: 0, settings: 0, open: [], known: [] },
    sibling: newSibling(bounds.cuts),
    left: { ends: bounds.ends },
    fault: null,
  };
}

function maySend({ client }: State, faults: ToServerFaults): boolean {
  const { open, sent } = client;
  if (!open || sent + 1 < open.n) return true;
  return open.phase === 'acknowledged' || (faults.fireAndForget === true && open.phase === 'asked');
}

function send(s: State): void {
  const { client } = s;
  const n = ++client.sent;
  if (client.open && n === client.open.n) {
    client.crossed = { id: client.open.id, n, before: client.settings };
    client.settings = client.open.id;
    client.open = null;
  }
  s.pipe.push([n, client.settings]);
}

function count(s: State): void {
  const [n, settings] = s.pipe.shift() ?? [0, 0];
  const { server } = s;
  server.got = n;
  const [open] = server.open;
  if (open && n === open.n) {
    server.settings = open.id;
    settle(s, 'done');
    emit(s.sibling, { is: 'done', id: open.id });
  }
  if (server.settings !== settings) {
    s.fault = `message ${n} was sent under settings ${settings} and taken under ${server.settings}`;
  }
}

/** The outcome of the open switch is remembered, so that a repeated call gets the answer again. */
function settle({ server }: State, status: 'done' | 'aborted'): void {
  const open = server.open.shift();
  const known = server.known.find(({ id }) => id === open?.id);
  if (known) known.status = status;
}

function answer(s: State, made: Call, faults: ToServerFaults): Status {
  const { server } = s;
  const known = server.known.find(({ id }) => id === made.id);
  if (made.is === 'abort') {
    if (known?.status === 'acknowledged') settle(s, 'aborted');
    return known?.status ?? 'aborted';
  }
  if (made.epoch !== s.epoch || !s.up) return 'refused';
  if (known && !faults.notIdempotent) return known.status === 'done' ? 'acknowledged' : known.status;
  if (server.open.length > 0) return 'refused';
  if (made.n <= server.got) return 'refused';
  server.open.push({ id: made.id, n: made.n });
  server.known.push({ id: made.id, status: 'acknowledged' });
  return 'acknowledged';
}

function propose(s: State, ahead: number): void {
  const { client } = s;
  const open = { id: ++client.made, n: client.sent + ahead, phase: 'asked' as const };
  client.open = open;
  call(s.sibling, { is: 'propose', id: open.id, n: open.n, epoch: s.epoch });
}

function callOff(s: State, faults: ToServerFaults): void {
  const { open } = s.client;
  if (!open) return;
  call(s.sibling, { is: 'abort', id: open.id, n: open.n, epoch: s.epoch });
  open.phase = 'aborting';
  if (faults.abortUnacknowledged) s.client.open = null;
}

function hearReply(s: State, { to, id, status }: Reply): void {
  const { client, sibling } = s;
  if (sibling.unanswered?.id === id && sibling.unanswered.is === to) sibling.unanswered = null;
  const { open } = client;
  if (open?.id !== id) return;
  if (to === 'abort' && status === 'done') s.fault = 'the server counted a message that was not sent';
  else if (to === 'abort') client.open = null;
  else if (open.phase === 'aborting') return;
  else if (status === 'acknowledged') open.phase = 'acknowledged';
  else client.open = null;
}

function hearEvent(s: State, event: Event, faults: ToServerFaults): void {
  const { client } = s;
  if (event.is === 'done') {
    client.crossed = null;
    return;
  }
  const { crossed } = client;
  if (crossed && crossed.n > event.finalN && !faults.ignoresFinalN) client.settings = crossed.before;
  client.crossed = null;
  client.open = null;
  s.sibling.unanswered = null;
  client.ended = true;
}

/** The pipe is lost with what is in it; what the server has counted by then is the end of it. */
function endPipe(s: State, faults: ToServerFaults): void {
  s.left.ends -= 1;
  s.up = false;
  s.pipe = [];
  if (!faults.survivesPipe) settle(s, 'aborted');
  emit(s.sibling, { is: 'ended', finalN: s.server.got });
}

function reopen(s: State): void {
  s.up = true;
  s.epoch += 1;
  s.client.sent = 0;
  s.client.ended = false;
  s.server.got = 0;
}

function settled(s: State): boolean {
  const { client, server, up, pipe, sibling } = s;
  return up && pipe.length === 0 && server.open.length === 0 && !client.open && !client.crossed && quiet(sibling);
}

function fault(s: State): string | null {
  if (s.fault !== null) return s.fault;
  if (s.server.open.length > 1) return 'two switches are open in one direction';
  const { client, server } = s;
  if (!settled(s) || client.settings === server.settings) return null;
  return `all is settled, the client sends under settings ${client.settings} and the server takes ${server.settings}`;
}

type Move = readonly [label: string, enabled: boolean, run: (s: State) => void, adverse?: true];

function clientMoves(s: State, bounds: Bounds, faults: ToServerFaults): readonly Move[] {
  const { client, sibling, up } = s;
  const { open } = client;
  const [item] = sibling.down;
  const writes = up && !client.ended;
  const mayPropose = writes && sibling.bound && client.made < bounds.switches && sibling.unanswered === null;
  const idle = !open && !client.crossed;
  return [
    ['client sends a message', writes && client.sent < bounds.messages && maySend(s, faults), send],
    ['client proposes the next message', mayPropose && idle, (t) => propose(t, 1)],
    ['client proposes the message after the next', mayPropose && idle, (t) => propose(t, 2)],
    [
      'client calls it off',
      writes && open !== null && open.phase !== 'aborting' && sibling.bound,
      (t) => callOff(t, faults),
    ],
    [
      `client hears ${item === 'event' ? (sibling.log[0]?.is ?? '') : `the reply to ${item?.reply.to ?? ''}`}`,
      item !== undefined,
      (t) => {
        const { event, reply } = take(t.sibling);
        if (reply) hearReply(t, reply);
        if (event) hearEvent(t, event, faults);
      },
    ],
    ['client binds', !sibling.bound, (t) => bind(t.sibling, faults)],
    ['client opens another pipe', !up && client.ended && sibling.bound, reopen],
  ];
}

function serverMoves(s: State, faults: ToServerFaults): readonly Move[] {
  const { sibling, pipe, up } = s;
  const [made] = sibling.calls;
  const [ghost] = sibling.ghosts;
  return [
    ['server counts a message', up && pipe.length > 0, count],
    [
      `server takes ${made?.is ?? ''}`,
      made !== undefined,
      (t) => {
        const taken = t.sibling.calls.shift();
        if (!taken) return;
        t.sibling.down.push({ reply: { to: taken.is, id: taken.id, status: answer(t, taken, faults) } });
      },
    ],
    [
      `server takes ${ghost?.is ?? ''} of the old connection`,
      ghost !== undefined,
      (t) => {
        const taken = t.sibling.ghosts.shift();
        if (taken) answer(t, taken, faults);
      },
    ],
    ['the sibling is cut', sibling.bound && sibling.cutsLeft > 0, (t) => cut(t.sibling), true],
    ['the pipe is lost', up && s.left.ends > 0, (t) => endPipe(t, faults), true],
  ];
}

/** The rule for what comes from the client, within bounds; with faults it is one of its wrong variants. */
export function toServer(bounds: Bounds, faults: ToServerFaults = {}): Model<unknown> {
  const steps = (s: State, fork: () => State): readonly Step<State>[] =>
    [...clientMoves(s, bounds, faults), ...serverMoves(s, faults)]
      .filter(([, enabled]) => enabled)
      .map(([label, , run, adverse]) => {
        const to = fork();
        run(to);
        return { label, to, adverse: adverse === true };
      });
  return {
    start: start(bounds),
    steps: (state, fork) => steps(state as State, fork as () => State),
    fault: (state) => fault(state as State),
    settled: (state) => settled(state as State),
  };
}
