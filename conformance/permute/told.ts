import { BYSTANDER, expand } from '../expand.js';
import { arrivingKinds } from '../judge/kinds.js';
import type { Call, Entry, SocketState } from '../judge/entries.js';
import type { Ledger } from '../judge/ledger.js';
import { fieldOf, resultOf, shaOf } from '../judge/entries.js';
import { replay } from '../judge/replay.js';
import type { Case } from '../model.js';
import { asText, isFields } from '../model.js';
import type { Json, TimelineRecord } from '../timeline.js';

/** One thing that somebody was told, without what is another in every run. */
export interface Item {
  readonly text: string;
  /** Of a message, where the transport tells kinds apart. */
  readonly kind?: 'text' | 'binary';
}

/** Things of one sort that one observer was told, in order. */
export interface Tale {
  readonly items: readonly Item[];
  /** As many of them must come again: some step waited for them. */
  readonly certain: number;
  /** How many there were when the server had answered a fence behind so many messages of the observer's own. */
  readonly settled: ReadonlyMap<number, number>;
}

/** What a run told its members, by `bob.pipe from alice`, `alice.command pipe.refused` and the like. */
export type Told = ReadonlyMap<string, Tale>;

interface Draft {
  readonly items: Item[];
  certain: number;
  readonly settled: Map<number, number>;
}

/** Events that a member's own messages cause, and that a fence behind these does not overtake (FENCE-2). */
const OWN: readonly string[] = ['pipe.refused', 'pipe.undeliverable', 'pipe.receipt'];

/** What differs from run to run, or says by which transport somebody comes. */
const PASSING: ReadonlySet<string> = new Set([
  ...['id', 'nonce', 'cnonce', 'mac', 'eventEpoch', 'pipeTicket', 'siblingSecret', 'expiresAt'],
  ...['seq', 'vseq', 'headSeq', 'oldestSeq', 'replay', 'gap', 'ms', 'n'],
  ...['transport', 'framing', 'endpoints', 'udpAssoc', 'message'],
]);

/** Where a place in the pipe belongs to what is told, and not to the moment at which it is. */
const PLACED: ReadonlySet<string> = new Set(['pipe.refused', 'pipe.undeliverable', 'pipe.opened']);

/**
 * What the members of a run were told: the messages of each sender in each pipe, the events on siblings by their sort,
 * the replies to calls. Of what depends on the moment (whose message came first, counters under way) nothing is kept.
 */
export function toldIn(of: Case, records: readonly TimelineRecord[]): Told {
  const { ledger } = replay(expand(of), records);
  return new Teller(ledger).tell();
}

class Teller {
  readonly #ledger: Ledger;
  readonly #told = new Map<string, Draft>();
  /** What was sent, by its content. */
  readonly #names = new Map<string, { readonly from: string; readonly name: string }>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    const counts = new Map<string, number>();
    for (const { member, record } of ledger.sent) {
      const label = record.label ?? 'unnamed';
      const count = (counts.get(label) ?? 0) + 1;
      counts.set(label, count);
      const name = count === 1 ? label : `${label}, number ${String(count)}`;
      if (!this.#names.has(record.sha256)) this.#names.set(record.sha256, { from: member, name });
    }
  }

  tell(): Told {
    const own = this.#ledger.all.filter(({ member }) => member !== BYSTANDER.first && member !== BYSTANDER.second);
    for (const socket of own) {
      if (socket.kind === 'pipe') for (const each of socket.inbound) this.#message(socket, each);
      if (socket.kind === 'sibling') for (const each of socket.inbound) this.#frame(socket, each);
    }
    return this.#told;
  }

  #message(socket: SocketState, entry: Entry): void {
    const { record } = entry;
    if (record.type !== 'message') return;
    const known = this.#names.get(record.sha256);
    const kinds = arrivingKinds(record.kind, socket);
    this.#add(`${socket.at} from ${known?.from ?? 'nobody'}`, entry, {
      text: `${known?.name ?? record.sha256} (${String(record.bytes)} bytes)`,
      ...(kinds === undefined ? {} : { kind: record.kind === 'binary' ? 'binary' : 'text' }),
    });
  }

  #frame(socket: SocketState, entry: Entry): void {
    const method = fieldOf(entry, 'method');
    const params = fieldOf(entry, 'params');
    if (entry.call !== undefined) this.#answer(socket, entry, entry.call);
    else if (method === 'pipe.receipt' || method === 'pipe.manifest') {
      for (const item of itemsOf(params)) this.#item(socket, entry, { method, item });
    } else if (typeof method === 'string' && !method.startsWith('sibling.')) {
      this.#add(`${socket.at} ${method}`, entry, { text: this.#plain(params ?? null, PLACED.has(method)) });
    }
  }

  #answer(socket: SocketState, entry: Entry, call: Call): void {
    const result = resultOf(entry);
    if (call.method === 'fence') return this.#fenced(socket, entry, { call, result });
    // How far the server is at that moment is in every state.
    if (call.kit || call.method === 'sibling.bind' || call.method === 'pipe.state') return;
    const text = this.#plain(result ?? { error: fieldOf(entry, 'error') ?? null }, false);
    this.#add(`${socket.at} answers ${call.method}`, entry, { text });
  }

  /** A fence behind everything that the member had sent, and before it sent more, says how much that was. */
  #fenced(socket: SocketState, entry: Entry, { call, result }: { call: Call; result: Json | undefined }): void {
    const after = isFields(call.params) ? call.params['after'] : undefined;
    const behind = isFields(after) ? after['c2s'] : undefined;
    if (!isFields(result) || behind !== call.sent || this.#sentBefore(socket.member, entry.record.i) !== behind) return;
    const { c2sReceived, c2sRouted } = result;
    const key = `${socket.at} answers fence after ${String(behind)}`;
    const text = JSON.stringify({ c2sReceived, c2sRouted });
    if (this.#told.get(key)?.items.at(-1)?.text !== text) this.#add(key, entry, { text });
    for (const method of OWN) {
      const tale = this.#tale(`${socket.at} ${method}`);
      tale.settled.set(behind, tale.items.length);
    }
  }

  #sentBefore(member: string, i: number): number {
    const pipe = this.#ledger.sockets.get(`${member}.pipe`);
    return this.#ledger.sent.filter(({ record }) => record.conn === pipe?.conn && record.i < i).length;
  }

  /** One message of a report: a manifest speaks of what came as the n-th. */
  #item(socket: SocketState, entry: Entry, { method, item }: { method: string; item: Json }): void {
    if (!isFields(item)) return;
    const n = Number(item['n']);
    const text = this.#plain(item, false);
    if (method === 'pipe.receipt') return this.#add(`${socket.at} ${method}`, entry, { text: `${String(n)}: ${text}` });
    const pipe = this.#ledger.sockets.get(`${socket.member}.pipe`);
    const message = pipe?.inbound.filter(({ what }) => what === 'message')[n - 1];
    if (message === undefined) return; // not come yet when the run ended
    const known = this.#names.get(shaOf(message) ?? '');
    const key = `${socket.at} ${method} from ${known?.from ?? 'nobody'}`;
    this.#add(key, entry, { text: `${known?.name ?? 'a stranger'}: ${text}` });
  }

  #add(key: string, { claimed }: Entry, item: Item): void {
    const tale = this.#tale(key);
    tale.items.push(item);
    if (claimed) tale.certain = tale.items.length;
  }

  #tale(key: string): Draft {
    const found = this.#told.get(key) ?? { items: [], certain: 0, settled: new Map<number, number>() };
    this.#told.set(key, found);
    return found;
  }

  #plain(value: Json, placed: boolean): string {
    return JSON.stringify(this.#without(value, placed));
  }

  #without(value: Json, placed: boolean): Json {
    if (Array.isArray(value)) return (value as readonly Json[]).map((each) => this.#without(each, placed));
    if (typeof value === 'string') return this.#role(value);
    if (!isFields(value)) return value;
    const kept = Object.entries(value).filter(([key]) => (placed && key === 'n') || !PASSING.has(key));
    return Object.fromEntries(
      kept.filter(([key]) => placed || key !== 'at').map(([key, each]) => [key, this.#without(each, placed)]),
    );
  }

  /** Whom or what a name of this run stands for. */
  #role(text: string): string {
    const prefix = this.#ledger.run?.prefix ?? '';
    for (const [name, { sids }] of this.#ledger.members) if (sids.some(({ sid }) => sid === text)) return `$${name}`;
    return prefix === '' ? text : asText(text).replaceAll(prefix, '$run');
  }
}

const itemsOf = (params: Json | undefined): readonly Json[] => {
  const items = isFields(params) ? params['items'] : undefined;
  return Array.isArray(items) ? (items as readonly Json[]) : [];
};
