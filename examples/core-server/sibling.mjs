// A sibling connection: hello, bind, calls and replies, and the events of the session that it is bound to.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { clearTimeout } from 'node:timers';
import { carryOut, METHODS } from './calls.mjs';
import { after, faultOf, isObject, LIMITS, Refusal } from './registry.mjs';
import { keepAlive } from './sockets.mjs';

export const SERVER = { name: 'porthouse-core-example', version: '0.1.0' };
/** Calls of a connection that is not bound yet (BIND-6, BIND-8). */
const UNBOUND = new Set(['sibling.bind', 'session.create']);

const isId = (id) => (typeof id === 'string' ? [...id].length <= 128 : Number.isSafeInteger(id));

/** What a message asks for: `{id, method, params}`, or the refusal of what is no call (RPC-1, RPC-2). */
function understand(text) {
  let message;
  try {
    message = JSON.parse(text);
  } catch {
    return { id: null, refusal: new Refusal('parse_error') };
  }
  const id = isId(message?.id) ? message.id : null;
  const call = isObject(message) && message.jsonrpc === '2.0' && typeof message.method === 'string';
  const goodId = id !== null || message?.id === undefined;
  if (!call || !goodId) return { id, refusal: new Refusal('invalid_request') };
  return { id: message.id, method: message.method, params: message.params === undefined ? {} : message.params };
}

export class Sibling {
  #house;
  #connection;
  #session;
  #limits = LIMITS;
  #nonce = randomBytes(16).toString('base64url');
  #created = false;
  #over = false;
  #bindTimer;
  /** Messages that have not been looked at, and replies that have not been sent, because the client does not read. */
  #inbox = [];
  #outbox = [];
  /** Number of the last event that was sent, and of the last one that the client knows from a state. */
  #sent = 0;
  #known = 0;

  constructor(house, connection) {
    this.#house = house;
    this.#connection = connection;
    const { ws } = connection;
    ws.on('message', (data, binary) => this.#receive(data, binary));
    ws.on('error', () => this.#finish());
    ws.on('close', () => this.#finish());
    this.#bindTimer = after(LIMITS.bindMs, () => this.#close(4408, 'bind_timeout'));
    this.#event('sibling.hello', { nonce: this.#nonce, versions: [1], server: SERVER });
  }

  // What goes out.

  /** Whether more may be queued for the client (SIB-8). */
  get #writable() {
    return this.#connection.ws.bufferedAmount < this.#limits.siblingQueuedBytes;
  }

  #send(text) {
    this.#connection.ws.send(text, () => this.#work());
  }

  #event(method, params) {
    this.#send(JSON.stringify({ jsonrpc: '2.0', method, params }));
  }

  /** A reply goes behind every event that there is at this moment (FENCE-2). */
  #reply(id, outcome) {
    const { name, code, message, data } = outcome;
    const body =
      outcome instanceof Refusal ? { error: { code, message, data: { name, ...data } } } : { result: outcome };
    this.#outbox.push(JSON.stringify({ jsonrpc: '2.0', id, ...body }));
    this.flush();
  }

  /** Sends events and then replies for as long as the client reads. */
  flush() {
    if (this.#over) return;
    while (this.#session && this.#writable && this.#sent < this.#session.log.headSeq) this.#next(this.#session.log);
    while (this.#writable && this.#outbox.length > 0) this.#send(this.#outbox.shift());
  }

  #next(log) {
    const gap = log.gapAfter(this.#sent);
    if (gap) {
      this.#known = log.headSeq;
      this.#event('sibling.gap', { sid: this.#session.sid, ...gap, state: this.#session.state() });
    }
    this.#sent = Math.max(this.#sent, log.oldestSeq - 1);
    if (this.#sent === log.headSeq) return;
    this.#sent += 1;
    this.#send(log.textAt(this.#sent, this.#sent <= this.#known));
  }

  // What comes in.

  #receive(data, binary) {
    if (this.#over) return;
    if (binary) this.#close(1003, 'not_text');
    else if (data.length > this.#limits.siblingMessageBytes) this.#close(1009, 'message_too_long');
    else {
      this.#inbox.push(data.toString());
      this.#work();
    }
  }

  /** Goes on where the client's reading has stopped it; reads nothing more from a client that does not read. */
  #work() {
    this.flush();
    while (!this.#over && this.#writable && this.#inbox.length > 0) this.#call(understand(this.#inbox.shift()));
    const { ws } = this.#connection;
    if (this.#over || this.#writable) ws.resume();
    else ws.pause();
  }

  /** Faults are looked for in the order that is given under RPC-4. */
  #call({ id, method, params, refusal }) {
    const done = (outcome) => id !== undefined && this.#reply(id, outcome);
    if (refusal) return done(refusal);
    if (!this.#session && !UNBOUND.has(method)) return done(new Refusal('not_bound'));
    if (this.#session && UNBOUND.has(method)) return done(new Refusal('already_bound'));
    if (this.#session && !Object.hasOwn(METHODS, method)) return done(new Refusal('method_not_found'));
    const pointer = faultOf(`calls/${method}.params.json`, params);
    if (pointer !== undefined) return done(new Refusal('invalid_params', { pointer }));
    if (method === 'session.create') return done(this.#create(params));
    if (method === 'sibling.bind') return this.#bind(params, done);
    return carryOut(this.#session, { method, params }, done);
  }

  /** As at the sessions endpoint (OPEN-18); a token that is not valid is not taken for none. */
  #create({ token, ...request }) {
    if (this.#created) return new Refusal('invalid_request');
    const account = token === undefined ? undefined : this.#house.accountOf(token);
    const answer = this.#house.open(request, account);
    this.#created = !(answer instanceof Refusal);
    return answer;
  }

  // The bind (opening.md).

  #bind({ sid, channel, cnonce, mac, eventEpoch, lastSeq = 0 }, done) {
    const session = this.#house.sessions.get(sid);
    // Without a session the same work is done with another key, so that the time does not tell (SEC-2).
    const key = Buffer.from(session?.siblingSecret ?? '', 'base64url');
    const proof = ['porthouse-bind-v1', sid, channel, this.#nonce, cnonce].join('\n');
    const right = timingSafeEqual(createHmac('sha256', key).update(proof).digest(), Buffer.from(mac, 'base64url'));
    // One try for each nonce (BIND-5). No session here has the scope `debug` (BIND-10).
    const fault = !right || !session ? 'bind_refused' : channel === 'debug' ? 'forbidden' : undefined;
    if (fault) {
      done(new Refusal(fault));
      this.#close(4501, fault);
    } else this.#bound(session, { eventEpoch, lastSeq }, done);
  }

  /** The reply, then the replay, then live events: "What a bind answers". */
  #bound(session, { eventEpoch = session.eventEpoch, lastSeq }, done) {
    clearTimeout(this.#bindTimer);
    session.bind(this);
    const { log, limits, generation } = session;
    const { headSeq, oldestSeq } = log;
    const stranger = eventEpoch !== session.eventEpoch || lastSeq > headSeq;
    const all = headSeq > 0 ? { from: 1, to: headSeq } : null;
    const gap = stranger ? all : log.gapAfter(lastSeq);
    const state = session.state();
    done({ channel: 'command', generation, eventEpoch: session.eventEpoch, headSeq, oldestSeq, gap, state });
    this.#sent = stranger ? headSeq : Math.max(lastSeq, oldestSeq - 1);
    this.#known = headSeq;
    this.#limits = limits;
    this.#session = session;
    keepAlive(this.#connection, limits.keepaliveMs, () => this.#close(4010, 'timeout'));
    this.flush();
  }

  /** Another connection has taken the channel over: nothing that comes later has an effect (BIND-11, BIND-12). */
  replaced(generation) {
    this.#event('sibling.replaced', { sid: this.#session.sid, channel: 'command', generation });
    this.#close(4503, 'replaced');
  }

  #close(code, name) {
    this.#connection.ws.close(code, name);
    this.#finish();
  }

  #finish() {
    this.#over = true;
    clearTimeout(this.#bindTimer);
    this.#session?.unbind(this);
  }
}
