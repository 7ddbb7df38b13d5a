// A session: one member of a room, its pipes one after another, its command channel, and how long it lives.
import { randomBytes } from 'node:crypto';
import { clearTimeout } from 'node:timers';
import { Log } from './log.mjs';
import { Pipe } from './pipe.mjs';
import { after, digest, LIMITS, Refusal, SESSION_LIMITS } from './registry.mjs';

const ALL_KINDS = ['text', 'json', 'binary'];
const NO_PIPE = { epoch: 0, c2sReceived: 0, c2sRouted: 0, s2cEnqueued: 0, s2cWritten: 0, s2cDropped: 0 };
const secret = () => randomBytes(32).toString('base64url');

export class Session {
  sid = `s_${randomBytes(16).toString('base64url')}`;
  siblingSecret = secret();
  eventEpoch = randomBytes(6).toString('base64url');
  generation = 0;
  /** The latest pipe, open or ended. */
  pipe = undefined;
  /** The sibling that is bound to the command channel. */
  sibling = undefined;
  /** The last 64 operations by `op` (RPC-9). */
  ops = new Map();
  stayMs = 0;
  grantEndpoints = { pipe: '/porthouse/v1/pipe', sibling: { websocket: '/porthouse/v1/sibling' } };
  #house;
  /** Digest of the outstanding ticket. */
  #ticket;
  #ticketTimer;
  #lingerTimer;
  #waiting = new Set();

  constructor(house, room, { scopes, formats, limits = {} }) {
    this.#house = house;
    this.room = room;
    this.scopes = scopes;
    this.formats = formats ?? { send: ALL_KINDS, receive: ALL_KINDS };
    // What is asked for is lowered to the server's own (OPEN-13); other names are ignored.
    const asked = SESSION_LIMITS.filter((name) => name in limits);
    const own = asked.map((name) => [name, Math.min(limits[name], LIMITS[name])]);
    this.limits = { ...LIMITS, ...room.spec.limits, ...Object.fromEntries(own) };
    this.log = new Log(this.limits);
  }

  grant() {
    return {
      sid: this.sid,
      pipeTicket: this.newTicket(),
      siblingSecret: this.siblingSecret,
      transport: 'websocket',
      room: this.room.spec.name,
      formats: this.formats,
      scopes: this.scopes,
      endpoints: this.grantEndpoints,
      limits: this.limits,
      expiresInMs: this.limits.ticketMs,
    };
  }

  /** The snapshot of a bind, of `pipe.state` and of `sibling.gap` (SIB-6). */
  state() {
    const { sid, scopes, formats, limits, pipe } = this;
    const none = { epoch: 0, status: 'none', c2s: { n: 0, bytes: 0 }, s2c: { n: 0, bytes: 0, dropped: 0 } };
    const siblings = { command: this.generation, debug: 0 };
    const room = this.room.spec;
    return { sid, room, scopes, formats, limits, pipe: pipe?.state() ?? none, siblings, subscriptions: [] };
  }

  counters() {
    return { ...(this.pipe?.counters() ?? NO_PIPE), headSeq: this.log.headSeq };
  }

  /** Numbers and retains an event, and sends it if a sibling can be written to. */
  emit(method, params) {
    this.log.append(this.sid, method, params);
    this.sibling?.flush();
    this.log.trim();
  }

  // Tickets. A session has at most one that is outstanding (TICKET-5).

  newTicket() {
    this.useTicket();
    const ticket = secret();
    this.#ticket = digest(ticket);
    this.#house.tickets.set(this.#ticket, this);
    this.#ticketTimer = after(this.limits.ticketMs, () => {
      this.useTicket();
      this.settle();
    });
    this.settle();
    return ticket;
  }

  /** Makes the outstanding ticket void: it is used, it has expired, or a newer one takes its place. */
  useTicket() {
    clearTimeout(this.#ticketTimer);
    this.#house.tickets.delete(this.#ticket);
    this.#ticket = undefined;
  }

  // Pipes.

  get openPipe() {
    return this.pipe?.cause === undefined ? this.pipe : undefined;
  }

  open(connection) {
    const epoch = (this.pipe?.epoch ?? 0) + 1;
    this.pipe = new Pipe(this, connection, epoch);
    const at = { epoch, dir: 'c2s', unit: 'msg', n: 0 };
    this.emit('pipe.opened', { at, epoch, transport: 'websocket', room: this.room.spec.name });
    this.settle();
  }

  // Waiting for a place in the pipe: `fence`, and `pipe.close` with `after`.

  /**
   * Calls done() once n messages of the pipe `epoch` are routed, or done(refusal). The caller is dropped without a word
   * if its sibling ends first, and `dropped` is called ("Fences that wait end without an answer").
   */
  reach({ epoch, n, ms }, done, dropped) {
    const latest = this.pipe?.epoch ?? 0;
    if (epoch > latest) return done(new Refusal('no_pipe'));
    if (epoch < latest) return done(new Refusal('pipe_ended'));
    const wait = { n, done, dropped };
    if (this.#decide(wait)) return undefined;
    const { maxPendingFences, fenceMs } = this.limits;
    if (this.#waiting.size >= maxPendingFences) return done(new Refusal('busy', { limit: maxPendingFences }));
    this.#waiting.add(wait);
    const late = () => this.#finish(wait, new Refusal('fence_timeout', { counters: this.counters() }));
    wait.timer = after(Math.min(ms ?? fenceMs, fenceMs), late);
    return undefined;
  }

  #decide(wait) {
    if (this.pipe.c2s.n >= wait.n) this.#finish(wait);
    else if (this.pipe.cause) this.#finish(wait, new Refusal('pipe_ended', { counters: this.counters() }));
    else return false;
    return true;
  }

  #finish(wait, refusal) {
    clearTimeout(wait.timer);
    this.#waiting.delete(wait);
    wait.done(refusal);
  }

  /** To be called whenever the pipe has routed a message or has ended. Waits are for the latest pipe only. */
  advance() {
    for (const wait of [...this.#waiting]) if (this.#waiting.has(wait)) this.#decide(wait);
    this.settle();
  }

  // Siblings.

  /** Binds the command channel, and takes it over if it is bound (BIND-11). */
  bind(sibling) {
    const old = this.sibling;
    this.generation += 1;
    this.sibling = sibling;
    this.#dropWaits();
    old?.replaced(this.generation);
    this.settle();
  }

  unbind(sibling) {
    if (this.sibling !== sibling) return;
    this.sibling = undefined;
    this.#dropWaits();
    this.settle();
  }

  #dropWaits() {
    for (const wait of this.#waiting) {
      clearTimeout(wait.timer);
      wait.dropped?.();
    }
    this.#waiting.clear();
  }

  /** Starts or stops lingering. The wish of `sibling.stay` holds for one absence (SESS-1 to SESS-3). */
  settle() {
    const held = this.openPipe !== undefined || this.sibling !== undefined || this.#ticket !== undefined;
    if (held) {
      clearTimeout(this.#lingerTimer);
      this.#lingerTimer = undefined;
    } else if (this.#lingerTimer === undefined) {
      this.#lingerTimer = after(Math.max(this.stayMs, this.limits.sessionLingerMs), () => this.#house.end(this));
      this.stayMs = 0;
    }
  }
}
