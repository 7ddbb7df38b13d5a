/** The sibling as both models see it: calls and replies that a cut loses, events that it does not. */
export interface Sibling<E, C, R> {
  bound: boolean;
  /** The events that the client has not had yet, in order. */
  log: E[];
  /** Under way to the client, in order: the next event of the log, or a reply. */
  down: ('event' | { reply: R })[];
  calls: C[];
  /** Calls that were under way when the connection was cut: the server may still read them, until the next bind. */
  ghosts: C[];
  /** The call that the client repeats until it is answered. */
  unanswered: C | null;
  cutsLeft: number;
}

/** What can be wrong with a sibling. */
export interface SiblingFaults {
  /** Events are sent once, and what a cut loses is lost. */
  readonly forgetsEvents?: boolean;
  /** Calls of a connection that was taken over are still carried out. */
  readonly hearsGhosts?: boolean;
}

export function newSibling<E, C, R>(cuts: number): Sibling<E, C, R> {
  return { bound: true, log: [], down: [], calls: [], ghosts: [], unanswered: null, cutsLeft: cuts };
}

export function emit<E, C, R>(sibling: Sibling<E, C, R>, event: E): void {
  sibling.log.push(event);
  if (sibling.bound) sibling.down.push('event');
}

/** The client makes a call that it will repeat after a cut. */
export function call<E, C, R>(sibling: Sibling<E, C, R>, made: C): void {
  sibling.unanswered = made;
  if (sibling.bound) sibling.calls.push(made);
}

/** The connection breaks, at any moment and without notice. */
export function cut<E, C, R>(sibling: Sibling<E, C, R>): void {
  sibling.bound = false;
  sibling.down = [];
  sibling.ghosts.push(...sibling.calls.splice(0));
  sibling.cutsLeft -= 1;
}

/** Binds again: a wake after a cut, and a takeover of whatever the server still holds of the old connection. */
export function bind<E, C, R>(sibling: Sibling<E, C, R>, faults: SiblingFaults): void {
  sibling.bound = true;
  if (!faults.hearsGhosts) sibling.ghosts = [];
  if (faults.forgetsEvents) sibling.log = [];
  sibling.down = sibling.log.map(() => 'event');
  sibling.calls = sibling.unanswered === null ? [] : [sibling.unanswered];
}

/** Whether nothing is under way on it, and nothing waits for an answer. */
export function quiet<E, C, R>(sibling: Sibling<E, C, R>): boolean {
  const { bound, down, calls, ghosts, unanswered, log } = sibling;
  return bound && unanswered === null && [down, calls, ghosts, log].every(({ length }) => length === 0);
}

/** The client takes the next thing that has arrived. */
export function take<E, C, R>(sibling: Sibling<E, C, R>): { event?: E; reply?: R } {
  const item = sibling.down.shift();
  if (item === undefined) return {};
  if (item !== 'event') return item;
  const event = sibling.log.shift();
  return event === undefined ? {} : { event };
}
