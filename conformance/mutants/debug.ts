import { isCall, numberAt, objectAt, perLink, reply, stateless, stringAt, withParams, withResult } from './helpers.js';
import type { JsonObject } from './json.js';
import { onError, onEvent, onResult } from './makers.js';
import type { Link, WireMutant } from './mutant.js';

const log = (link: Link, seq: number, line: string): JsonObject => ({
  jsonrpc: '2.0',
  method: 'debug.log',
  params: { seq, sid: link.session?.sid ?? '', level: 'info', text: line },
});

/** Faults in the debug channel. */
export const debugMutants: readonly WireMutant[] = [
  stateless({
    name: 'logs-nothing',
    breaks: ['DBG-1'],
    also: ['BIND-11', 'DBG-2', 'DBG-4', 'DBG-5'],
    what: 'Sends no events on the debug channel.',
    alter: { onSiblingToClient: (json, link) => (link.channel === 'debug' && isCall(json) ? [] : [json]) },
  }),
  stateless({
    name: 'logs-the-ticket',
    breaks: ['DBG-2'],
    also: [],
    what: 'A debug line holds the pipe ticket.',
    alter: onEvent('debug.log', (json, link) => {
      const ticket = stringAt(link.session?.grant, 'pipeTicket') ?? '';
      return [withParams(json, { text: `opened with ${ticket}` })];
    }),
  }),
  {
    name: 'logs-payloads',
    breaks: ['DBG-2'],
    also: [],
    what: 'debug.envelope holds the payload.',
    alter: () => {
      const last = perLink(() => ({ text: '' }));
      return {
        onPipeToServer: (message, link) => {
          if (link.session !== undefined) last(link.session).text = message.payload.toString('utf8');
          return [message];
        },
        ...onEvent('debug.envelope', (json, link) => [
          link.session === undefined ? json : withParams(json, { preview: last(link.session).text }),
        ]),
      };
    },
  },
  stateless({
    name: 'answers-with-another-level',
    breaks: ['DBG-4'],
    also: ['DBG-7'],
    what: 'debug.level always answers info.',
    alter: onResult('debug.level', (json) => [withResult(json, { level: 'info' })]),
  }),
  {
    name: 'logs-though-switched-off',
    breaks: ['DBG-4'],
    also: [],
    what: 'Sends a debug line after level off.',
    alter: () => {
      const of = perLink(() => ({ seq: 0 }));
      return {
        onSiblingToClient: (json, link) => {
          const seq = numberAt(objectAt(json, 'params'), 'seq');
          if (link.channel === 'debug' && seq !== undefined) of(link).seq = seq;
          const off = stringAt(objectAt(json, 'result'), 'level') === 'off';
          return off ? [json, log(link, of(link).seq + 1, 'still here')] : [json];
        },
      };
    },
  },
  {
    name: 'debugs-other-sessions',
    breaks: ['DBG-5'],
    also: [],
    what: 'Sends debug events to the debug channels of other members too.',
    alter: (world) =>
      onEvent('debug.envelope', (json, link) => {
        const others = world.sessions().filter(({ room, debug }) => room === link.session?.room && debug !== link);
        for (const { debug } of others) if (debug?.open === true) debug.toClient(json);
        return [json];
      }),
  },
  stateless({
    name: 'takes-commands-on-debug',
    breaks: ['DBG-6'],
    also: ['FRAME-1'],
    what: 'Answers a command on the debug channel with success.',
    alter: {
      onSiblingToClient: (json, link) =>
        link.channel === 'debug' && json['error'] !== undefined && link.callFor(json)?.method !== 'sibling.bind'
          ? [reply(json, {})]
          : [json],
    },
  }),
  stateless({
    name: 'ends-the-pipe-with-its-debug-channel',
    breaks: ['DBG-3'],
    also: ['SIB-10', 'SESS-2'],
    what: 'Ends the pipe when the debug channel goes away.',
    alter: {
      onLinkClosed: (link) => {
        if (link.channel === 'debug' && link.session?.debug === link) link.session.pipe?.cut();
      },
    },
  }),
  stateless({
    name: 'says-on-the-command-channel-what-debug-is-told',
    breaks: ['DBG-3'],
    also: ['SIB-1', 'SIB-9', 'FENCE-2'],
    what: 'Sends debug events on the command channel as well.',
    alter: onEvent('debug.envelope', (json, link) => {
      link.session?.command?.toClient(json);
      return [json];
    }),
  }),
  stateless({
    name: 'takes-debug-level-on-command',
    breaks: ['DBG-7'],
    also: [],
    what: 'Answers debug.level on the command channel with success.',
    alter: onError('forbidden', (json) => [reply(json, { level: 'info' })], 'debug.level'),
  }),
];
