// A pipe: counts and routes what its client sends, and queues what others send (rooms.md, positions.md).
import { keepAlive } from './sockets.mjs';

/** Causes of the errors that `ws` finds, by their close code (websocket.md, "Close codes"). */
const CAUSES = { WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 'message_too_long', WS_ERR_INVALID_UTF8: 'invalid_utf8' };
const NO_CLOSE_FRAME = 1006;

export class Pipe {
  /** Why it ended; undefined while it is open. */
  cause = undefined;
  c2s = { n: 0, bytes: 0 };
  s2c = { n: 0, bytes: 0, dropped: 0 };
  #enqueued = 0;
  /** Messages that the operating system has not taken, the first of them perhaps in part. */
  #queue = [];
  #queuedBytes = 0;
  #writing = false;
  #session;
  #ws;

  constructor(session, { ws, socket }, epoch) {
    this.epoch = epoch;
    this.#session = session;
    this.#ws = ws;
    ws.on('message', (payload, binary) => this.#receive({ payload, binary }));
    ws.on('error', ({ code }) => this.end(CAUSES[code] ?? 'protocol_error'));
    // After an error of the client's the next line comes first, and its 'error' follows at once: see above.
    ws.on('closing', () => process.nextTick(() => this.end('closed_by_peer')));
    ws.on('close', (code) => this.end(code === NO_CLOSE_FRAME ? 'lost' : 'closed_by_peer'));
    keepAlive({ ws, socket }, session.limits.keepaliveMs, () => this.end('timeout', 4010));
  }

  state() {
    const { epoch, cause, c2s, s2c } = this;
    const status = cause ? { status: 'ended', cause } : { status: 'open' };
    return { epoch, ...status, transport: 'websocket', c2s, s2c };
  }

  /** Messages are routed as soon as they are counted, so that both are one number (fence.md). */
  counters() {
    const [received, { n: s2cWritten, dropped: s2cDropped }] = [this.c2s.n, this.s2c];
    const c2s = { c2sReceived: received, c2sRouted: received };
    return { epoch: this.epoch, ...c2s, s2cEnqueued: this.#enqueued, s2cWritten, s2cDropped };
  }

  position(dir) {
    return { epoch: this.epoch, dir, unit: 'msg', n: this[dir].n };
  }

  /** Counts a message, refused or not (POS-1), and routes it. */
  #receive(message) {
    if (this.cause) return;
    this.c2s.n += 1;
    this.c2s.bytes += message.payload.length;
    const error = this.#fault(message);
    if (error)
      this.#session.emit('pipe.refused', { at: this.position('c2s'), from: this.c2s.n, to: this.c2s.n, error });
    else this.#route(message);
    this.#session.advance();
  }

  /** In the order of the table in rooms.md. */
  #fault({ payload }) {
    const limit = this.#session.limits.maxMessageBytes;
    if (!this.#session.scopes.includes('send')) return { name: 'forbidden' };
    return payload.length > limit ? { name: 'message_too_large', limit } : undefined;
  }

  #route(message) {
    const { members, spec } = this.#session.room;
    for (const member of members) {
      const receives = member.scopes.includes('receive') && (member !== this.#session || spec.echo);
      if (receives) member.openPipe?.deliver(message);
    }
  }

  deliver(message) {
    this.#enqueued += 1;
    this.#queue.push(message);
    this.#queuedBytes += message.payload.length;
    this.#write();
    const { maxQueuedMessages, maxQueuedBytes } = this.#session.limits;
    const full = this.#queue.length > maxQueuedMessages || this.#queuedBytes > maxQueuedBytes;
    // One message alone never makes a slow consumer (DELIV-11).
    if (full && this.#queue.length > 1) this.end('slow_consumer', 4008);
  }

  /** Hands over one message at a time, for what is with `ws` can be neither dropped nor counted as waiting. */
  #write() {
    while (!this.cause && !this.#writing && this.#queue.length > 0) {
      const message = this.#queue[0];
      this.#writing = true;
      this.#send(message, () => {
        this.#written(message);
        this.#write();
      });
      if (this.#ws.bufferedAmount === 0) this.#written(message);
    }
  }

  #send({ payload, binary }, done) {
    this.#ws.send(payload, { binary }, (error) => error ?? done?.());
  }

  #written(message) {
    if (!this.cause && this.#queue[0] === message) this.#take();
  }

  /** Counts the first message in the queue as written (POS-2). */
  #take() {
    const { payload } = this.#queue.shift();
    this.#writing = false;
    this.#queuedBytes -= payload.length;
    this.s2c.n += 1;
    this.s2c.bytes += payload.length;
  }

  /** `pipe.close`: what is queued is written before the close frame (PIPE-6). */
  close() {
    for (const message of this.#queue.slice(this.#writing ? 1 : 0)) this.#send(message);
    while (this.#queue.length > 0) this.#take();
    this.end('closed_by_session', 1000);
  }

  /** Ends the pipe, with a close frame if `ws` has not sent one already. The cause is what was noticed first. */
  end(cause, code) {
    if (this.cause) return;
    // A message that is begun goes before the close frame; on a broken connection it will never be whole.
    if (this.#writing && cause !== 'lost') this.#take();
    this.s2c.dropped = this.#queue.length;
    this.#queue = [];
    this.cause = cause;
    if (code) this.#ws.close(code, code === 1000 ? '' : cause);
    for (const dir of ['c2s', 's2c']) {
      const { n: finalN, bytes: finalBytes } = this[dir];
      this.#session.emit('pipe.ended', { at: this.position(dir), dir, finalN, finalBytes, cause });
    }
    this.#session.advance();
  }
}
