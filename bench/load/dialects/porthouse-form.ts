import type { Dialect, Line } from '../dialect.js';
import { formPath, openPipe } from './porthouse.js';
import { Requests } from './requests.js';
import { Sessions } from './sessions.js';
import { FrameParser } from './web-socket.js';

const BOUNDARY = 'bench-bench-bench';
const TYPE = `multipart/form-data; boundary=${BOUNDARY}`;
const HEAD = Buffer.from(
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="message"; filename="m"\r\n\r\n`,
  'latin1',
);
const TAIL = Buffer.from('\r\n');
const END = Buffer.from(`--${BOUNDARY}--\r\n`);

/** Posts one form after another on one connection: each has all the messages that came up while the last was posted. */
class Poster implements Line {
  readonly #requests: Requests;
  readonly #path: string;
  #waiting: Buffer[] = [];
  #posting = false;

  constructor(requests: Requests, path: string) {
    this.#requests = requests;
    this.#path = path;
  }

  write(bytes: Buffer | string): void {
    this.#waiting.push(Buffer.from(bytes));
    if (!this.#posting) void this.#post();
  }

  follow(): void {
    throw new Error('a form receives nothing');
  }

  async #post(): Promise<void> {
    this.#posting = true;
    while (this.#waiting.length > 0) {
      const pieces = [...this.#waiting, END];
      this.#waiting = [];
      const { status, body } = await this.#requests.post({ path: this.#path, type: TYPE, pieces });
      if (status !== 200) throw new Error(`not posted: ${body}`);
    }
    this.#posting = false;
  }
}

/** Porthouse with a sender that posts forms; who receives has a WebSocket. */
export const porthouseForm: Dialect = {
  parser: new FrameParser(),
  frame: (payload) => ({ bytes: Buffer.concat([HEAD, payload, TAIL]), payloadAt: HEAD.length, mask: null }),
  async start(url) {
    const sessions = await Sessions.of(url);
    return async (role) => {
      if (role !== 'sender') return openPipe(sessions, role);
      await sessions.grant({ transport: 'websocket' }); // there has to be a room
      return new Poster(await Requests.to(url), formPath(sessions));
    };
  },
};
