import type { Deferred, OpKey } from '../ports/sibling.js';
import type { Refusal } from '../ports/refusal.js';

/** Results kept for a session; an older one is forgotten (RPC-9). */
const KEPT = 64;

/** Repeats of one call that wait for its result; a client that asks more often than that does not listen. */
const MOST_WAITING = 64;

interface Operation {
  readonly method: string;
  result: object | Refusal | null;
  waiting: ((result: object | Refusal) => void)[];
}

/** Calls that carry an `op` run once: whoever lost the reply to a cut asks again and gets it. */
export class Operations {
  readonly #known = new Map<string, Operation>();

  once(key: OpKey, call: Deferred): void {
    const known = this.#known.get(key.op);
    if (!known) this.#start(key, call);
    else if (known.method !== key.method) key.reply({ refused: 'invalid_params', pointer: '/op' });
    else if (known.result) key.reply(known.result);
    else if (known.waiting.length >= MOST_WAITING) key.reply({ refused: 'busy' });
    else known.waiting.push(key.reply);
  }

  #start(key: OpKey, call: Deferred): void {
    const operation: Operation = { method: key.method, result: null, waiting: [key.reply] };
    this.#known.set(key.op, operation);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= KEPT) break;
      this.#known.delete(oldest);
    }
    call((result) => {
      operation.result = result;
      if ('refused' in result && result.refused === 'invalid_params') this.#forget(key.op, operation);
      const { waiting } = operation;
      operation.waiting = [];
      for (const reply of waiting) reply(result);
    });
  }

  /** What was invalid was no operation, also where only its meaning told so. */
  #forget(op: string, operation: Operation): void {
    if (this.#known.get(op) === operation) this.#known.delete(op);
  }
}
