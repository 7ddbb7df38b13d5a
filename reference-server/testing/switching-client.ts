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
    readonly set: Settings;
    readonly room: { readonly name: string };
  };
}

/** What a switch sets: a kind, or as half of a move a room. */
interface Settings {
  readonly format?: Switched;
  readonly room?: string;
  readonly moveId?: string;
}

/** What messages of a direction are, from a number on: of a kind, null for any, and of a room. */
interface Belief {
  readonly from: number;
  readonly kind: Switched | null;
  readonly room: string;
}

interface Proposal {
  readonly id: string;
  readonly n: number;
  readonly set: Settings;
  phase: 'asked' | 'acknowledged' | 'aborting';
}

const changed = (before: Belief, { n, set }: { n: number; set: Settings }): Belief => ({
  from: n,
  kind: set.format ?? before.kind,
  room: set.room ?? before.room,
});

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
  /** Of no kind until that has been switched: then any kind goes. */
  #sends: Belief;
  #sent = 0;
  #proposed: Proposal | null = null;
  #crossed: { set: Settings; n: number; before: Belief } | null = null;
  #proposals = 0;
  got = 0;
  #receives: Belief[];
  #offer: { id: string; n: number; set: Settings; acked: boolean } | null = null;

  constructor(url: string, grant: Grant) {
    this.#url = url;
    this.#grant = grant;
    this.#sends = { from: 1, kind: null, room: grant.room };
    this.#receives = [this.#sends];
  }

  get sends(): Belief {
    return this.#sends;
  }

  /** What the next message is taken for. */
  get receives(): Belief {
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
    this.#receives = [{ ...this.#believed(Infinity), from: 1 }];
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
      this.#crossed = { set: open.set, n, before: this.#sends };
      this.#sends = changed(this.#sends, open);
      this.#proposed = null;
    }
    this.#sent = n;
    const opcode = this.#sends.kind === 'binary' ? OPCODE.binary : OPCODE.text;
    this.#pipe.send({ opcode, payload: Buffer.from(`${this.#sends.room} ${this.#epoch}.${n}`) });
  }

  async propose(set: Settings, ahead: number): Promise<void> {
    if (this.#proposed || this.#crossed || !this.#pipe) return;
    const open: Proposal = { id: `p${++this.#proposals}`, n: this.#sent + ahead, set, phase: 'asked' };
    this.#proposed = open;
    const at = { epoch: this.#epoch, n: open.n };
    const { result } = await this.call('switch.propose', { id: open.id, dir: 'c2s', at, set });
    if (this.#proposed !== open || (open.phase as string) === 'aborting') return;
    if (result?.['status'] === 'acknowledged' || result?.['status'] === 'done') open.phase = 'acknowledged';
    else this.#proposed = null;
  }

  /** The other half of a move that the server has proposed, acknowledged or not. */
  async follow(ahead: number): Promise<void> {
    if (this.#offer?.set.moveId !== undefined) await this.propose(this.#offer.set, ahead);
  }

  async callOff(): Promise<void> {
    const open = this.#proposed;
    if (!open || open.phase === 'aborting') return;
    open.phase = 'aborting';
    const { error } = await this.call('switch.abort', { id: open.id });
    const late = error?.data.name === 'switch_too_late';
    if (late && open.set.format) this.faults.push('the server counted what was not sent');
    if (late)
      open.phase = 'acknowledged'; // half of a move: everything before it has been counted
    else if (this.#proposed === open) this.#proposed = null;
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

  #believed(n: number): Belief {
    const known = this.#receives.filter(({ from }) => from <= n).at(-1) ?? this.#sends;
    return this.#offer?.acked && n >= this.#offer.n ? changed(known, this.#offer) : known;
  }

  async #read(pipe: WebSocketClient): Promise<void> {
    for (let next = await pipe.next(); next && pipe === this.#pipe; next = await pipe.next()) {
      if (next.opcode !== OPCODE.text && next.opcode !== OPCODE.binary) continue;
      const { kind, room } = this.#believed(++this.got);
      const was = next.opcode === OPCODE.binary ? 'binary' : 'text';
      if (kind !== null && kind !== was) this.faults.push(`message ${this.got} came as ${was}, agreed was ${kind}`);
      const [of] = String(next.payload).split(' ');
      if (of !== room) this.faults.push(`message ${this.got} is of ${String(of)}, agreed was ${room}`);
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
      this.#offer = { id: params.id, n: params.at.n, set: params.set, acked: false };
    } else if (method === 'switch.done' && params.dir === 's2c') {
      this.#receives.push(changed(this.#believed(Infinity), { n: params.at.n, set: params.set }));
      this.#offer = null;
    } else if (method === 'switch.done') this.#hearCrossed(params);
    else if (method === 'switch.abort' && params.dir === 's2c') {
      this.#offer = null;
      if (this.#proposed?.set.moveId !== undefined) this.#proposed = null;
      const open = params.cause === 'timeout' || params.cause === 'called_off';
      if (open) void this.call('switch.abortAck', { id: params.id });
    } else if (method === 'room.moved') this.#moved(params.room.name);
    else if (method === 'pipe.ended' && params.dir === 'c2s') this.#ended(params.finalN);
    else if (method === 'pipe.refused') this.faults.push(`message ${params.at.n} was refused`);
  }

  /** Half of a move crosses before the message at its boundary has been sent. */
  #hearCrossed({ id, at, set }: Event['params']): void {
    this.#crossed = null;
    if (this.#proposed?.id !== id) return;
    if (at.n > this.#sent + 1) this.faults.push(`the server crossed at ${at.n}, sent was ${this.#sent}`);
    this.#sends = changed(this.#sends, { n: at.n, set });
    this.#proposed = null;
  }

  /** Without a pipe nothing else tells it. */
  #moved(room: string): void {
    this.#sends = { ...this.#sends, room };
    const last = this.#believed(Infinity);
    if (last.room !== room) this.#receives.push({ ...last, room, from: Infinity });
  }

  /** A boundary beyond the end has not been crossed, whatever was sent. */
  #ended(finalN: number): void {
    const { n, set, before } = this.#crossed ?? {};
    if (before && n !== undefined && (n > finalN || set?.room !== undefined)) this.#sends = before;
    this.#crossed = null;
    this.#proposed = null;
  }
}
