import type { Grant } from '../../generated/types.js';
import { dial } from './http.js';
import { bindAfter, opened, pipeHeaders } from './stage.js';
import { OPCODE, WebSocketClient } from './web-socket.js';

export type Switched = 'text' | 'binary';

interface Call {
  readonly method: string;
  readonly params: object;
  readonly resolve: (answer: Answer) => void;
}

export interface Answer {
  readonly result?: { readonly [name: string]: unknown };
  readonly error?: { readonly data: { readonly name: string } };
}

interface Event {
  readonly method: string;
  readonly params: {
    readonly seq: number;
    readonly id: string;
    readonly dir: 'c2s' | 's2c';
    readonly cause: string;
    readonly finalN: number;
    readonly at: { readonly n: number };
    readonly set: { readonly format: Switched };
  };
}

interface Proposal {
  readonly id: string;
  readonly n: number;
  readonly to: Switched;
  phase: 'asked' | 'acknowledged' | 'aborting';
}

const SIBLING = { path: '/porthouse/v1/sibling', headers: { 'sec-websocket-protocol': 'porthouse.sibling.v1' } };

/**
 * A client that keeps the rule of switching.md over real sockets, like the clients of `tests/switch-model/`, and
 * complains of every message that is not what it has agreed to.
 */
export class SwitchingClient {
  readonly #url: string;
  readonly #grant: Grant;
  readonly #calls = new Map<number, Call>();
  readonly faults: string[] = [];
  #nextCall = 0;
  #seen = 0;
  #sibling: WebSocketClient | null = null;
  #pipe: WebSocketClient | null = null;
  #epoch = 0;
  /** null until something has been switched: then any kind goes. */
  sends: Switched | null = null;
  #sent = 0;
  #proposed: Proposal | null = null;
  #crossed: { n: number; before: Switched | null } | null = null;
  #proposals = 0;
  got = 0;
  #receives: { from: number; kind: Switched | null }[] = [{ from: 1, kind: null }];
  #offer: { id: string; n: number; to: Switched; acked: boolean } | null = null;

  constructor(url: string, grant: Grant) {
    this.#url = url;
    this.#grant = grant;
  }

  /** The kind that the next message is taken for; null for any. */
  get receives(): Switched | null {
    return this.#believed(this.got + 1);
  }

  get settled(): boolean {
    return this.#proposed === null && this.#offer === null && this.#calls.size === 0;
  }

  /** Binds, be it after a cut or over a connection that still lives, and repeats what was not answered. */
  async bind(): Promise<void> {
    const client = opened(await WebSocketClient.open(dial(this.#url), SIBLING));
    const hello = (await client.json()) as { params: { nonce: string } };
    await bindAfter(client, this.#grant, { nonce: hello.params.nonce });
    this.#sibling = client;
    for (const [id, { method, params }] of this.#calls) client.call(id, method, params);
    void this.#listen(client);
  }

  cut(): void {
    this.#sibling?.cut();
    this.#sibling = null;
  }

  async open(ticket = this.#grant.pipeTicket): Promise<void> {
    const asked = { path: this.#grant.endpoints.pipe, headers: pipeHeaders(ticket) };
    const pipe = opened(await WebSocketClient.open(dial(this.#url), asked));
    this.#receives = [{ from: 1, kind: this.#believed(Infinity) }];
    this.#pipe = pipe;
    this.#epoch += 1;
    this.#sent = 0;
    this.got = 0;
    void this.#read(pipe);
  }

  /** Ends the pipe with whatever is open or under way, and opens the next one. */
  async replace(): Promise<void> {
    this.#pipe = null;
    const { result } = await this.call('pipe.ticket', { transport: 'websocket', replace: true });
    await this.open(String(result?.['pipeTicket']));
  }

  call(method: string, params: object = {}): Promise<Answer> {
    const id = ++this.#nextCall;
    return new Promise((resolve) => {
      this.#calls.set(id, { method, params, resolve });
      this.#sibling?.call(id, method, params);
    });
  }

  /** Sends the next message, unless it is the first under settings that are not agreed yet. */
  send(): void {
    const n = this.#sent + 1;
    const open = this.#proposed;
    if (!this.#pipe || (open?.n === n && open.phase !== 'acknowledged')) return;
    if (open?.n === n) {
      this.#crossed = { n, before: this.sends };
      this.sends = open.to;
      this.#proposed = null;
    }
    this.#sent = n;
    const opcode = this.sends === 'binary' ? OPCODE.binary : OPCODE.text;
    this.#pipe.send({ opcode, payload: Buffer.from(`${this.#epoch}.${n}`) });
  }

  async propose(to: Switched, ahead: number): Promise<void> {
    if (this.#proposed || this.#crossed || !this.#pipe) return;
    const open: Proposal = { id: `p${++this.#proposals}`, n: this.#sent + ahead, to, phase: 'asked' };
    this.#proposed = open;
    const at = { epoch: this.#epoch, n: open.n };
    const { result } = await this.call('switch.propose', { id: open.id, dir: 'c2s', at, set: { format: to } });
    if (this.#proposed !== open || (open.phase as string) === 'aborting') return;
    if (result?.['status'] === 'acknowledged') open.phase = 'acknowledged';
    else this.#proposed = null;
  }

  async callOff(): Promise<void> {
    const open = this.#proposed;
    if (!open || open.phase === 'aborting') return;
    open.phase = 'aborting';
    const { error } = await this.call('switch.abort', { id: open.id });
    if (error?.data.name === 'switch_too_late') this.faults.push('the server counted what was not sent');
    if (this.#proposed === open) this.#proposed = null;
  }

  answer(acknowledge: boolean): void {
    const offer = this.#offer;
    if (!offer || offer.acked) return;
    offer.acked = acknowledge;
    if (!acknowledge) this.#offer = null;
    void this.call(acknowledge ? 'switch.ack' : 'switch.refuse', { id: offer.id });
  }

  close(): void {
    this.#sibling?.cut();
    this.#pipe?.cut();
  }

  #believed(n: number): Switched | null {
    if (this.#offer?.acked && n >= this.#offer.n) return this.#offer.to;
    return this.#receives.filter(({ from }) => from <= n).at(-1)?.kind ?? null;
  }

  async #read(pipe: WebSocketClient): Promise<void> {
    for (let next = await pipe.next(); next && pipe === this.#pipe; next = await pipe.next()) {
      if (next.opcode !== OPCODE.text && next.opcode !== OPCODE.binary) continue;
      const kind = this.#believed(++this.got);
      const was = next.opcode === OPCODE.binary ? 'binary' : 'text';
      if (kind !== null && kind !== was) this.faults.push(`message ${this.got} came as ${was}, agreed was ${kind}`);
    }
  }

  async #listen(sibling: WebSocketClient): Promise<void> {
    for (let next = await sibling.next(); next && sibling === this.#sibling; next = await sibling.next()) {
      if (next.opcode !== OPCODE.text) continue;
      const message = JSON.parse(String(next.payload)) as Event & Answer & { id?: number };
      if (message.id !== undefined) this.#answered(message.id, message);
      else if ((message.params.seq || 0) > this.#seen) this.#hear(message);
    }
  }

  #answered(id: number, answer: Answer): void {
    const made = this.#calls.get(id);
    this.#calls.delete(id);
    made?.resolve(answer);
  }

  #hear({ method, params }: Event): void {
    this.#seen = params.seq;
    const offer = this.#offer;
    if (method === 'switch.propose') {
      if (offer) this.faults.push('two switches are open');
      this.#offer = { id: params.id, n: params.at.n, to: params.set.format, acked: false };
    } else if (method === 'switch.done' && params.dir === 's2c') {
      this.#receives.push({ from: params.at.n, kind: params.set.format });
      this.#offer = null;
    } else if (method === 'switch.done') this.#crossed = null;
    else if (method === 'switch.abort' && params.dir === 's2c') {
      this.#offer = null;
      if (params.cause === 'timeout') void this.call('switch.abortAck', { id: params.id });
    } else if (method === 'pipe.ended' && params.dir === 'c2s') this.#ended(params.finalN);
    else if (method === 'pipe.refused') this.faults.push(`message ${params.at.n} was refused`);
  }

  /** A boundary beyond the end has not been crossed, whatever was sent. */
  #ended(finalN: number): void {
    if (this.#crossed && this.#crossed.n > finalN) this.sends = this.#crossed.before;
    this.#crossed = null;
    this.#proposed = null;
  }
}
