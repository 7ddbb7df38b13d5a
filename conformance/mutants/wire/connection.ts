import type { Socket } from 'node:net';
import type { Alterations, Endpoint } from '../mutant.js';
import type { AddressBook } from './addresses.js';
import { headerOf } from './http-head.js';
import { HttpPhase } from './http-phase.js';
import type { Upgrade } from './http-phase.js';
import { WireLink } from './link.js';
import { relay, writeIfOpen } from './relay.js';
import type { Tracker } from './tracker.js';

/** A connection of a client and the one made for it to the server. */
export interface ConnectionOptions {
  readonly client: Socket;
  readonly server: Socket;
  readonly alterations: Alterations;
  readonly tracker: Tracker;
  readonly addresses: AddressBook;
  readonly endpointOf: (target: string) => Endpoint;
  readonly onLink: (link: WireLink) => void;
  /** A hook of the mutant threw; the connection is then reset. */
  readonly onFault: (error: unknown) => void;
}

/** Relays one connection: HTTP until a 101, WebSocket frames from there on. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #phase: HttpPhase;
  readonly #detachServer: () => void;
  #link: WireLink | undefined;
  #refused = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { client, server } = options;
    this.#phase = new HttpPhase({
      ...options,
      toClient: (bytes) => writeIfOpen(client, bytes),
      toServer: (bytes) => writeIfOpen(server, bytes),
      onUpgrade: (upgrade) => this.#upgrade(upgrade),
      onFault: (error) => this.#fail(error),
    });
    this.#detachServer = relay({
      source: server,
      sink: client,
      onData: (chunk) => this.#guarded(() => this.#fromServer(chunk)),
      onEnd: () => this.#phase.serverEnded(),
    });
    relay({
      source: client,
      sink: server,
      onData: (chunk) => this.#guarded(() => this.#fromClient(chunk)),
      onEnd: () => this.#phase.settled(),
    });
    client.once('close', () => this.#guarded(() => this.#link?.closed()));
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#options.onFault(error);
    this.#options.client.resetAndDestroy();
    this.#options.server.resetAndDestroy();
  }

  #fromClient(chunk: Buffer): void {
    if (this.#link === undefined) this.#phase.fromClient(chunk);
    else this.#link.fromClient(chunk);
  }

  #fromServer(chunk: Buffer): void {
    if (this.#refused) return;
    if (this.#link === undefined) this.#phase.fromServer(chunk);
    else this.#link.fromServer(chunk);
  }

  #upgrade(upgrade: Upgrade): void {
    if (!upgrade.toClient) return this.#refuse();
    if (!upgrade.byServer) this.#dropServer();
    const link = this.#makeLink(upgrade);
    this.#link = link;
    this.#options.onLink(link);
    // The splitters still hold what followed the head in the same chunk; they are inside `push` right now.
    queueMicrotask(() => {
      const { fromClient, fromServer } = this.#phase.takeRests();
      this.#guarded(() => {
        if (fromClient.length > 0) link.fromClient(fromClient);
        if (fromServer.length > 0 && upgrade.byServer) link.fromServer(fromServer);
      });
    });
  }

  #makeLink(upgrade: Upgrade): WireLink {
    const offered = headerOf(upgrade.request.headers, 'sec-websocket-protocol') ?? '';
    const endpoint = upgrade.request.endpoint === 'sibling' ? 'sibling' : 'pipe';
    const session = endpoint === 'pipe' ? this.#options.tracker.sessionOfTicket(offered) : undefined;
    const server = upgrade.byServer ? this.#options.server : undefined;
    return new WireLink({ ...this.#options, endpoint, session, server, dropServer: () => this.#dropServer() });
  }

  #refuse(): void {
    this.#refused = true;
    this.#dropServer();
    this.#options.client.end();
  }

  #dropServer(): void {
    this.#detachServer();
    this.#options.server.destroy();
  }
}
