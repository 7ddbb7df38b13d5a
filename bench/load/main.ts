import { once } from 'node:events';
import type { Job, Report } from './job.js';
import { hold, open, pace, window } from './tasks.js';

const WATCH_MS = 60_000;

// The load generator: one job, one process. It talks with whoever started it over IPC, and ends when told to.
const job = JSON.parse(process.argv[2] ?? '') as Job;
const report = (message: Report): void => void process.send?.(message);
const goOn = async (): Promise<void> => {
  await once(process, 'message');
};
const held = (count: number): Promise<void> => {
  report({ held: count });
  return goOn();
};

// Nothing here takes as long; whoever waits for it gets to know that something hangs.
setTimeout(() => {
  throw new Error(`still not done: ${job.task}`);
}, WATCH_MS).unref();

const tasks = { window, pace, open, hold: (given: Job) => hold(given, held) };
report({ outcome: await tasks[job.task](job) });
await goOn();
process.exit(0);
