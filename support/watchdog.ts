import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';

// Each line is all that is to be killed by then; the last one counts when whoever wrote them is gone.
const SCRIPT = 'while read -r line; do last=$line; done; for each in $last; do kill -s KILL -- "$each"; done';

const watched = new Set<number>();
let dog: ChildProcess | null = null;

/** Readies what watches, so that from the start of a process until it is watched next to no time goes by. */
export function standBy(): void {
  dog ??= start();
}

/**
 * Has a process killed when this one is gone, however it ends: signals that end it at once let it do nothing any more,
 * so that a shell does it, which notices by the end of its input.
 *
 * @param target - A process id, or for a whole process group the negative id of its leader.
 */
export function watch(target: number): void {
  watched.add(target);
  tell();
}

/** The process has ended: its id may soon be somebody else's. */
export function unwatch(target: number): void {
  if (watched.delete(target)) tell();
}

function tell(): void {
  standBy();
  dog?.stdin?.write(`${[...watched].join(' ')}\n`);
}

/** A process group of its own, so that what is meant for this one does not end it as well. */
function start(): ChildProcess {
  const shell = spawn('sh', ['-c', SCRIPT], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  shell.on('error', () => undefined); // where there is no shell, nothing is guarded
  shell.stdin.on('error', () => undefined);
  shell.unref();
  if (shell.stdin instanceof Socket) shell.stdin.unref(); // which is what it is
  return shell;
}
