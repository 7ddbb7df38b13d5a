import type { Grant, SessionRequest } from '../../../generated/types.js';
import { type Kind, Pipe, type Shown } from './pipe.js';
import { CallError, type Fields, isFields, type Memory, Sibling } from './sibling.js';

/** What happened to a client, in the order in which it did. */
export interface ClientHandlers {
  readonly onMessage: (message: Shown, epoch: number) => void;
  readonly onEvent: (channel: 'command' | 'debug', method: string, params: Fields) => void;
  readonly onPipe: (status: 'open' | 'ended', detail: string) => void;
  readonly onSibling: (status: 'awake' | 'asleep' | 'lost', detail: string) => void;
}

/** Asks for a session; throws with the server's reason where there is none. */
export async function grantFor(request: SessionRequest, token: string): Promise<Grant> {
  const authorization = token === '' ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch('/porthouse/v1/sessions', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...authorization },
    body: JSON.stringify(request),
  });
  const answer = (await response.json()) as unknown;
  if (response.ok) return answer as Grant;
  const error = isFields(answer) && isFields(answer['error']) ? answer['error'] : {};
  throw new CallError(String(error['name']), String(error['message']));
}

/** A session of this page: a pipe, and a sibling beside it that may sleep. */
export class Client {
  readonly grant: Grant;
  readonly #handlers: ClientHandlers;
  readonly #memory: Memory = { lastSeq: 0, eventEpoch: undefined };
  #command: Sibling | null = null;
  #debug: Sibling | null = null;
  #pipe: Pipe | null = null;
  #epoch = 0;
  #leaving = false;

  constructor(grant: Grant, handlers: ClientHandlers) {
    this.grant = grant;
    this.#handlers = handlers;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get sent(): number {
    return this.#pipe?.sent ?? 0;
  }

  get awake(): boolean {
    return this.#command !== null;
  }

  get piping(): boolean {
    return this.#pipe?.open === true;
  }

  /** Wakes the sibling; what it missed comes first, as replayed events. */
  async wake(): Promise<void> {
    const command = new Sibling({
      grant: this.grant,
      channel: 'command',
      memory: this.#memory,
      onEvent: (method, params) => this.#handlers.onEvent('command', method, params),
      onClosed: (code) => this.#slept(code),
    });
    this.#command = command;
    const { generation, headSeq, gap } = await command.open();
    const missed = isFields(gap) ? `, events ${String(gap['from'])} to ${String(gap['to'])} are gone` : '';
    this.#handlers.onSibling('awake', `bind ${String(generation)}, events up to ${String(headSeq)}${missed}`);
  }

  sleep(): void {
    this.#leaving = true;
    this.#command?.close();
    this.#debug?.close();
  }

  async openDebug(): Promise<void> {
    this.#debug = new Sibling({
      grant: this.grant,
      channel: 'debug',
      memory: { lastSeq: 0, eventEpoch: undefined },
      onEvent: (method, params) => this.#handlers.onEvent('debug', method, params),
      onClosed: () => (this.#debug = null),
    });
    await this.#debug.open();
    await this.#debug.call('debug.level', { level: 'trace' });
  }

  closeDebug(): void {
    this.#debug?.close();
  }

  /** Opens the next pipe: with the ticket of the grant, or with a new one. */
  async openPipe(): Promise<void> {
    const again = this.#epoch > 0;
    const ticket = again ? await this.call('pipe.ticket', { transport: 'websocket' }) : this.grant;
    this.#epoch += 1;
    const epoch = this.#epoch;
    this.#pipe = await Pipe.open(this.grant.endpoints.pipe, String(ticket.pipeTicket), {
      onMessage: (message) => this.#handlers.onMessage(message, epoch),
      onClosed: (code, reason) => this.#handlers.onPipe('ended', `${String(code)} ${reason}`.trim()),
    });
    this.#handlers.onPipe('open', `pipe ${String(epoch)}`);
  }

  closePipe(): void {
    this.#pipe?.close();
  }

  /** Sends one message and returns its number. */
  send(payload: string | Uint8Array<ArrayBuffer>): number {
    if (!this.#pipe?.open) throw new CallError('no_pipe', 'The pipe is not open.');
    return this.#pipe.send(payload);
  }

  call(method: string, params: Fields = {}): Promise<Fields> {
    if (!this.#command) return Promise.reject(new CallError('asleep', 'The sibling sleeps: wake it first.'));
    return this.#command.call(method, params);
  }

  /** Agrees with the server on the kind of what is sent from the next message on, and returns its number. */
  async switchSending(format: Kind): Promise<number> {
    const at = { epoch: this.#epoch, n: this.sent + 1 };
    await this.call('switch.propose', {
      id: `page-${String(at.epoch)}-${String(at.n)}-${format}`,
      dir: 'c2s',
      at,
      set: { format },
    });
    return at.n;
  }

  end(): void {
    this.closePipe();
    this.sleep();
  }

  #slept(code: number): void {
    this.#command = null;
    this.#handlers.onSibling(this.#leaving ? 'asleep' : 'lost', `closed with ${String(code)}`);
    this.#leaving = false;
  }
}
