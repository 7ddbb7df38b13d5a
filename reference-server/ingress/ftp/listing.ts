import type { Kind } from '../../ports/message.js';
import type { Queued } from '../../ports/pipe.js';

/** Something that a listing shows. */
export interface Entry {
  readonly name: string;
  readonly type: 'dir' | 'file';
  /** Payload bytes, where that is known. */
  readonly bytes?: number;
  readonly kind?: Kind;
}

const MEDIA: Readonly<Record<Kind, string>> = {
  text: 'text/plain;charset=utf-8',
  json: 'application/json',
  binary: 'application/octet-stream',
};

/** The messages that wait for a member: only the first can be fetched, and the next is the first then. */
export function waiting(queued: readonly Queued[]): Entry[] {
  return queued.map(({ kind, bytes }, index) => ({
    name: index === 0 ? 'next' : `next-${String(index + 1)}`,
    type: 'file',
    bytes,
    kind,
  }));
}

/** The facts of RFC 3659, section 7.5. */
export function factsOf({ type, bytes, kind }: Entry): string {
  const size = bytes === undefined ? '' : `size=${String(bytes)};`;
  const media = kind === undefined ? '' : `media-type=${MEDIA[kind].replace(';', ',')};`;
  return `type=${type};${size}perm=${type === 'dir' ? 'elc' : 'r'};${media}`;
}

/** As `ls -l` has it; there is no time of day in Porthouse. */
function longLine({ name, type, bytes = 0 }: Entry): string {
  const mode = type === 'dir' ? 'drwxr-xr-x' : '-r--r--r--';
  return `${mode} 1 porthouse porthouse ${String(bytes).padStart(10)} Jan  1  1970 ${name}`;
}

const LINES = {
  LIST: longLine,
  NLST: ({ name }: Entry) => name,
  MLSD: (entry: Entry) => `${factsOf(entry)} ${entry.name}`,
} as const;

export type ListCommand = keyof typeof LINES;

/** A listing as it travels on a data connection. */
export function listing(command: ListCommand, entries: readonly Entry[]): Buffer {
  return Buffer.from(entries.map((entry) => `${LINES[command](entry)}\r\n`).join(''));
}
