import type { Model, Step } from './explore.js';
import { clientActs } from './move-client.js';
import { endPipe, serverActs } from './move-server.js';
import { type Act, fault, type MoveBounds, type MoveFaults, settled, start, type State } from './move-state.js';

/** The rule for moves, within bounds; with faults it is one of its wrong variants. */
export function move(bounds: MoveBounds, faults: MoveFaults = {}): Model<unknown> {
  const lost = (s: State): Act => [
    'the pipe is lost',
    s.up && s.left.ends > 0,
    (t) => {
      t.left.ends -= 1;
      endPipe(t, faults);
    },
    true,
  ];
  const steps = (s: State, fork: () => State): readonly Step<State>[] =>
    [...serverActs(s, bounds, faults), ...clientActs(s, bounds, faults), lost(s)]
      .filter(([, enabled]) => enabled)
      .map(([label, , run, adverse]) => {
        const to = fork();
        run(to);
        return { label, to, adverse: adverse === true };
      });
  return {
    start: start(bounds),
    steps: (state, fork) => steps(state as State, fork as () => State),
    fault: (state) => fault(state as State),
    settled: (state) => settled(state as State),
  };
}
