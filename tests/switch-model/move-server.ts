import { emit } from './sibling.js';
import type { Act, Call, MoveBounds, MoveFaults, Moving, State } from './move-state.js';

function write(s: State): void {
  const n = ++s.server.written;
  s.toClient.push([n, s.server.writesOf]);
}

function count(s: State, faults: MoveFaults): void {
  const { server } = s;
  const [n, room] = s.toServer.shift() ?? [0, 0];
  server.got = n;
  if (faults.waitsForMessage) crossAt(s, n);
  if (server.takesFor !== room) s.fault = `message ${n} was sent to room ${room} and taken for ${server.takesFor}`;
  if (!faults.waitsForMessage) crossAt(s, n + 1);
}

function crossAt(s: State, n: number): void {
  const { move } = s.server;
  if (move?.half !== n) return;
  s.server.takesFor = move.id;
  s.server.writesOf = move.id;
  emit(s.sibling, { is: 'moved', id: move.id });
  over(s, 'done');
}

/** The move is over, and how it ended is remembered of both halves. */
function over(s: State, status: string, faults: MoveFaults = {}): void {
  const { server } = s;
  const { move } = server;
  if (!move) return;
  server.known.push({ id: move.id, half: false, status });
  if (move.half !== null) server.known.push({ id: move.id, half: true, status });
  server.move = null;
  server.place &&= faults.keepsPlace === true && status !== 'done';
}

function propose(s: State): void {
  const { server } = s;
  const id = ++server.made;
  server.move = { id, n: server.written + 1, phase: 'proposed', half: null };
  server.place = true;
  emit(s.sibling, { is: 'propose', id, n: server.move.n });
}

/** The server's half is off; nothing is written before the client has acknowledged that. */
function callOff(s: State, faults: MoveFaults): void {
  const { move } = s.server;
  if (!move) return;
  if (move.half !== null) s.server.known.push({ id: move.id, half: true, status: 'aborted' });
  move.half = null;
  move.phase = 'aborting';
  s.server.place = faults.keepsPlace === true;
  emit(s.sibling, { is: 'abort', id: move.id, gone: false });
}

function answer(s: State, made: Call, faults: MoveFaults): string {
  const { server } = s;
  const move = server.move?.id === made.id ? server.move : null;
  const aboutHalf = made.is === 'propose' || made.is === 'abort';
  const known = server.known.find(({ id, half }) => id === made.id && half === aboutHalf)?.status;
  if (made.is === 'propose') return known ?? takeHalf(s, made, { move, faults });
  if (made.is === 'abort') return known ?? dropHalf(s, move, faults);
  if (!move) return known ?? 'unknown';
  if (made.is === 'abortAck') return move.phase === 'aborting' ? ended(s, 'aborted') : move.phase;
  if (move.phase !== 'proposed') return move.phase;
  if (made.is === 'refuse') {
    emit(s.sibling, { is: 'abort', id: move.id, gone: true });
    over(s, 'refused', faults);
    return 'refused';
  }
  move.phase = 'acknowledged';
  if (faults.crossesAlone) server.writesOf = move.id;
  return 'acknowledged';
}

function ended(s: State, status: string): string {
  over(s, status);
  return status;
}

function takeHalf(s: State, made: Call, { move, faults }: { move: Moving | null; faults: MoveFaults }): string {
  if (made.epoch !== s.epoch || !s.up || !move || move.phase === 'aborting') return 'unknown';
  if (move.half !== null) return 'acknowledged';
  if (move.phase === 'proposed' && !faults.takesHalfFirst) return 'pending';
  if (made.n <= s.server.got) return 'late';
  move.half = made.n;
  if (!faults.waitsForMessage) crossAt(s, s.server.got + 1);
  return 'acknowledged';
}

function dropHalf(s: State, move: Moving | null, faults: MoveFaults): string {
  if (!move || move.half === null) return 'unknown';
  if (!faults.dropsOtherHalf) callOff(s, faults);
  else over(s, 'aborted');
  return 'aborted';
}

/** The other room is closed: whoever may have sent for it loses the pipe. */
function closeRoom(s: State, faults: MoveFaults): void {
  s.left.closings -= 1;
  if (s.server.move?.half === null || faults.closesSilently) callOff(s, faults);
  else endPipe(s, faults);
}

function giveUp(s: State, faults: MoveFaults): void {
  s.left.timeouts -= 1;
  if (faults.crossesAlone && s.server.writesOf === s.server.move?.id) over(s, 'done');
  else callOff(s, faults);
}

/** The pipe is lost with all that is in it. */
export function endPipe(s: State, faults: MoveFaults): void {
  s.up = false;
  s.toClient = [];
  s.toServer = [];
  const { move } = s.server;
  if (move && !faults.survivesPipe) {
    emit(s.sibling, { is: 'abort', id: move.id, gone: true });
    over(s, 'aborted', faults);
  }
  emit(s.sibling, { is: 'ended', finalN: s.server.got });
}

/** What the server can do. */
export function serverActs(s: State, bounds: MoveBounds, faults: MoveFaults): readonly Act[] {
  const { server, sibling, left } = s;
  const { move } = server;
  const [made] = sibling.calls;
  const [ghost] = sibling.ghosts;
  const unacknowledged = faults.abortUnacknowledged && move?.phase === 'aborting';
  const alone = faults.crossesAlone && move?.phase === 'acknowledged';
  const writes = s.up && server.written < bounds.messages && (!move || unacknowledged === true || alone === true);
  const waits = move !== null && move.phase !== 'aborting' && move.half === null;
  return [
    ['server writes a message', writes, write],
    ['server counts a message', s.up && s.toServer.length > 0, (t) => count(t, faults)],
    ['server keeps a place and proposes', s.up && !move && server.made < bounds.moves, propose],
    [
      `server takes ${made?.is ?? ''}`,
      made !== undefined,
      (t) => {
        const taken = t.sibling.calls.shift();
        if (taken) t.sibling.down.push({ reply: { to: taken.is, id: taken.id, status: answer(t, taken, faults) } });
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
    ['server gives up waiting', left.timeouts > 0 && waits, (t) => giveUp(t, faults), true],
    [
      'the other room is closed',
      left.closings > 0 && s.up && move !== null && move.phase !== 'aborting',
      (t) => closeRoom(t, faults),
      true,
    ],
    [
      'server closes the pipe, the abort was not acknowledged',
      left.timeouts > 0 && s.up && move?.phase === 'aborting',
      (t) => {
        t.left.timeouts -= 1;
        endPipe(t, faults);
      },
      true,
    ],
  ];
}
