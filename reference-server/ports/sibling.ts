import type { CallParams, CallResults, SessionState } from '../../generated/types.js';
import type { Clock } from './clock.js';
import type { Refusal, Result } from './refusal.js';
import type { SwitchCalls } from './switching.js';

export type Channel = 'command' | 'debug';

/** An event as a channel's log keeps it. */
export interface LoggedEvent {
  readonly seq: number;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** A channel's events in order, as far as they are retained. Reading removes nothing. */
export interface EventLog {
  readonly headSeq: number;
  /** seq of the oldest retained event, or headSeq + 1. */
  readonly oldestSeq: number;
  /** Highest seq that the client acknowledged. */
  readonly ackedSeq: number;
  at(seq: number): LoggedEvent | undefined;
}

/** A sibling socket's side of a binding. */
export interface SiblingOutlet {
  /** The log has grown, or what was in the way of writing is gone. */
  wake(): void;
  /** Sends an event that no log keeps; drops it where the socket is not keeping up (false). */
  sendUnlogged(method: string, params: Readonly<Record<string, unknown>>): boolean;
  /** Another connection took the channel over: says so, last of all, and closes (BIND-11). */
  replaced(generation: number): void;
  /** Closes for a reason of the server's. */
  close(reason: 'draining' | 'session_ended' | 'room_closed'): void;
  /** Ends the connection without a word, as a lost network does. */
  cut(): void;
}

/** The answer to a call: at once, or when what it says is safe on the disk (PERSIST-1). */
export type Answer<M extends keyof CallResults> = Result<CallResults[M]> | Promise<Result<CallResults[M]>>;

/** Calls about rooms (profile `rooms`). */
export interface RoomCalls {
  create(params: CallParams['room.create']): Answer<'room.create'>;
  describe(params: CallParams['room.describe']): Result<CallResults['room.describe']>;
  list(params: CallParams['room.list']): Result<CallResults['room.list']>;
  members(params: CallParams['room.members']): Result<CallResults['room.members']>;
  update(params: CallParams['room.update']): Answer<'room.update'>;
  /** Answers when everything is over but the siblings, which are closed behind the reply. */
  close(params: CallParams['room.close'], reply: (result: Result<CallResults['room.close']>) => void): void;
}

/** What a bound sibling may do; every effect holds when the call has returned (SIB-11). */
export interface Binding {
  readonly sid: string;
  readonly channel: Channel;
  /** By which the connection's time goes from here on. */
  readonly clock: Clock;
  readonly log: EventLog;
  readonly result: CallResults['sibling.bind'];
  /** seq of the last event that the client need not be sent. */
  readonly replayFrom: number;
  readonly switching: SwitchCalls;
  state(): SessionState;
  /** The state with the event number that it is as of (SIB-6). */
  snapshot(): CallResults['pipe.state'];
  ack(seq: number): Result<CallResults['sibling.ack']>;
  stay(ms: number): CallResults['sibling.stay'];
  fence(params: CallParams['fence'], reply: (result: Result<CallResults['fence']>) => void): void;
  ticket(params: CallParams['pipe.ticket']): Result<CallResults['pipe.ticket']>;
  closePipe(params: CallParams['pipe.close'], reply: (result: Result<CallResults['pipe.close']>) => void): void;
  move(params: CallParams['room.move'], reply: (result: Result<CallResults['room.move']>) => void): void;
  command(params: CallParams['agent.command'], reply: (result: Result<CallResults['agent.command']>) => void): void;
  pausePipe(): Result<CallResults['pipe.pause']>;
  resumePipe(): Result<CallResults['pipe.resume']>;
  endStream(params: CallParams['stream.end']): Result<CallResults['stream.end']>;
  subscribe(params: CallParams['subscribe']): CallResults['subscribe'];
  readonly rooms: RoomCalls;
  debugLevel(params: CallParams['debug.level']): CallResults['debug.level'];
  /** Runs `call` at most once per `op` of the session, and gives every repeat the first result (RPC-9). */
  once(op: OpKey, call: Deferred): void;
  /** The socket is gone. */
  release(): void;
}

export interface OpKey {
  readonly op: string;
  readonly method: string;
  readonly reply: (result: object | Refusal) => void;
}

export type Deferred = (reply: (result: object | Refusal) => void) => void;

/** Where siblings come in. */
export interface SiblingDoor {
  bind(params: CallParams['sibling.bind'], nonce: string, outlet: SiblingOutlet): Result<Binding>;
}
