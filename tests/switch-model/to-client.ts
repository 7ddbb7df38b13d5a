import type { Model, Step } from './explore.js';
import { bind, call, cut, emit, newSibling, quiet, take, type Sibling, type SiblingFaults } from './sibling.js';

/**
 * The switch of what goes to the client: the server is the sender, picks n, holds what belongs behind the boundary,
 * and crosses when the acknowledgement has come. Each flag is one way to get it wrong.
 */
export interface ToClientFaults extends SiblingFaults {
  /** Tells and crosses, and waits for nobody. */
  readonly fireAndForget?: boolean;
  /** The receiver says where the boundary is, when it acknowledges. */
  readonly receiverPicks?: boolean;
  /** Goes on writing past the boundary while it waits. */
  readonly crossesBeforeAck?: boolean;
  /** Goes on under the old settings once it has given up. */
  readonly abortUnacknowledged?: boolean;
  /** Takes an acknowledgement that comes after it gave up. */
  readonly honoursLateAck?: boolean;
  /** An open switch outlives its pipe. */
  readonly survivesPipe?: boolean;
  /** A second switch may be opened beside the first. */
  readonly opensTwo?: boolean;
  /** Nothing but the reply tells the client that its refusal has been taken. */
  readonly refusesSilently?: boolean;
}

type Event =
  | { is: 'propose'; id: number; n: number; set: number }
  | { is: 'done'; id: number }
  | { is: 'abort'; id: number; gone: boolean }
  | { is: 'ended' };
type Call = { is: 'ack' | 'refuse' | 'abortAck'; id: number; n: number };
type Status = 'done' | 'refused' | 'aborting' | 'aborted';
type Reply = { to: Call['is']; id: number; status: Status };

interface Open {
  id: number;
  n: number;
  set: number;
  aborting: boolean;
}

interface State {
  up: boolean;
  /** Under way in the pipe: the number of each message, and the settings that it was written under. */
  pipe: [n: number, settings: number][];
  server: { settings: number; written: number; open: Open[]; ends: { id: number; status: Status }[]; made: number };
  client: {
    got: number;
    /** Settings from a number on; the first is where the pipe began. */
    settings: [from: number, settings: number][];
    offer: { id: number; n: number; set: number; acked: boolean } | null;
    ended: boolean;
  };
  sibling: Sibling<Event, Call, Reply>;
  left: { timeouts: number; ends: number };
  fault: string | null;
}

export interface Bounds {
  readonly messages: number;
  readonly switches: number;
  readonly cuts: number;
  readonly timeouts: number;
  readonly ends: number;
}

function start(bounds: Bounds): State {
  return {
    up: true,
    pipe: [],
    server: { settings: 0, written: 0, open: [], ends: [], made: 0 },
    client: { got: 0, settings: [[1, 0]], offer: null, ended: false },
    sibling: newSibling(bounds.cuts),
    left: { timeouts: bounds.timeouts, ends: bounds.ends },
    fault: null,
  };
}

/** What the client takes its n-th message for. */
function believed({ client }: State, n: number): number {
  if (client.offer?.acked && n >= client.offer.n) return client.offer.set;
  return client.settings.filter(([from]) => from <= n).at(-1)?.[1] ?? -1;
}

function mayWrite(s: State, faults: ToClientFaults): boolean {
  const [open] = s.server.open;
  if (!open || faults.receiverPicks || faults.crossesBeforeAck) return true;
  return open.aborting && faults.abortUnacknowledged === true;
}

function write(s: State): void {
  const n = ++s.server.written;
  s.pipe.push([n, s.server.settings]);
}

function read(s: State): void {
  const [n, settings] = s.pipe.shift() ?? [0, 0];
  s.client.got = n;
  const taken = believed(s, n);
  if (taken !== settings) s.fault = `message ${n} was written under settings ${settings} and read under ${taken}`;
}

function propose(s: State, faults: ToClientFaults): void {
  const id = ++s.server.made;
  const open = { id, n: s.server.written + 1, set: id, aborting: false };
  if (faults.fireAndForget || faults.crossesBeforeAck) s.server.settings = open.set;
  if (!faults.fireAndForget) s.server.open.push(open);
  emit(s.sibling, { is: 'propose', id, n: open.n, set: id });
}

/** The open switch is over: its outcome is remembered, so that a repeated call gets the same answer. */
function settle(s: State, status: 'done' | 'refused' | 'aborted', faults: ToClientFaults = {}): void {
  const open = s.server.open.shift();
  if (!open) return;
  if (status === 'done') s.server.settings = open.set;
  s.server.ends.push({ id: open.id, status });
  if (status === 'done') emit(s.sibling, { is: 'done', id: open.id });
  if (status === 'refused' && !faults.refusesSilently) emit(s.sibling, { is: 'abort', id: open.id, gone: true });
}

function answer(s: State, made: Call, faults: ToClientFaults): Reply {
  const open = s.server.open.find(({ id }) => id === made.id);
  if (open?.aborting && made.is !== 'abortAck' && !(faults.honoursLateAck && made.is === 'ack')) {
    return { to: made.is, id: made.id, status: 'aborting' };
  }
  if (open) settle(s, made.is === 'ack' ? 'done' : made.is === 'refuse' ? 'refused' : 'aborted', faults);
  const end = s.server.ends.find(({ id }) => id === made.id);
  return { to: made.is, id: made.id, status: end?.status ?? 'aborted' };
}

function giveUp(s: State): void {
  s.left.timeouts -= 1;
  const [open] = s.server.open;
  if (!open) return;
  open.aborting = true;
  emit(s.sibling, { is: 'abort', id: open.id, gone: false });
}

function endPipe(s: State, faults: ToClientFaults): void {
  s.up = false;
  s.pipe = [];
  const [open] = s.server.open;
  if (open && !faults.survivesPipe) {
    settle(s, 'aborted');
    emit(s.sibling, { is: 'abort', id: open.id, gone: true });
  }
  emit(s.sibling, { is: 'ended' });
}

function reopen(s: State): void {
  const { client, server } = s;
  s.up = true;
  server.written = 0;
  s.client = { got: 0, settings: [[1, believed(s, Infinity)]], offer: client.offer, ended: false };
}

/** The client hears that it is settled, by the event or by the reply to its own call, whichever is first. */
function hear(s: State, id: number, status: Status): void {
  const { offer } = s.client;
  if (offer?.id !== id || status === 'aborting') return;
  if (status === 'done') s.client.settings.push([offer.n, offer.set]);
  s.client.offer = null;
}

function hearReply(s: State, { to, id, status }: Reply): void {
  const { unanswered } = s.sibling;
  if (unanswered?.id === id && unanswered.is === to) s.sibling.unanswered = null;
  hear(s, id, status);
}

function hearEvent(s: State, event: Event, faults: ToClientFaults): void {
  const { client, sibling } = s;
  if ('id' in event && event.is !== 'propose' && sibling.unanswered?.id === event.id) sibling.unanswered = null;
  if (event.is === 'ended') client.ended = true;
  else if (event.is === 'done') hear(s, event.id, 'done');
  else if (event.is === 'abort') {
    hear(s, event.id, 'aborted');
    if (!event.gone) call(sibling, { is: 'abortAck', id: event.id, n: 0 });
  } else if (faults.fireAndForget) client.settings.push([event.n, event.set]);
  else if (client.offer) s.fault = 'two switches are open in one direction';
  else client.offer = { id: event.id, n: event.n, set: event.set, acked: false };
}

function decide(s: State, acked: boolean, faults: ToClientFaults): void {
  const { offer, got } = s.client;
  if (!offer) return;
  if (faults.receiverPicks) offer.n = got + 1;
  offer.acked = acked;
  call(s.sibling, { is: acked ? 'ack' : 'refuse', id: offer.id, n: offer.n });
}

function settled(s: State): boolean {
  return s.up && s.pipe.length === 0 && s.server.open.length === 0 && s.client.offer === null && quiet(s.sibling);
}

function fault(s: State): string | null {
  if (s.fault !== null) return s.fault;
  if (s.server.open.length > 1) return 'two switches are open in one direction';
  const taken = believed(s, s.client.got + 1);
  if (!settled(s) || taken === s.server.settings) return null;
  return `all is settled, the server writes under settings ${s.server.settings} and the client reads under ${taken}`;
}

type Move = readonly [label: string, enabled: boolean, run: (s: State) => void, adverse?: true];

function serverMoves(s: State, bounds: Bounds, faults: ToClientFaults): readonly Move[] {
  const { server, sibling } = s;
  const [open] = server.open;
  const [made] = sibling.calls;
  const [ghost] = sibling.ghosts;
  const mayOpen = s.up && (!open || faults.opensTwo === true) && server.made < bounds.switches;
  return [
    ['server writes a message', s.up && server.written < bounds.messages && mayWrite(s, faults), write],
    ['server proposes a switch', mayOpen, (t) => propose(t, faults)],
    [
      `server takes ${made?.is ?? ''}`,
      made !== undefined,
      (t) => {
        const taken = t.sibling.calls.shift();
        if (taken) t.sibling.down.push({ reply: answer(t, taken, faults) });
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
    ['server gives up waiting', s.left.timeouts > 0 && open !== undefined && !open.aborting, giveUp, true],
    [
      'server closes the pipe, the abort was not acknowledged',
      s.left.timeouts > 0 && s.up && open?.aborting === true,
      (t) => {
        t.left.timeouts -= 1;
        endPipe(t, faults);
      },
      true,
    ],
  ];
}

function clientMoves(s: State, faults: ToClientFaults): readonly Move[] {
  const { client, sibling } = s;
  const undecided = client.offer !== null && !client.offer.acked && sibling.unanswered === null && sibling.bound;
  const [item] = sibling.down;
  return [
    ['client reads a message', s.pipe.length > 0, read],
    [
      `client hears ${item === 'event' ? (sibling.log[0]?.is ?? '') : `the reply to ${item?.reply.to ?? ''}`}`,
      item !== undefined,
      (t) => {
        const { event, reply } = take(t.sibling);
        if (reply) hearReply(t, reply);
        if (event) hearEvent(t, event, faults);
      },
    ],
    ['client acknowledges', undecided && s.up, (t) => decide(t, true, faults)],
    ['client refuses', undecided && s.up && !faults.receiverPicks, (t) => decide(t, false, faults)],
    ['client binds', !sibling.bound, (t) => bind(t.sibling, faults)],
    ['client opens another pipe', !s.up && client.ended && sibling.bound, reopen],
    ['the sibling is cut', sibling.bound && sibling.cutsLeft > 0, (t) => cut(t.sibling), true],
  ];
}

interface Scope {
  readonly bounds: Bounds;
  readonly faults: ToClientFaults;
}

function steps(s: State, fork: () => State, { bounds, faults }: Scope): readonly Step<State>[] {
  const lost: Move = [
    'the pipe is lost',
    s.up && s.left.ends > 0,
    (t) => {
      t.left.ends -= 1;
      endPipe(t, faults);
    },
    true,
  ];
  return [...serverMoves(s, bounds, faults), ...clientMoves(s, faults), lost]
    .filter(([, enabled]) => enabled)
    .map(([label, , run, adverse]) => {
      const to = fork();
      run(to);
      return { label, to, adverse: adverse === true };
    });
}

/** The rule for what goes to the client, within bounds; with faults it is one of its wrong variants. */
export function toClient(bounds: Bounds, faults: ToClientFaults = {}): Model<unknown> {
  return {
    start: start(bounds),
    steps: (state, fork) => steps(state as State, fork as () => State, { bounds, faults }),
    fault: (state) => fault(state as State),
    settled: (state) => settled(state as State),
  };
}
