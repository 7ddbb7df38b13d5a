/** Undoes what it was returned for; harmless when that already happened. */
export type Cancel = () => void;

/** Time as the router knows it: monotonic milliseconds, and calls at a later time. */
export interface Clock {
  now(): number;
  after(ms: number, run: () => void): Cancel;
}

/** The end of the present tick, at which the messages that it gathered leave together. */
export interface Scheduler {
  soon(run: () => void): void;
}

/** Unpredictable bytes, for everything that must not be guessed. */
export interface Entropy {
  bytes(count: number): Buffer;
}
