import { udpKeys } from '../drivers/udp/codec.js';
import type { UdpKeys } from '../drivers/udp/codec.js';
import { objectAt, parseObject, stringAt } from '../mutants/json.js';
import type { JsonObject } from '../mutants/json.js';
import type { Alterations, World } from '../mutants/mutant.js';
import { withJson } from '../mutants/helpers.js';
import { startProxy } from '../mutants/wire/proxy.js';
import type { NullServer } from './null-server.js';
import type { Manner, Ports } from './ports.js';
import { openPorts } from './ports.js';

/** Transports that a half null server has in name only. */
const NAMES = ['tcp', 'udp', 'ftp'] as const;

/** Has every address of the good server's ports name those of a null server instead. */
class Detour {
  readonly #pairs: readonly (readonly [from: string, to: string])[];

  constructor({ discovery }: World, { hosts }: Ports) {
    const pipes = objectAt(objectAt(discovery, 'endpoints'), 'pipe');
    this.#pairs = NAMES.flatMap((name) => {
      const address = stringAt(pipes, name);
      return address === undefined ? [] : [[`${name}://${new URL(address).host}`, `${name}://${hosts[name]}`] as const];
    });
  }

  of(json: JsonObject): JsonObject {
    const text = JSON.stringify(json);
    const told = this.#pairs.reduce((made, [from, to]) => made.replaceAll(from, to), text);
    return told === text ? json : (parseObject(Buffer.from(told)) ?? json);
  }
}

function keysFrom(world: () => World | undefined): (assoc: string) => UdpKeys | undefined {
  return (assoc) => {
    const session = world()
      ?.sessions()
      .find(({ grant }) => grant['udpAssoc'] === assoc);
    const [secret, ticket] = ['siblingSecret', 'pipeTicket'].map((key) => stringAt(session?.grant, key));
    return secret === undefined || ticket === undefined ? undefined : udpKeys(secret, ticket);
  };
}

function alterations(world: World, ports: Ports): Alterations {
  const detour = new Detour(world, ports);
  return {
    onHttpResponse: (response) => (response.json ? withJson(response, detour.of(response.json)) : response),
    onSiblingToClient: (json) => [detour.of(json)],
  };
}

/**
 * A good server as far as HTTP and WebSocket go, whose ports for everything else do nothing useful. What a case is about
 * that comes by one of these must not pass, however much is well beside it.
 */
const half = (manner: Manner, what: string): NullServer => ({
  name: `${manner}-ports`,
  what: `Is good over HTTP and WebSocket; its ports for TCP, UDP and FTP ${what}.`,
  half: true,
  start: async ({ good }) => {
    if (good === undefined) throw new Error(`${manner}-ports needs a good server`);
    let known: World | undefined;
    const ports = await openPorts({ manner, keysOf: keysFrom(() => known) });
    const alter = (world: World): Alterations => alterations((known = world), ports);
    const proxy = await startProxy(good, { alter });
    return { url: proxy.url, stop: () => Promise.all([proxy.stop(), ports.stop()]).then(() => undefined) };
  },
});

/** The servers that are null over some transports only. */
export const halfNulls: readonly NullServer[] = [
  half('dead', 'end every connection'),
  half('silent', 'take everything and never answer'),
  half('constant', 'say one thing to everybody'),
  half('echo', 'send back every byte and every datagram'),
  half('refuse', 'refuse everybody'),
  half('accept', 'open every pipe and swallow what it is sent'),
  half('repeat', 'open every pipe and send messages back to their sender'),
];
