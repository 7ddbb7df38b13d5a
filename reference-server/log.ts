import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { type Logger, pino } from 'pino';

const STDERR = 2;

/** What may wait for a slow reader: about ten thousand lines. */
const MAX_WAITING_BYTES = 1 << 20;

/** How soon a full pipe is tried again; twice as late each time that nothing has gone. */
const RETRY_MS = { first: 1, last: 100 };

/** How long the end of the process waits for a reader. */
const LAST_LINES_MS = 2000;

interface Waiting {
  /** What is still to be written. */
  rest: Buffer;
  readonly bytes: number;
  /** How many lines are lost with it: one, or all that a notice tells of. */
  readonly lines: number;
}

/** What stands where `lines` lines are missing. */
function noticeOf(lines: number): string {
  let text = '';
  const notices = pino({}, { write: (line) => void (text = line) });
  notices.warn({ lines }, 'lines of this log were lost: nobody read them, or they could not be written');
  return text;
}

/**
 * Writes lines at once where that is possible, and never waits for whoever reads them: up to a MiB is kept for a slow
 * reader. What comes when that is full is lost, and counted, until all that was kept has gone; then one line tells how
 * many are missing there. The same where writing fails, as to a pipe whose reader has gone or onto a full disk.
 *
 * Not SonicBoom with `sync: false`: its write holds a thread, for which `process.exit` then waits, and its `flushSync`
 * leaves out what is under way and never returns after EPIPE.
 */
class Outlet {
  readonly #fd: number;
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #lost = 0;
  /** Whether the last line that was lost is there in part. */
  #torn = false;
  #retryMs = RETRY_MS.first;
  #retry: NodeJS.Timeout | undefined;

  /** `fd` is one that is written without blocking, or a file. */
  constructor(fd: number) {
    this.#fd = fd;
  }

  write(line: string): void {
    const text = Buffer.from(line);
    if (this.#lost === 0 && this.#waitingBytes + text.length > MAX_WAITING_BYTES) this.#flush();
    const full = this.#waitingBytes + text.length > MAX_WAITING_BYTES;
    if (this.#waiting.length > 0 && (full || this.#lost > 0)) {
      this.#lost += 1;
      return;
    }
    this.#tellLost();
    this.#push(text, 1);
    if (!this.#retry) this.#flush();
  }

  /** Waits until all is written, for at most `ms`, as nothing but the end of a process may. */
  end(ms: number): void {
    const still = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const until = performance.now() + ms;
    this.#flush();
    while (this.#waiting.length > 0 && performance.now() < until) {
      Atomics.wait(still, 0, 0, RETRY_MS.first);
      this.#flush();
    }
  }

  #push(rest: Buffer, lines: number): void {
    this.#waiting.push({ rest, bytes: rest.length, lines });
    this.#waitingBytes += rest.length;
  }

  #tellLost(): void {
    if (this.#lost === 0) return;
    const notice = noticeOf(this.#lost);
    this.#push(Buffer.from(this.#torn ? `\n${notice}` : notice), this.#lost);
    this.#lost = 0;
  }

  #flush(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    try {
      while (this.#writeSome());
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') this.#later();
      else this.#lose();
    }
  }

  /** Whether there was anything to write. Throws what writing throws. */
  #writeSome(): boolean {
    if (this.#waiting.length === 0) this.#tellLost();
    const [first] = this.#waiting;
    if (!first) return false;
    const written = writeSync(this.#fd, first.rest);
    this.#retryMs = RETRY_MS.first;
    this.#waitingBytes -= written;
    first.rest = first.rest.subarray(written);
    if (first.rest.length === 0) this.#waiting.shift();
    return true;
  }

  #later(): void {
    this.#retry = setTimeout(() => this.#flush(), this.#retryMs).unref();
    this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MS.last);
  }

  #lose(): void {
    const [first] = this.#waiting;
    this.#torn = first !== undefined && first.rest.length < first.bytes;
    for (const { lines } of this.#waiting.splice(0)) this.#lost += lines;
    this.#waitingBytes = 0;
  }
}

let outlet: Outlet | undefined;

/** Stderr, non-blocking by a file description of its own where it can have one: with the other one, others could undo it. */
function unblocked(): number {
  if (fstatSync(STDERR).isFile()) return STDERR;
  try {
    return openSync('/dev/stderr', constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return STDERR; // a socket, or a pipe that nobody reads
  }
}

/** The one way of this process to stderr, for lines that end with a line end. What still waits goes out at the end. */
export function standardError(): { write(line: string): void } {
  if (outlet) return outlet;
  // Whoever asks for this stream has pipes and sockets made non-blocking by Node, for what Node itself writes too.
  process.stderr.on('error', () => undefined);
  const made = (outlet = new Outlet(unblocked()));
  process.once('exit', () => made.end(LAST_LINES_MS));
  return made;
}

/** A log of JSON lines on stderr, which holds nobody up when nobody reads it. */
export const openLog = (level: string): Logger => pino({ level }, standardError());
