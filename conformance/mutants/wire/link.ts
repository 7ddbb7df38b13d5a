import type { Socket } from 'node:net';
import { OPCODE } from '../../drivers/websocket/frame.js';
import type { JsonObject } from '../json.js';
import { objectAt, parseObject, stringAt } from '../json.js';
import type { Alterations, Call, Link, Message, WireFrame } from '../mutant.js';
import { Direction, messageFrame } from './direction.js';
import { frameBytes } from './frame-splitter.js';
import { writeIfOpen } from './relay.js';
import type { TrackedSession, Tracker } from './tracker.js';

/** What a link is made of; without `server` nobody but the mutant answers the client. */
export interface LinkOptions {
  readonly endpoint: Link['endpoint'];
  readonly client: Socket;
  readonly server: Socket | undefined;
  readonly alterations: Alterations;
  readonly tracker: Tracker;
  readonly session: TrackedSession | undefined;
  /** Ends the server's side without the client noticing. */
  readonly dropServer: () => void;
}

type JsonHook = (json: JsonObject, link: Link) => readonly JsonObject[];
type FrameHook = (frame: WireFrame, link: Link) => readonly WireFrame[];

/** A WebSocket connection through the proxy, after its 101. */
export class WireLink implements Link {
  readonly endpoint: Link['endpoint'];
  readonly received = { toClient: 0, toServer: 0 };
  channel: Link['channel'];
  open = true;
  #session: TrackedSession | undefined;
  readonly #options: LinkOptions;
  readonly #calls = new Map<string, Call>();
  readonly #down: Direction;
  readonly #up: Direction;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.endpoint = options.endpoint;
    this.#session = options.session;
    const { alterations, client, server } = options;
    const pipe = options.endpoint === 'pipe';
    this.#down = new Direction({
      masked: false,
      write: (bytes) => writeIfOpen(client, bytes),
      watch: (message) => this.#watchServer(message),
      onFrame: this.#frameHook(alterations.onFrameToClient),
      onMessage: pipe ? this.#pipeHook(alterations.onPipeToClient) : this.#jsonHook(alterations.onSiblingToClient),
    });
    this.#up = new Direction({
      masked: true,
      write: (bytes) => writeIfOpen(server, bytes),
      watch: (message) => this.#watchClient(message),
      onFrame: this.#frameHook(alterations.onFrameToServer),
      onMessage: pipe ? this.#pipeHook(alterations.onPipeToServer) : this.#jsonHook(alterations.onSiblingToServer),
    });
    if (pipe && this.#session !== undefined) this.#session.pipe = this;
  }

  get session(): TrackedSession | undefined {
    return this.#session;
  }

  readonly callFor = (json: JsonObject): Call | undefined => this.#calls.get(JSON.stringify(json['id']));

  readonly toClient = (message: Message | JsonObject): void => {
    this.#down.inject(messageFrame(asMessage(message), false));
  };

  readonly toServer = (message: Message | JsonObject): void => {
    this.#up.inject(messageFrame(asMessage(message), true));
  };

  readonly closeClient = (code: number): void => {
    const payload = Buffer.from([code >> 8, code & 0xff]);
    this.#down.inject(frameBytes({ fin: true, rsv: 0, opcode: OPCODE.close, masked: false, payload }));
    this.#options.dropServer();
    this.#options.client.end();
  };

  readonly cut = (): void => {
    this.#options.client.resetAndDestroy();
    this.#options.server?.resetAndDestroy();
  };

  /** Bytes from the server. */
  fromServer(chunk: Buffer): void {
    this.#down.push(chunk);
  }

  /** Bytes from the client. */
  fromClient(chunk: Buffer): void {
    this.#up.push(chunk);
  }

  /** The client's side is gone. */
  closed(): void {
    this.open = false;
    this.#options.alterations.onLinkClosed?.(this);
  }

  #frameHook(hook: FrameHook | undefined): ((frame: WireFrame) => readonly WireFrame[]) | undefined {
    return hook === undefined ? undefined : (frame) => hook(frame, this);
  }

  #pipeHook(hook: Alterations['onPipeToClient']): ((message: Message) => readonly Message[]) | undefined {
    return hook === undefined ? undefined : (message) => hook(message, this);
  }

  #jsonHook(hook: JsonHook | undefined): ((message: Message) => readonly Message[]) | undefined {
    if (hook === undefined) return undefined;
    return (message) => {
      const json = message.kind === 'text' ? parseObject(message.payload) : undefined;
      if (json === undefined) return [message];
      return hook(json, this).map((out) => (out === json ? message : asMessage(out)));
    };
  }

  #watchClient(message: Message): void {
    this.received.toServer += 1;
    const json = this.endpoint === 'sibling' ? parseObject(message.payload) : undefined;
    const method = stringAt(json, 'method');
    if (json === undefined || method === undefined) return;
    const id = json['id'];
    this.#calls.set(JSON.stringify(id), { id, method, params: objectAt(json, 'params') });
  }

  #watchServer(message: Message): void {
    this.received.toClient += 1;
    const json = this.endpoint === 'sibling' ? parseObject(message.payload) : undefined;
    const call = json === undefined || 'method' in json ? undefined : this.callFor(json);
    if (json === undefined || call === undefined) return;
    const bound = this.#options.tracker.reply(call, json, this.#session);
    if (bound !== undefined) this.#bind(bound, stringAt(call.params, 'channel'));
  }

  #bind(session: TrackedSession, channel: string | undefined): void {
    if (channel !== 'command' && channel !== 'debug') return;
    this.#session = session;
    this.channel = channel;
    session[channel] = this;
  }
}

function asMessage(message: Message | JsonObject): Message {
  if (isMessage(message)) return message;
  return { kind: 'text', payload: Buffer.from(JSON.stringify(message), 'utf8') };
}

function isMessage(message: Message | JsonObject): message is Message {
  return Buffer.isBuffer(message['payload']);
}
