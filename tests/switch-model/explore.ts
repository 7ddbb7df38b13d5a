/** One thing that can happen next. `adverse` is what nobody can count on: a cut, a timeout, the end of a pipe. */
export interface Step<S> {
  readonly label: string;
  readonly to: S;
  readonly adverse: boolean;
}

/** A protocol as a graph of states, small enough to look at all of it. States are plain JSON values. */
export interface Model<S> {
  readonly start: S;
  /** `fork` gives a copy of the state to change. */
  steps(state: S, fork: () => S): readonly Step<S>[];
  /** What is wrong in this state, or null. */
  fault(state: S): string | null;
  /** Whether nothing is open or under way. */
  settled(state: S): boolean;
}

/** What was found: `fault` with the shortest way to it, or null when every state is sound. */
export interface Finding {
  readonly states: number;
  readonly fault: string | null;
  readonly way: readonly string[];
}

interface Seen {
  /** The state as JSON, which takes less room and makes copies soonest. */
  readonly text: string;
  readonly settled: boolean;
  readonly from: number;
  readonly label: string;
  /** States from which this one is reached without anything adverse. */
  readonly before: number[];
}

function wayTo(seen: readonly Seen[], index: number): readonly string[] {
  const way: string[] = [];
  for (let at = seen[index]; at && at.from >= 0; at = seen[at.from]) way.unshift(at.label);
  return way;
}

/** The first state from which nothing but luck leads to a settled one: a deadlock, unless a timeout resolves it. */
function stuck(seen: readonly Seen[]): number {
  const good = new Set<number>();
  const open = seen.flatMap(({ settled }, index) => (settled ? [index] : []));
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (good.has(index)) continue;
    good.add(index);
    open.push(...(seen[index]?.before ?? []));
  }
  return seen.findIndex((_, index) => !good.has(index));
}

/** Visits every reachable state, nearest first, so that the way to a fault is the shortest there is. */
export function explore<S>(model: Model<S>): Finding {
  const known = new Map<string, number>();
  const seen: Seen[] = [];
  const visit = (state: S, from: number, label: string): number => {
    const text = JSON.stringify(state);
    const found = known.get(text);
    if (found !== undefined) return found;
    known.set(text, seen.length);
    return seen.push({ text, settled: model.settled(state), from, label, before: [] }) - 1;
  };
  visit(model.start, -1, '');
  for (let index = 0; index < seen.length; index++) {
    const text = seen[index]?.text ?? '';
    const fork = (): S => JSON.parse(text) as S;
    const state = fork();
    const fault = model.fault(state);
    if (fault !== null) return { states: seen.length, fault, way: wayTo(seen, index) };
    for (const { label, to, adverse } of model.steps(state, fork)) {
      const next = visit(to, index, label);
      if (!adverse) seen[next]?.before.push(index);
    }
  }
  const dead = stuck(seen);
  if (dead < 0) return { states: seen.length, fault: null, way: [] };
  return { states: seen.length, fault: 'nothing but a timeout can settle this', way: wayTo(seen, dead) };
}
