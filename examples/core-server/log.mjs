// The lifecycle events of a session: numbered for good, retained in a ring until acknowledged ("Sleep and wake").

/** What is sent for an event; a replayed one says so (SIB-3). */
const textOf = (method, params) => JSON.stringify({ jsonrpc: '2.0', method, params });

export class Log {
  headSeq = 0;
  #acked = 0;
  #ring = [];
  #bytes = 0;
  #limits;

  constructor(limits) {
    this.#limits = limits;
  }

  /** Numbers an event (SIB-1). It stays in the ring at least until `trim`, so that it can be sent before it is lost. */
  append(sid, method, params) {
    this.headSeq += 1;
    const event = { seq: this.headSeq, method, params: { seq: this.headSeq, sid, ...params } };
    event.bytes = Buffer.byteLength(textOf(method, event.params));
    this.#ring.push(event);
    this.#bytes += event.bytes;
  }

  /** The oldest go first (SIB-2). What is retained is always the end of the log, so that a gap is one range. */
  trim() {
    while (this.#ring.length > this.#limits.ringEvents || this.#bytes > this.#limits.ringBytes) this.#drop();
  }

  ack(seq) {
    this.#acked = Math.max(this.#acked, seq);
    while (this.#ring[0]?.seq <= seq) this.#drop();
  }

  #drop() {
    this.#bytes -= this.#ring.shift().bytes;
  }

  get oldestSeq() {
    return this.#ring[0]?.seq ?? this.headSeq + 1;
  }

  /** What a client that knows the events up to `seq` has lost: neither acknowledged nor retained (SIB-4). */
  gapAfter(seq) {
    const [from, to] = [Math.max(seq, this.#acked) + 1, this.oldestSeq - 1];
    return from <= to ? { from, to } : null;
  }

  /** Text of a retained event. */
  textAt(seq, replay) {
    const { method, params } = this.#ring[seq - this.oldestSeq];
    return textOf(method, replay ? { ...params, replay: true } : params);
  }
}
