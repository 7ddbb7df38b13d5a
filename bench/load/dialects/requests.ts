import { Wire } from '../wire.js';
import { headLength } from './web-socket.js';

/** Less than the five seconds that Node leaves an idle connection open. */
const FRESH_MS = 2000;
const TOKEN = 'dev.bench';

/** What is posted. */
export interface Body {
  readonly path: string;
  readonly type: string;
  readonly pieces: readonly Buffer[];
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** An HTTP connection that stays open for one request after another. */
export class Requests {
  readonly #wire: Wire;
  readonly #host: string;
  #used = performance.now();

  private constructor(wire: Wire, host: string) {
    this.#wire = wire;
    this.#host = host;
  }

  static async to(url: URL): Promise<Requests> {
    return new Requests(await Wire.open(Number(url.port)), url.host);
  }

  /** Whether the server cannot have given it up for idle yet. */
  get fresh(): boolean {
    return performance.now() - this.#used < FRESH_MS;
  }

  /** Posts as the account of the benchmark; resolves with what comes back. */
  async post({ path, type, pieces }: Body): Promise<Answer> {
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const head =
      `POST ${path} HTTP/1.1\r\nHost: ${this.#host}\r\nAuthorization: Bearer ${TOKEN}\r\n` +
      `Content-Type: ${type}\r\nContent-Length: ${String(bytes)}\r\n\r\n`;
    this.#wire.write(Buffer.concat([Buffer.from(head), ...pieces]));
    const answer = (await this.#wire.next(headLength)).toString('latin1');
    const length = Number(/^content-length: *(\d+)/im.exec(answer)?.[1]);
    const body = await this.#wire.next((there) => (there.length < length ? -1 : length));
    this.#used = performance.now();
    return { status: Number(answer.split(' ', 2)[1]), body: body.toString() };
  }
}
