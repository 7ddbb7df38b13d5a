import type { CallParams, CallResults, SessionState } from '../../generated/types.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { Refusal, Result } from '../ports/refusal.js';
import type { Binding, Channel, Deferred, EventLog, OpKey, RoomCalls } from '../ports/sibling.js';
import { refusedCommand, sendCommand } from './commands.js';
import { endStream } from './endings.js';
import type { SwitchCalls } from '../ports/switching.js';
import { fence, whenRouted } from './fence.js';
import type { Moving } from './moves.js';
import type { Session } from './session.js';
import { type Endpoints, framingOf, pipeEndpoint } from './grants.js';
import { switchCalls } from './switches.js';
import type { Tickets } from './tickets.js';
import { SETTLED } from './waiting.js';

interface BindingParts {
  readonly session: Session;
  readonly channel: Channel;
  readonly log: EventLog;
  readonly tickets: Tickets;
  readonly endpoints: Endpoints;
  readonly rooms: RoomCalls;
  readonly moving: Moving;
  readonly generation: number;
  readonly result: CallResults['sibling.bind'];
  readonly replayFrom: number;
}

/** A sibling's powers over its session, from the bind until another socket takes the channel over. */
export class SessionBinding implements Binding {
  readonly sid: string;
  readonly channel: Channel;
  readonly log: EventLog;
  readonly result: CallResults['sibling.bind'];
  readonly replayFrom: number;
  readonly rooms: RoomCalls;
  readonly #session: Session;
  readonly #tickets: Tickets;
  readonly #endpoints: Endpoints;
  readonly #moving: Moving;
  readonly #generation: number;
  readonly #waits = new Set<Cancel>();

  constructor(parts: BindingParts) {
    this.#session = parts.session;
    this.#tickets = parts.tickets;
    this.#endpoints = parts.endpoints;
    this.#moving = parts.moving;
    this.#generation = parts.generation;
    this.sid = parts.session.sid;
    this.channel = parts.channel;
    this.log = parts.log;
    this.rooms = parts.rooms;
    this.result = parts.result;
    this.replayFrom = parts.replayFrom;
  }

  get switching(): SwitchCalls {
    return switchCalls(this.#session);
  }

  get clock(): Clock {
    return this.#session.context.clock;
  }

  state(): SessionState {
    return this.#session.state();
  }

  snapshot(): CallResults['pipe.state'] {
    return { headSeq: this.#session.headSeq(this.channel), state: this.state() };
  }

  ack(seq: number): Result<CallResults['sibling.ack']> {
    const { log } = this.#session;
    if (!log.ack(seq)) return { refused: 'invalid_params', pointer: '/seq' };
    return { oldestSeq: log.oldestSeq };
  }

  stay(ms: number): CallResults['sibling.stay'] {
    const granted = Math.min(ms, this.#session.limits.maxStayMs);
    this.#session.linger.stay(granted);
    return { ms: granted };
  }

  fence(params: CallParams['fence'], reply: (result: Result<CallResults['fence']>) => void): void {
    this.#whileBound((settled) =>
      fence(this.#session, params, (result) => {
        settled();
        reply(result);
      }),
    );
  }

  /** Starts to wait for something that this connection alone is interested in. */
  #whileBound(start: (settled: () => void) => Cancel): void {
    let cancel: Cancel = SETTLED;
    cancel = start(() => this.#waits.delete(cancel));
    this.#waits.add(cancel);
  }

  ticket(params: CallParams['pipe.ticket']): Result<CallResults['pipe.ticket']> {
    const session = this.#session;
    if (!this.#tickets.offers(params.transport)) return { refused: 'transport_unsupported', pointer: '/transport' };
    const framing = framingOf(session.room.terms, params, this.#endpoints.framings);
    if (framing !== undefined && typeof framing !== 'string') return framing;
    if (this.#tickets.closed) return { refused: 'draining' };
    if (session.pipe?.open) {
      if (!params.replace) return { refused: 'pipe_exists' };
      session.pipe.close('replaced'); // PIPE-5
    }
    const issued = this.#tickets.issue(session, params.transport, framing);
    return {
      ...issued,
      ...(framing && { framing }),
      endpoints: { pipe: pipeEndpoint(this.#endpoints, params.transport, session.room) },
      epoch: session.nextEpoch,
      expiresInMs: session.limits.ticketMs,
    };
  }

  closePipe(params: CallParams['pipe.close'], reply: (result: Result<CallResults['pipe.close']>) => void): void {
    const session = this.#session;
    const { pipe } = session;
    if (!pipe?.open) {
      reply({ refused: 'no_pipe' });
      return;
    }
    const settle = (refusal?: Refusal): void => {
      if (refusal) {
        reply(refusal);
        return;
      }
      pipe.close('closed_by_session');
      reply({ at: pipe.at('c2s', pipe.c2s.received) });
    };
    this.#afterMessages(params, settle);
  }

  command(params: CallParams['agent.command'], reply: (result: Result<CallResults['agent.command']>) => void): void {
    const refusal = refusedCommand(this.#session, params);
    if (refusal) reply(refusal);
    else this.#afterMessages(params, (late) => reply(late ?? sendCommand(this.#session, params)));
  }

  move(params: CallParams['room.move'], reply: (result: Result<CallResults['room.move']>) => void): void {
    this.#afterMessages(params, (late) => reply(late ?? this.#moving.move(params.room)));
  }

  /** Waits for the place that a call names; whoever gave an `op` may ask for the outcome on another connection (RPC-9). */
  #afterMessages(
    call: { after?: CallParams['pipe.close']['after']; op?: string },
    settle: (refusal?: Refusal) => void,
  ): void {
    const session = this.#session;
    const wait = (done: (refusal?: Refusal) => void): Cancel =>
      whenRouted(session, { after: call.after, ms: session.limits.fenceMs, settle: done });
    if (call.op !== undefined) wait(settle);
    else
      this.#whileBound((settled) =>
        wait((refusal) => {
          settled();
          settle(refusal);
        }),
      );
  }

  pausePipe(): Result<CallResults['pipe.pause']> {
    const { pipe, limits, room } = this.#session;
    if (!pipe?.open) return { refused: 'no_pipe' };
    room.flush(); // what came before the call is not held back by it
    pipe.s2c.pause.start(limits.pauseMaxMs);
    return { at: pipe.at('s2c', pipe.s2c.out.n) };
  }

  resumePipe(): Result<CallResults['pipe.resume']> {
    const { pipe } = this.#session;
    if (!pipe?.open) return { refused: 'no_pipe' };
    const at = pipe.at('s2c', pipe.s2c.out.n);
    pipe.s2c.pause.resume();
    return { at };
  }

  endStream(params: CallParams['stream.end']): Result<CallResults['stream.end']> {
    return endStream(this.#session, params);
  }

  subscribe(params: CallParams['subscribe']): CallResults['subscribe'] {
    return { events: this.#session.observers.subscribe(params.events) };
  }

  debugLevel(params: CallParams['debug.level']): CallResults['debug.level'] {
    this.#session.trace.level = params.level;
    return { level: params.level };
  }

  once(op: OpKey, call: Deferred): void {
    this.#session.operations.once(op, call);
  }

  release(): void {
    for (const cancel of this.#waits) cancel();
    this.#waits.clear();
    this.#session.bindings.release(this.channel, this.#generation);
    this.#session.linger.review();
  }
}
