import type { Target } from '../endpoints.js';
import type { Fields } from '../model.js';
import type { Run } from './run.js';

/** The server's process, where it is the kit's own. */
export interface ServerControl {
  /** What it did by itself: it ended, or it did not come back. */
  readonly trouble: () => string | undefined;
  /** Asks it to end in its own time. */
  readonly drain: () => void;
  /** Ends it, and resolves when it has let go of its port. */
  readonly end: (how: 'kill' | 'term') => Promise<void>;
  /** Starts what was ended, and reads its discovery document anew. */
  readonly start: () => Promise<Target>;
}

const controlOf = ({ setting: { server } }: Run): ServerControl => {
  if (server === undefined) throw new Error('the server is not the kit’s own');
  return server;
};

// What ended by itself is not started again: that would hide it.
function crashed(run: Run, server: ServerControl): boolean {
  const what = server.trouble();
  if (what !== undefined) run.append({ type: 'server', event: 'crashed', what });
  return what !== undefined;
}

/** The `drain` verb. */
export function drainStep(run: Run): void {
  const server = controlOf(run);
  if (crashed(run, server)) return;
  run.append({ type: 'server', event: 'ending', how: 'term' });
  server.drain();
}

/** The `restart` verb. `how: if-ended` is the kit's own: a case that left the server ended gets it back. */
export async function restartStep(run: Run, { how }: Fields): Promise<void> {
  const server = controlOf(run);
  if (crashed(run, server)) return;
  if (how === 'if-ended' && run.ledger.server.state === 'up') return;
  await server.end(how === 'kill' ? 'kill' : 'term');
  run.append({ type: 'server', event: 'ended', ...(typeof how === 'string' ? { how } : {}) });
  const open = (): boolean => run.ledger.all.some((each) => each.opened && !each.closed && !each.leaving && !each.held);
  await run.until(() => !open(), run.setting.deadlineMs());
  try {
    run.target = await server.start();
    const { wellKnown, discovery } = run.target;
    run.append({ type: 'server', event: 'started', url: wellKnown.href, discovery });
  } catch (error) {
    run.append({ type: 'server', event: 'failed', what: (error as Error).message });
  }
}
