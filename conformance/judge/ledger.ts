import { BYSTANDER } from '../expand.js';
import { asText, isFields, splitAt } from '../model.js';
import type {
  FrameBody,
  HttpBody,
  Json,
  MessageBody,
  RunBody,
  ServerBody,
  SocketBody,
  TimelineRecord,
} from '../timeline.js';
import type { Call, Entry, Exchange, MemberState, Sent, SocketState } from './entries.js';
import { entry, resultOf, shaOf, unitsOf } from './entries.js';

/** The state of a run, made of nothing but its records, in their order. Runner and judge share it. */
export class Ledger {
  run: RunBody | undefined;
  readonly sockets = new Map<string, SocketState>();
  readonly exchanges = new Map<string, Exchange>();
  readonly members = new Map<string, MemberState>();
  readonly saves = new Map<string, Json>();
  readonly sent: Sent[] = [];
  readonly faults: string[] = [];
  readonly all: SocketState[] = [];
  /** The server's process as far as the kit has to do with it, and why where it is not as it should be. */
  server: { readonly state: 'up' | Exclude<ServerBody['event'], 'started'>; readonly what?: string } = { state: 'up' };
  life = 1;
  readonly #byConn = new Map<number, SocketState>();

  /** Takes the next record of the run. */
  add(record: TimelineRecord): void {
    if (record.type === 'run') this.run = record;
    if (record.type === 'http') this.#http(record);
    if (record.type === 'socket') this.#socket(record);
    if (record.type === 'frame') this.#frame(record);
    if (record.type === 'message') this.#message(record);
    if (record.type === 'line') this.#byConn.get(record.conn)?.inbound.push(entry(record, 'line'));
    if (record.type === 'save') this.saves.set(record.name, record.value);
    if (record.type === 'fault') this.faults.push(record.what);
    if (record.type === 'raw') this.#raw(record.conn, record.counts);
    if (record.type === 'server') this.#server(record);
  }

  /**
   * The socket on which a member's channel is bound: the last one on which a bind was called and not refused, since from
   * that call on the one before may be replaced at any time.
   */
  bound(member: string, channel: string): SocketState | undefined {
    const calls = this.all
      .filter((each) => each.member === member && each.kind === 'sibling')
      .flatMap((socket) => socket.calls.map((call) => ({ socket, call })))
      .filter(({ call }) => binds(call, channel));
    return calls.sort((a, b) => b.call.record.i - a.call.record.i)[0]?.socket;
  }

  /** The sessions of the case, without those of the bystanders and of a server that was ended since. */
  sids(): string[] {
    const members = [...this.members].filter(([name]) => name !== BYSTANDER.first && name !== BYSTANDER.second);
    return members.flatMap(([, { sids }]) => sids.filter(({ life }) => life === this.life).map(({ sid }) => sid));
  }

  /** The member's state, made at its first mention. */
  member(name: string): MemberState {
    const found = this.members.get(name) ?? { overSibling: false, left: new Set(), sids: [] };
    this.members.set(name, found);
    return found;
  }

  #server({ event, what, url, discovery }: ServerBody): void {
    this.server = { state: event === 'started' ? 'up' : event, ...(what === undefined ? {} : { what }) };
    if (event !== 'started') return;
    this.life += 1;
    if (this.run !== undefined && url !== undefined && discovery !== undefined) {
      this.run = { ...this.run, url, discovery };
    }
  }

  #http(record: TimelineRecord & HttpBody): void {
    if (record.dir === 'out') {
      this.exchanges.set(record.at, { request: record });
      return;
    }
    const exchange = this.exchanges.get(record.at);
    if (exchange === undefined) return;
    exchange.response = record;
    const { member, socket } = splitAt(record.at);
    if (socket !== 'grant' || record.status !== 201) return;
    this.#granted(member, record.json, exchange.request.json);
    this.member(member).overSibling = false;
  }

  #granted(member: string, grant: Json | undefined, request: Json | undefined): void {
    const state = this.member(member);
    if (grant !== undefined) state.grant = grant;
    if (isFields(grant) && typeof grant['sid'] === 'string') state.sids.push({ sid: grant['sid'], life: this.life });
    if (isFields(request) && typeof request['room'] === 'string') state.room = request['room'];
  }

  #socket(record: TimelineRecord & SocketBody): void {
    if (record.event === 'opening') return this.#opening(record);
    const state = this.#byConn.get(record.conn);
    if (state === undefined) return;
    if (record.event === 'open') state.opened = record;
    if (record.event === 'refused' || record.event === 'failed') state.refused = record;
    if (record.event === 'hold') state.held = true;
    if (record.event === 'release') state.held = false;
    if (record.event === 'pong' && record.dir === 'in') state.inbound.push(entry(record, 'pong'));
    if (record.event === 'receipt') state.inbound.push(this.#receipt(state, record));
    if (record.event === 'closed' && record.dir === 'out') state.leaving = true;
    if (record.event === 'closed' && record.dir === 'in') state.closed ??= record;
  }

  #opening(record: TimelineRecord & SocketBody): void {
    const { member } = splitAt(record.at);
    const kind = record.kind ?? 'pipe';
    this.member(member);
    const state: SocketState = {
      at: record.at,
      member,
      conn: record.conn,
      kind,
      life: this.life,
      inbound: [],
      calls: [],
      // Only a pipe that opened made an epoch.
      epoch: 1 + this.#pipesOf(member).filter(({ opened }) => opened !== undefined).length,
      opening: record,
      leaving: false,
      sent: 0,
      received: 0,
      uncountable: false,
      raw: false,
      held: false,
    };
    this.sockets.set(record.at, state);
    this.#byConn.set(record.conn, state);
    this.all.push(state);
  }

  #pipesOf(member: string): SocketState[] {
    return this.all.filter((each) => each.member === member && each.kind === 'pipe' && each.life === this.life);
  }

  #frame(record: TimelineRecord & FrameBody): void {
    const socket = this.#byConn.get(record.conn);
    if (socket === undefined) return;
    if (record.dir === 'out') this.#call(socket, record);
    else socket.inbound.push(this.#received(socket, record));
  }

  #call(socket: SocketState, record: TimelineRecord & FrameBody): void {
    const json = isFields(record.json) ? record.json : {};
    const id = typeof json['id'] === 'string' || Number.isInteger(json['id']) ? json['id'] : null;
    // A notification is a call that nothing may answer.
    const notification = isFields(record.json) && !Object.hasOwn(json, 'id') && record.odd !== true;
    if (notification) return;
    socket.calls.push({
      id,
      method: asText(json['method']),
      params: json['params'],
      label: record.label,
      kit: record.kit === true,
      record,
      sent: this.sockets.get(`${socket.member}.pipe`)?.sent ?? 0,
    });
  }

  #received(socket: SocketState, record: TimelineRecord & FrameBody): Entry {
    const json = isFields(record.json) ? record.json : {};
    if (json['method'] === 'room.moved') this.#moved(socket.member, json['params']);
    if (typeof json['method'] === 'string') return entry(record, 'event');
    if (!Object.hasOwn(json, 'result') && !Object.hasOwn(json, 'error')) return entry(record, 'noise');
    const id = json['id'] ?? null;
    const call = socket.calls.find((each) => each.id === id && each.answer === undefined);
    const answer: Entry = { ...entry(record, 'answer'), ...(call === undefined ? {} : { call }) };
    if (call !== undefined) this.#answered(socket, call, answer);
    return answer;
  }

  #moved(member: string, params: Json | undefined): void {
    const state = this.member(member);
    const room = isFields(params) ? params['room'] : undefined;
    const name = isFields(room) ? room['name'] : undefined;
    if (typeof name !== 'string') return;
    if (state.room !== undefined) state.left.add(state.room);
    state.room = name;
  }

  #answered(socket: SocketState, call: Call, answer: Entry): void {
    call.answer = answer;
    const result = resultOf(answer);
    if (call.method !== 'session.create' || result === undefined) return;
    this.#granted(socket.member, result, call.params);
    this.member(socket.member).overSibling = true;
  }

  #message(record: TimelineRecord & MessageBody): void {
    const socket = this.#byConn.get(record.conn);
    if (socket === undefined) return;
    if (record.dir === 'out') {
      socket.sent += unitsOf(socket, record);
      this.sent.push({ record, member: socket.member });
      return;
    }
    socket.received += unitsOf(socket, record);
    const isNonce = this.sent.some((each) => each.record.role !== undefined && each.record.sha256 === record.sha256);
    const again = socket.inbound.some((each) => each.nonce && shaOf(each) === record.sha256);
    socket.inbound.push({ ...entry(record, 'message'), nonce: isNonce && !again });
  }

  /** Receipts come in the order of the messages. */
  #receipt({ conn, inbound }: SocketState, record: TimelineRecord): Entry {
    const before = inbound.filter(({ what }) => what === 'receipt').length;
    const message = this.sent.filter((each) => each.record.conn === conn)[before]?.record;
    return { ...entry(record, 'receipt'), nonce: message?.role !== undefined };
  }

  #raw(conn: number, counts: number | undefined): void {
    const socket = this.#byConn.get(conn);
    if (socket === undefined) return;
    socket.raw = true;
    socket.sent += counts ?? 0;
    if (counts === undefined) socket.uncountable = true;
  }
}

function binds({ method, params, answer }: Call, channel: string): boolean {
  if (method !== 'sibling.bind' || !isFields(params) || params['channel'] !== channel) return false;
  return answer === undefined || resultOf(answer) !== undefined;
}
