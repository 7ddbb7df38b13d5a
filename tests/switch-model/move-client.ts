import { believed, type Act, type Call, type Event, type MoveBounds, type Reply, type State } from './move-state.js';
import { bind, call, cut, type SiblingFaults, take } from './sibling.js';

function read(s: State): void {
  const [n, room] = s.toClient.shift() ?? [0, 0];
  s.client.got = n;
  const taken = believed(s, n);
  if (taken !== room) s.fault = `message ${n} was written of room ${room} and read as of ${taken}`;
}

function send(s: State): void {
  const { client } = s;
  const n = ++client.sent;
  if (client.half?.n === n) {
    client.crossed = client.sendsTo;
    client.sendsTo = client.half.id;
    client.half = null;
  }
  s.toServer.push([n, client.sendsTo]);
}

function reopen(s: State): void {
  const { client, server } = s;
  s.up = true;
  s.epoch += 1;
  server.written = 0;
  server.got = 0;
  client.hears = [[1, client.hears.at(-1)?.[1] ?? 0]];
  client.sent = 0;
  client.got = 0;
  client.ended = false;
}

function hearReply(s: State, { to, id, status }: Reply): void {
  const { client, sibling } = s;
  if (sibling.unanswered?.id === id && sibling.unanswered.is === to) sibling.unanswered = null;
  const { half } = client;
  if (half?.id !== id || (to !== 'propose' && to !== 'abort')) return;
  if (to === 'propose' && half.phase === 'aborting') return;
  if (to === 'propose' && (status === 'acknowledged' || status === 'done')) half.phase = 'acknowledged';
  else if (status !== 'done') client.half = null;
}

function hearEvent(s: State, event: Event): void {
  const { client, sibling } = s;
  if (event.is === 'propose') {
    if (client.offer) s.fault = 'two moves are open';
    client.offer = { id: event.id, n: event.n, acked: false };
  } else if (event.is === 'moved') {
    client.hears.push([client.offer?.n ?? 1, event.id]);
    client.sendsTo = event.id;
    forget(s);
  } else if (event.is === 'abort') {
    if (sibling.unanswered?.id === event.id) sibling.unanswered = null;
    client.offer = null;
    client.half = null;
    if (!event.gone) call(sibling, { is: 'abortAck', id: event.id, n: 0, epoch: s.epoch });
  } else {
    client.sendsTo = client.crossed ?? client.sendsTo;
    forget(s);
    sibling.unanswered = null;
    client.ended = true;
  }
}

/** Nothing is open any more as far as the client is concerned. */
function forget({ client }: State): void {
  client.offer = null;
  client.half = null;
  client.crossed = null;
}

function ask(s: State, is: Call['is'], { id, n }: { id: number; n: number }): void {
  call(s.sibling, { is, id, n, epoch: s.epoch });
}

function proposeHalf(s: State, ahead: number): void {
  const { client } = s;
  if (!client.offer) return;
  client.half = { id: client.offer.id, n: client.sent + ahead, phase: 'asked' };
  ask(s, 'propose', client.half);
}

function decide(s: State, acked: boolean): void {
  const { offer } = s.client;
  if (!offer) return;
  offer.acked = acked;
  ask(s, acked ? 'ack' : 'refuse', offer);
}

function abandon(s: State): void {
  const { half } = s.client;
  if (!half) return;
  half.phase = 'aborting';
  ask(s, 'abort', half);
}

/** What the client can do, which keeps the rule. */
export function clientActs(s: State, bounds: MoveBounds, faults: SiblingFaults): readonly Act[] {
  const { client, sibling } = s;
  const { offer, half } = client;
  const [item] = sibling.down;
  const idle = sibling.bound && sibling.unanswered === null && s.up && !client.ended;
  const held = half?.n === client.sent + 1 && half.phase !== 'acknowledged';
  const answers = idle && offer !== null && !offer.acked;
  const mayPropose = idle && offer !== null && !half && client.crossed === null; // too early is refused
  const sends = s.up && !client.ended && client.sent < bounds.messages && !held;
  return [
    ['client reads a message', s.toClient.length > 0, read],
    ['client sends a message', sends, send],
    [
      `client hears ${item === 'event' ? (sibling.log[0]?.is ?? '') : `the reply to ${item?.reply.to ?? ''}`}`,
      item !== undefined,
      (t) => {
        const { event, reply } = take(t.sibling);
        if (reply) hearReply(t, reply);
        if (event) hearEvent(t, event);
      },
    ],
    ['client acknowledges', answers, (t) => decide(t, true)],
    ['client refuses', answers && !bounds.resolute, (t) => decide(t, false)],
    ['client proposes the next message', mayPropose, (t) => proposeHalf(t, 1)],
    ['client proposes the message after the next', mayPropose && !bounds.resolute, (t) => proposeHalf(t, 2)],
    ['client calls it off', idle && half?.phase === 'acknowledged' && !bounds.resolute, abandon],
    ['client binds', !sibling.bound, (t) => bind(t.sibling, faults)],
    ['client opens another pipe', !s.up && client.ended && sibling.bound, reopen],
    ['the sibling is cut', sibling.bound && sibling.cutsLeft > 0, (t) => cut(t.sibling), true],
  ];
}
