import { newSibling, quiet, type Sibling, type SiblingFaults } from './sibling.js';

/**
 * A move: both directions of a pipe are switched to another room, and cross together when every message before the
 * client's boundary has been counted. Rooms are numbers: 0 at first, then that of the move. Each flag is one way to get
 * it wrong.
 */
export interface MoveFaults extends SiblingFaults {
  /** What goes to the client crosses when the client has acknowledged it, whatever becomes of the other half. */
  readonly crossesAlone?: boolean;
  /** The client's half is taken before the other one is acknowledged. */
  readonly takesHalfFirst?: boolean;
  /** Goes on in the old room once it has given up. */
  readonly abortUnacknowledged?: boolean;
  /** A move outlives its pipe. */
  readonly survivesPipe?: boolean;
  /** The place in the other room is not given back. */
  readonly keepsPlace?: boolean;
  /** Crosses when the message at the boundary has been counted. */
  readonly waitsForMessage?: boolean;
  /** Calls off what the client may have crossed, because the other room is closed. */
  readonly closesSilently?: boolean;
  /** When the client calls its half off, the other one is dropped without its acknowledgement. */
  readonly dropsOtherHalf?: boolean;
}

export interface MoveBounds {
  /** In each direction. */
  readonly messages: number;
  readonly moves: number;
  readonly cuts: number;
  readonly timeouts: number;
  readonly ends: number;
  readonly closings: number;
  /** The client goes through with what it has begun. */
  readonly resolute?: boolean;
}

export type Event =
  | { is: 'propose'; id: number; n: number }
  | { is: 'moved'; id: number }
  | { is: 'abort'; id: number; gone: boolean }
  | { is: 'ended'; finalN: number };
export type Call = { is: 'ack' | 'refuse' | 'abortAck' | 'propose' | 'abort'; id: number; n: number; epoch: number };
export interface Reply {
  to: Call['is'];
  id: number;
  status: string;
}

export interface Moving {
  id: number;
  n: number;
  phase: 'proposed' | 'acknowledged' | 'aborting';
  /** The client's boundary, once it is agreed on. */
  half: number | null;
}

export interface State {
  epoch: number;
  up: boolean;
  /** Under way in each direction: the number of each message, and the room that it is of. */
  toClient: [n: number, room: number][];
  toServer: [n: number, room: number][];
  server: {
    takesFor: number;
    writesOf: number;
    written: number;
    got: number;
    move: Moving | null;
    place: boolean;
    made: number;
    known: { id: number; half: boolean; status: string }[];
  };
  client: {
    sendsTo: number;
    sent: number;
    got: number;
    hears: [from: number, room: number][];
    offer: { id: number; n: number; acked: boolean } | null;
    half: { id: number; n: number; phase: 'asked' | 'acknowledged' | 'aborting' } | null;
    /** Where it would send if the crossing had never come. */
    crossed: number | null;
    ended: boolean;
  };
  sibling: Sibling<Event, Call, Reply>;
  left: { timeouts: number; ends: number; closings: number };
  fault: string | null;
}

export function start({ cuts, timeouts, ends, closings }: MoveBounds): State {
  return {
    epoch: 1,
    up: true,
    toClient: [],
    toServer: [],
    server: { takesFor: 0, writesOf: 0, written: 0, got: 0, move: null, place: false, made: 0, known: [] },
    client: { sendsTo: 0, sent: 0, got: 0, hears: [[1, 0]], offer: null, half: null, crossed: null, ended: false },
    sibling: newSibling(cuts),
    left: { timeouts, ends, closings },
    fault: null,
  };
}

export function believed({ client }: State, n: number): number {
  if (client.offer?.acked && n >= client.offer.n) return client.offer.id;
  return client.hears.filter(([from]) => from <= n).at(-1)?.[1] ?? -1;
}

export function settled(s: State): boolean {
  const { client, server, sibling } = s;
  const open = server.move ?? client.offer ?? client.half ?? client.crossed;
  return s.up && open === null && s.toClient.length === 0 && s.toServer.length === 0 && quiet(sibling);
}

export function fault(s: State): string | null {
  const { client, server } = s;
  if (s.fault !== null) return s.fault;
  if (server.place && !server.move) return 'a place is kept for nobody';
  if (!settled(s)) return null;
  const rooms = [server.takesFor, server.writesOf, client.sendsTo, believed(s, client.got + 1)];
  return new Set(rooms).size === 1 ? null : `all is settled, and the rooms are ${rooms.join(', ')}`;
}

/** Something that can happen, if it is enabled; `adverse` as in a step. */
export type Act = readonly [label: string, enabled: boolean, run: (s: State) => void, adverse?: true];
