import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { Account } from './content.js';

/** By what a stream is sent. */
export type Through = 'ftp' | 'form';

/** Where it is sent, and by whom. */
export interface Destination {
  readonly url: string;
  /** The ticket of a grant for FTP, or the account's token for a form. */
  readonly secret: string;
}

// What curl reads with -F it reads in whole before it sends, unless it is a pipe with a name: `cat` makes it one.
const COMMANDS: Readonly<Record<Through, string>> = {
  ftp: 'exec curl -sS -w "%{response_code}" --append -T - -u "porthouse:$SECRET" "$DESTINATION"',
  form:
    'cat | curl -sS -w "\\n%{response_code}" -H "Authorization: Bearer $SECRET" ' +
    '-F "message=@/dev/stdin;filename=stream" "$DESTINATION"',
};

/** curl, which sends its standard input as it comes. */
export class Sender {
  readonly #child: ChildProcess;
  readonly #answer: Promise<string>;
  readonly #said: Promise<string>;

  constructor(through: Through, { url, secret }: Destination) {
    const child = spawn('sh', ['-c', COMMANDS[through]], {
      env: { ...process.env, DESTINATION: url, SECRET: secret },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#answer = text(child.stdout);
    this.#said = text(child.stderr);
    child.stdin.on('error', () => undefined); // what curl says of it tells more
  }

  /** Hands all chunks over, each when there is room for it; `account` has what was taken. */
  async feed(chunks: Iterable<Buffer>, account: Account): Promise<void> {
    const { stdin } = this.#child;
    if (!stdin) throw new Error('no input to write to');
    for (const chunk of chunks) {
      const gone = await new Promise((resolve) => stdin.write(chunk, resolve));
      if (gone) throw new Error(`curl ended: ${await this.#said}`);
      account.add(chunk);
    }
    stdin.end();
  }

  /** What the server has answered, when curl has ended; throws where curl is not content. */
  async answer(): Promise<string> {
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
    if (this.#child.exitCode !== 0) throw new Error(`curl failed: ${await this.#said}`);
    return this.#answer;
  }

  /** Ends it, if it has not ended. Whatever it started ends with its input. */
  stop(): void {
    this.#child.stdin?.destroy();
    this.#child.kill();
  }
}
