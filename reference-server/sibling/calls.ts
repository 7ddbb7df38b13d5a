import type { CallParams } from '../../generated/types.js';
import { validate } from '../../generated/validate.js';
import { faultPointer } from '../../support/fault.js';
import type { Refusal } from '../ports/refusal.js';
import type { Binding, Channel } from '../ports/sibling.js';

type Reply = (result: object) => void;

interface Method {
  readonly channels: readonly Channel[];
  /** The first fault of the params as a JSON pointer, or null. */
  readonly fault: (params: unknown) => string | null;
  readonly run: (binding: Binding, params: never, reply: Reply) => void;
}

function method<M extends keyof CallParams>(
  name: M,
  channels: readonly Channel[],
  run: (binding: Binding, params: CallParams[M], reply: Reply) => void,
): [string, Method] {
  const check = validate[`calls/${name}.params`];
  const fault = (params: unknown): string | null => (check(params) ? null : faultPointer(check.errors));
  return [name, { channels, fault, run: run }];
}

/** Replies now or later; an Error is a fault of the server's own, for the connection to report. */
function settle(answer: object | Promise<object>, reply: Reply): void {
  if (answer instanceof Promise)
    answer.then(reply, (error: unknown) => reply(new Error('a call failed', { cause: error })));
  else reply(answer);
}

const COMMAND = ['command'] as const;
const BOTH = ['command', 'debug'] as const;

const METHODS: ReadonlyMap<string, Method> = new Map([
  method('sibling.ack', COMMAND, (binding, params, reply) => reply(binding.ack(params.seq))),
  method('sibling.stay', BOTH, (binding, params, reply) => reply(binding.stay(params.ms))),
  method('fence', COMMAND, (binding, params, reply) => binding.fence(params, reply)),
  method('pipe.ticket', COMMAND, (binding, params, reply) => reply(binding.ticket(params))),
  method('pipe.close', COMMAND, (binding, params, reply) => binding.closePipe(params, reply)),
  method('agent.command', COMMAND, (binding, params, reply) => binding.command(params, reply)),
  method('pipe.pause', COMMAND, (binding, _params, reply) => reply(binding.pausePipe())),
  method('pipe.resume', COMMAND, (binding, _params, reply) => reply(binding.resumePipe())),
  method('stream.end', COMMAND, (binding, params, reply) => reply(binding.endStream(params))),
  method('pipe.state', BOTH, (binding, _params, reply) => reply(binding.snapshot())),
  method('switch.propose', COMMAND, (binding, params, reply) => reply(binding.switching.propose(params))),
  method('switch.abort', COMMAND, (binding, params, reply) => reply(binding.switching.abort(params))),
  method('switch.request', COMMAND, (binding, params, reply) => reply(binding.switching.request(params))),
  method('switch.ack', COMMAND, (binding, params, reply) => reply(binding.switching.ack(params))),
  method('switch.refuse', COMMAND, (binding, params, reply) => reply(binding.switching.refuse(params))),
  method('switch.abortAck', COMMAND, (binding, params, reply) => reply(binding.switching.abortAck(params))),
  method('subscribe', COMMAND, (binding, params, reply) => reply(binding.subscribe(params))),
  method('room.create', COMMAND, (binding, params, reply) => settle(binding.rooms.create(params), reply)),
  method('room.describe', COMMAND, (binding, params, reply) => reply(binding.rooms.describe(params))),
  method('room.list', COMMAND, (binding, params, reply) => reply(binding.rooms.list(params))),
  method('room.members', COMMAND, (binding, params, reply) => reply(binding.rooms.members(params))),
  method('room.update', COMMAND, (binding, params, reply) => settle(binding.rooms.update(params), reply)),
  method('room.move', COMMAND, (binding, params, reply) => binding.move(params, reply)),
  method('room.close', COMMAND, (binding, params, reply) => binding.rooms.close(params, reply)),
  method('debug.level', ['debug'], (binding, params, reply) => reply(binding.debugLevel(params))),
]);

const ROOM_CHANGES = ['room.create', 'room.update', 'room.close'];

/** Calls that change something and can be told apart by an `op`; on others it is an unknown member (RPC-8). */
const ONCE: ReadonlySet<string> = new Set([
  'pipe.ticket',
  'pipe.close',
  'agent.command',
  'stream.end',
  'room.move',
  'switch.propose',
  'switch.request',
  'pipe.pause',
  'pipe.resume',
  'subscribe',
  'sibling.stay',
  'debug.level',
  ...ROOM_CHANGES,
]);

/** Calls that may wait for the disk; those behind them wait for their replies (RPC-7). */
export const HOLDING: ReadonlySet<string> = new Set(ROOM_CHANGES);

/** Calls that belong to the time before the bind; afterwards they are refused by name. */
const OPENING: ReadonlySet<string> = new Set(['sibling.bind', 'session.create']);

function refusalOf(found: Method | undefined, name: string, binding: Binding): Refusal | null {
  if (OPENING.has(name)) return { refused: 'already_bound' };
  if (!found) return { refused: 'method_not_found' };
  if (!found.channels.includes(binding.channel)) return { refused: 'forbidden' };
  return null;
}

/** Carries out one call of a bound sibling; every outcome, refusals included, goes to `reply` exactly once. */
export function perform(binding: Binding, call: { method: string; params: unknown }, reply: Reply): void {
  const found = METHODS.get(call.method);
  const refusal = refusalOf(found, call.method, binding);
  if (refusal || !found) {
    reply(refusal ?? { refused: 'method_not_found' });
    return;
  }
  const pointer = found.fault(call.params);
  if (pointer !== null) {
    reply({ refused: 'invalid_params', pointer });
    return;
  }
  const run = (done: Reply): void => found.run(binding, call.params as never, done);
  const { op } = call.params as { op?: string };
  if (op === undefined || !ONCE.has(call.method)) run(reply);
  else binding.once({ op, method: call.method, reply }, run);
}
