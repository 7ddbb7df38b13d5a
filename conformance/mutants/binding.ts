import { bindMac } from '../drivers/bind.js';
import { OPCODE } from '../drivers/websocket/frame.js';
import { fresh, isCall, perLink, reply, stateless, stringAt, withAt, withParams, withResult } from './helpers.js';
import { objectAt } from './json.js';
import type { JsonObject } from './json.js';
import { onCall, onError, onEvent, onResult } from './makers.js';
import type { Alterations, Link, WireMutant, World } from './mutant.js';

/** What a bind's mac is made over, beside the secret. */
interface Proof {
  readonly channel: string;
  readonly nonce: string;
}

function macOf(world: World, params: JsonObject, { channel, nonce }: Proof): string | undefined {
  const sid = stringAt(params, 'sid') ?? '';
  const grant = world.sessions().find((session) => session.sid === sid)?.grant;
  const secret = stringAt(grant, 'siblingSecret');
  if (secret === undefined) return undefined;
  return bindMac({ siblingSecret: secret, sid, channel, nonce, cnonce: stringAt(params, 'cnonce') ?? '' });
}

const nonces = (): {
  readonly of: (link: Link) => { nonce: string };
  readonly note: (json: JsonObject, link: Link) => void;
} => {
  const of = perLink(() => ({ nonce: '' }));
  const note = (json: JsonObject, link: Link): void => {
    if (isCall(json, 'sibling.hello')) of(link).nonce = stringAt(json['params'], 'nonce') ?? '';
  };
  return { of, note };
};

/** Looks at every bind with the nonce of its socket; `mend` answers with the call to send on. */
function mendingBinds(mend: (call: JsonObject, nonce: string) => JsonObject): Alterations {
  const { of, note } = nonces();
  return {
    onSiblingToClient: (json, link) => {
      note(json, link);
      return [json];
    },
    onSiblingToServer: (json, link) => [isCall(json, 'sibling.bind') ? mend(json, of(link).nonce) : json],
  };
}

function refusedBind(call: JsonObject): JsonObject {
  const error = { code: 1014, message: 'The bind was refused.', data: { name: 'bind_refused' } };
  return { jsonrpc: '2.0', id: call['id'] ?? null, error };
}

const hello: readonly WireMutant[] = [
  stateless({
    name: 'speaks-before-the-hello',
    breaks: ['BIND-1'],
    also: ['SIB-2'],
    what: 'Sends another event before the hello.',
    alter: onEvent('sibling.hello', (json) => [{ jsonrpc: '2.0', method: 'server.motd', params: {} }, json]),
  }),
  {
    name: 'reuses-the-nonce',
    breaks: ['BIND-2'],
    also: [],
    what: 'Sends one nonce to every connection, and takes macs made over it.',
    alter: (world) => {
      const real = perLink(() => ({ nonce: '' }));
      const shared = fresh(16);
      return {
        onSiblingToClient: (json, link) => {
          if (!isCall(json, 'sibling.hello')) return [json];
          real(link).nonce = stringAt(json['params'], 'nonce') ?? '';
          return [withParams(json, { nonce: shared })];
        },
        onSiblingToServer: (json, link) => {
          const params = objectAt(json, 'params');
          const channel = stringAt(params, 'channel') ?? '';
          const right = stringAt(params, 'mac') === macOf(world, params, { channel, nonce: shared });
          if (!isCall(json, 'sibling.bind') || !right) return [json];
          return [withParams(json, { mac: macOf(world, params, { channel, nonce: real(link).nonce }) })];
        },
      };
    },
  },
];

const refusals: readonly WireMutant[] = [
  {
    name: 'tells-unknown-sessions-from-bad-macs',
    breaks: ['BIND-4'],
    also: [],
    what: 'Says in another message that the session does not exist.',
    alter: (world) =>
      onError('bind_refused', (json, link) => {
        const sid = stringAt(link.callFor(json)?.params, 'sid');
        const known = world.sessions().some((session) => session.sid === sid);
        return [known ? json : withAt(json, ['error'], { message: 'No such session.' })];
      }),
  },
  stateless({
    name: 'stays-open-after-a-refused-bind',
    breaks: ['BIND-5'],
    also: ['BIND-10', 'TICKET-3'],
    what: 'Does not close a sibling whose bind was refused.',
    alter: {
      onFrameToClient: (frame) => {
        const refused =
          frame.opcode === OPCODE.close && frame.payload.length >= 2 && frame.payload.readUInt16BE(0) === 4501;
        return refused ? [] : [frame];
      },
    },
  }),
  {
    name: 'allows-a-second-try',
    breaks: ['BIND-5'],
    also: ['TICKET-3', 'RPC-4'],
    what: 'Refuses a bind with a wrong mac and takes the right one that follows.',
    alter: (world) => {
      const { of, note } = nonces();
      return {
        onSiblingToClient: (json, link) => {
          note(json, link);
          return [json];
        },
        onSiblingToServer: (json, link) => {
          const params = objectAt(json, 'params');
          const mac = macOf(world, params, { channel: stringAt(params, 'channel') ?? '', nonce: of(link).nonce });
          if (!isCall(json, 'sibling.bind') || mac === undefined || mac === stringAt(params, 'mac')) return [json];
          if (link.channel !== undefined) return [json];
          link.toClient(refusedBind(json));
          return [];
        },
      };
    },
  },
  {
    name: 'binds-on-any-mac',
    breaks: ['BIND-4'],
    also: ['BIND-5', 'BIND-9', 'RPC-4', 'TICKET-3'],
    what: 'Does not look at the mac.',
    alter: (world) =>
      mendingBinds((call, nonce) => {
        const params = objectAt(call, 'params');
        const mac = macOf(world, params, { channel: stringAt(params, 'channel') ?? '', nonce });
        return mac === undefined ? call : withParams(call, { mac });
      }),
  },
  {
    name: 'takes-a-mac-of-the-other-channel',
    breaks: ['BIND-9'],
    also: ['BIND-4'],
    what: 'Takes a mac made over the other channel.',
    alter: (world) =>
      mendingBinds((call, nonce) => {
        const params = objectAt(call, 'params');
        const channel = stringAt(params, 'channel') ?? '';
        const other = channel === 'command' ? 'debug' : 'command';
        const swapped = macOf(world, params, { channel: other, nonce }) === stringAt(params, 'mac');
        return swapped ? withParams(call, { mac: macOf(world, params, { channel, nonce }) }) : call;
      }),
  },
];

const order: readonly WireMutant[] = [
  stateless({
    name: 'takes-a-pipe-that-never-was-for-an-ended-one',
    breaks: ['BIND-3'],
    also: ['BIND-13', 'SIB-3', 'SIB-6'],
    what: 'The state in the answer to a bind says of a session that never had a pipe that it has ended.',
    alter: onResult('sibling.bind', (json) => {
      const { status } = objectAt(objectAt(objectAt(json, 'result'), 'state'), 'pipe');
      return [status === 'none' ? withAt(json, ['result', 'state', 'pipe'], { status: 'ended' }) : json];
    }),
  }),
  stateless({
    name: 'does-not-know-calls-before-the-bind',
    breaks: ['BIND-6'],
    also: [],
    what: 'Answers a call before the bind with method_not_found.',
    alter: onError('not_bound', (json) => [
      withAt(json, ['error'], { code: -32601, data: { name: 'method_not_found' } }),
    ]),
  }),
  stateless({
    name: 'hangs-up-on-calls-before-the-bind',
    breaks: ['BIND-6'],
    also: [],
    what: 'Closes a sibling that calls before it is bound.',
    alter: onError('not_bound', (json, link) => {
      link.toClient(json);
      link.closeClient(4501);
      return [];
    }),
  }),
  stateless({
    name: 'binds-a-bound-sibling-again',
    breaks: ['BIND-8'],
    also: ['FRAME-1'],
    what: 'Answers a second bind of a bound sibling with success.',
    alter: onError('already_bound', (json) => [
      reply(json, { channel: 'command', generation: 2, eventEpoch: 'x', headSeq: 0, oldestSeq: 1, gap: null }),
    ]),
  }),
  stateless({
    name: 'hangs-up-on-a-second-bind',
    breaks: ['BIND-8'],
    also: [],
    what: 'Closes a bound sibling that binds again.',
    alter: onError('already_bound', (json, link) => {
      link.toClient(json);
      link.closeClient(4501);
      return [];
    }),
  }),
  stateless({
    name: 'calls-a-forbidden-debug-bind-refused',
    breaks: ['BIND-10'],
    also: [],
    what: 'Answers a debug bind without the scope with bind_refused.',
    alter: onError('forbidden', (json) => [refusedBind(json)], 'sibling.bind'),
  }),
  stateless({
    name: 'replaces-in-silence',
    breaks: ['BIND-11'],
    also: [],
    what: 'Closes the old sibling of a takeover without sibling.replaced.',
    alter: onEvent('sibling.replaced', () => []),
  }),
  stateless({
    name: 'replaces-with-an-old-generation',
    breaks: ['BIND-11'],
    also: ['FRAME-1'],
    what: 'sibling.replaced names the generation that was replaced.',
    alter: onEvent('sibling.replaced', (json) => {
      const generation = objectAt(json, 'params')['generation'];
      return [typeof generation === 'number' ? withParams(json, { generation: generation - 1 }) : json];
    }),
  }),
  {
    name: 'lets-one-hello-create-twice',
    breaks: ['OPEN-19'],
    also: [],
    what: 'Grants a second session.create on one connection.',
    alter: () => {
      const first = perLink<{ result: JsonObject | undefined }>(() => ({ result: undefined }));
      return {
        onSiblingToClient: (json, link) => {
          if (link.callFor(json)?.method !== 'session.create') return [json];
          const known = first(link);
          if (json['result'] !== undefined) known.result ??= objectAt(json, 'result');
          return [json['error'] !== undefined && known.result !== undefined ? reply(json, known.result) : json];
        },
      };
    },
  },
  stateless({
    name: 'creates-without-a-secret',
    breaks: ['OPEN-18'],
    also: ['FRAME-1', 'OPEN-19'],
    what: 'The answer to session.create lacks the secret.',
    alter: onResult('session.create', (json) => [withResult(json, { siblingSecret: undefined })]),
  }),
  stateless({
    name: 'looks-for-another-room-on-session-create',
    breaks: ['OPEN-18'],
    also: ['OPEN-19'],
    what: 'Ignores the room asked for by session.create and looks for another.',
    alter: onCall('session.create', (json) => [withParams(json, { room: 'no-such-room-here' })]),
  }),
];

/** Faults in hello, bind and takeover. */
export const bindingMutants: readonly WireMutant[] = [...hello, ...refusals, ...order];
