/** Turns of the event loop that are enough for whatever is under way within one process. */
const TURNS = 10_000;

/** Lets the event loop turn until something is so; throws where that never comes. */
export async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) {
    if (holds()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('it never came to be');
}
