import { createHmac } from 'node:crypto';
import { errors } from '../../generated/errors.js';
import type { EndCause, Grant } from '../../generated/types.js';
import type { Batch, Message } from '../ports/message.js';
import type { Backlog, PipeSink, Unit } from '../ports/pipe.js';
import { type ConnectionWire, SiblingConnection, type SiblingServices } from '../sibling/connection.js';

/** Whoever waits for something that is looked for whenever it may have come. */
class Waiting {
  #waits: { readonly come: () => boolean; readonly resolve: () => void }[] = [];

  until(come: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waits.push({ come, resolve });
      this.check();
    });
  }

  check(): void {
    const come = this.#waits.filter((wait) => wait.come());
    this.#waits = this.#waits.filter((wait) => !come.includes(wait));
    for (const { resolve } of come) resolve();
  }
}

/** A transport that keeps what it is given; a test says whether it takes it at once. */
export class MemorySink implements PipeSink {
  readonly transport = 'websocket';
  /** What it counts. */
  readonly unit: Unit;
  readonly batches: Batch[] = [];
  writable = true;
  closedWith: EndCause | null = null;
  /** Whether the client is read from. */
  listening = true;
  /** While it stalls, batches wait. */
  stalled = false;
  /** What a source attached to it does once it is ready again. */
  drained: () => void = () => undefined;
  #taken = 0;
  readonly #waiting = new Waiting();

  constructor(unit: Unit = 'msg') {
    this.unit = unit;
  }

  get ready(): boolean {
    return this.#taken === this.batches.length;
  }

  reading(on: boolean): void {
    this.listening = on;
  }

  deliver(batch: Batch): void {
    this.batches.push(batch);
    if (!this.stalled) this.#taken = this.batches.length;
    this.#waiting.check();
  }

  /** Settles when so many messages have arrived. */
  async arrived(count: number): Promise<readonly Message[]> {
    const messages = (): readonly Message[] => this.batches.flatMap((batch) => batch.messages);
    await this.#waiting.until(() => messages().length >= count);
    return messages();
  }

  backlog(): Backlog {
    const waiting = this.batches.slice(this.#taken);
    return {
      messages: waiting.reduce((sum, { messages }) => sum + messages.length, 0),
      bytes: waiting.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  close(cause: EndCause): void {
    this.closedWith = cause;
    this.writable = false;
  }

  resume(): void {
    this.stalled = false;
    this.#taken = this.batches.length;
    this.drained();
  }

  /** Everything received, as text behind its kind. */
  get texts(): string[] {
    return this.batches.flatMap(({ messages }) => messages.map(({ kind, payload }) => `${kind} ${payload.toString()}`));
  }
}

export interface Json {
  readonly [member: string]: unknown;
}

/** A message of the server's, as far as the tests look into it. */
export interface FromServer extends Json {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: Json;
  readonly result?: Json;
  readonly error?: { readonly code: number; readonly message: string; readonly data: Json };
}

/** The proof of a bind, computed here in the words of the specification. */
export function macOf(
  grant: Pick<Grant, 'sid' | 'siblingSecret'>,
  bind: { channel: string; nonce: string; cnonce: string },
): string {
  const text = `porthouse-bind-v1\n${grant.sid}\n${bind.channel}\n${bind.nonce}\n${bind.cnonce}`;
  return createHmac('sha256', Buffer.from(grant.siblingSecret, 'base64url')).update(text).digest('base64url');
}

/** The real sibling connection over a wire in memory; a test says how much waits in it. */
export class MemorySibling implements ConnectionWire {
  readonly sent: FromServer[] = [];
  readonly connection: SiblingConnection;
  /** Pretends that so many bytes wait; what is sent meanwhile is added. */
  queued = 0;
  stalled = false;
  closedWith: string | null = null;
  open = true;
  #calls = 0;
  #seen = 0;
  readonly #waiting = new Waiting();

  constructor(services: SiblingServices) {
    this.connection = new SiblingConnection(services, this);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as FromServer);
    if (this.stalled) this.queued += Buffer.byteLength(text);
    this.#waiting.check();
  }

  /** The n-th event of that name, as soon as it comes. */
  async event(method: string, n = 1): Promise<FromServer> {
    const found = (): FromServer | undefined => this.sent.filter((message) => message.method === method)[n - 1];
    await this.#waiting.until(() => found() !== undefined);
    return found() ?? {};
  }

  close(reason: Parameters<ConnectionWire['close']>[0]): void {
    this.closedWith ??= `${String(errors[reason].wsClose)} ${reason}`;
  }

  refuse(name: Parameters<ConnectionWire['refuse']>[0]): void {
    this.closedWith ??= `${String(errors[name].wsClose)} ${name}`;
  }

  reading(on: boolean): void {
    this.open = on;
  }

  /** The client reads again. */
  resume(): void {
    this.stalled = false;
    this.queued = 0;
    this.connection.drained();
  }

  /** The connection is gone. */
  cut(): void {
    this.connection.ended();
  }

  /** Calls and returns the reply, if it came at once. */
  call(method: string, params: object = {}): FromServer | undefined {
    const id = ++this.#calls;
    this.connection.receive(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    return this.replyTo(id);
  }

  replyTo(id: unknown): FromServer | undefined {
    return this.sent.find((message) => message.id === id);
  }

  /** The last call's id. */
  get lastId(): number {
    return this.#calls;
  }

  /** The name of the error that a call is refused with. */
  refusal(method: string, params: object = {}): unknown {
    return this.call(method, params)?.error?.data.name;
  }

  bind(
    grant: Grant,
    options: { channel?: string; eventEpoch?: string; lastSeq?: number } = {},
  ): FromServer | undefined {
    const { channel = 'command', ...rest } = options;
    const nonce = String(this.sent[0]?.params?.nonce);
    const cnonce = 'Y2xpZW50LW5vbmNlLTE2Yg';
    return this.call('sibling.bind', {
      sid: grant.sid,
      channel,
      cnonce,
      mac: macOf(grant, { channel, nonce, cnonce }),
      ...rest,
    });
  }

  /** Events since the last look, by name; with `replayed` behind those that are replays. */
  events(): FromServer[] {
    const fresh = this.sent.slice(this.#seen).filter(({ method }) => method !== undefined);
    this.#seen = this.sent.length;
    return fresh;
  }
}
