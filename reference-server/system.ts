import { randomBytes } from 'node:crypto';
import type { Clock, Entropy, Scheduler } from './ports/clock.js';

/** Longest delay that the runtime's timers can hold. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The machine's monotonic clock. Its timers keep no process alive: sockets do. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, Math.min(ms, MAX_TIMER_MS)).unref();
    return () => clearTimeout(timer);
  },
};

export const systemScheduler: Scheduler = {
  soon: (run) => void setImmediate(run),
};

export const systemEntropy: Entropy = {
  bytes: (count) => randomBytes(count),
};
