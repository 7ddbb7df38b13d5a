import type { Grant } from '../../../generated/types.js';
import { bindMac, newNonce } from './bytes.js';

/** Whatever a server says as JSON. */
export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

/** An answer that is an error, in the server's own words. */
export class CallError extends Error {
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

interface Waiting {
  readonly resolve: (result: Fields) => void;
  readonly reject: (error: Error) => void;
}

interface SiblingParts {
  readonly grant: Grant;
  readonly channel: 'command' | 'debug';
  readonly memory: Memory;
  readonly onEvent: (method: string, params: Fields) => void;
  readonly onClosed: (code: number) => void;
}

/** What a channel remembers while it sleeps. */
export interface Memory {
  lastSeq: number;
  eventEpoch: string | undefined;
}

/** The address of a WebSocket of this server. */
export function socketUrl(path: string): string {
  const url = new URL(path, location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  return url.href;
}

/** One channel of a sibling: binds itself, makes calls, and hears events. */
export class Sibling {
  readonly #parts: SiblingParts;
  readonly #waiting = new Map<number, Waiting>();
  #socket: WebSocket | null = null;
  #id = 0;

  constructor(parts: SiblingParts) {
    this.#parts = parts;
  }

  /** Opens and binds; resolves with the result of the bind. */
  open(): Promise<Fields> {
    const socket = new WebSocket(
      socketUrl(this.#parts.grant.endpoints.sibling.websocket ?? ''),
      'porthouse.sibling.v1',
    );
    this.#socket = socket;
    return new Promise((resolve, reject) => {
      socket.addEventListener('message', ({ data }: MessageEvent<string>) => {
        const frame: unknown = JSON.parse(data);
        if (!isFields(frame)) return;
        if (frame['method'] === 'sibling.hello') this.#bind(frame['params']).then(resolve, reject);
        else this.#take(frame);
      });
      socket.addEventListener('close', ({ code }) => {
        const gone = new CallError('closed', 'the sibling is not there');
        for (const { reject: refuse } of this.#waiting.values()) refuse(gone);
        this.#waiting.clear();
        reject(gone);
        this.#parts.onClosed(code);
      });
    });
  }

  call(method: string, params: Fields = {}): Promise<Fields> {
    const id = ++this.#id;
    return new Promise((resolve, reject) => {
      if (this.#socket?.readyState !== WebSocket.OPEN) {
        reject(new CallError('asleep', 'The sibling sleeps: wake it first.'));
        return;
      }
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    });
  }

  close(): void {
    this.#socket?.close();
  }

  async #bind(hello: unknown): Promise<Fields> {
    const nonce = isFields(hello) ? String(hello['nonce']) : '';
    const { channel, memory } = this.#parts;
    const { sid, siblingSecret } = this.#parts.grant;
    const cnonce = newNonce();
    const mac = await bindMac({ siblingSecret, sid, channel, nonce, cnonce });
    const { lastSeq, eventEpoch } = memory;
    const seen = eventEpoch === undefined ? {} : { lastSeq, eventEpoch };
    const result = await this.call('sibling.bind', { sid, channel, cnonce, mac, ...seen });
    memory.eventEpoch = String(result['eventEpoch']);
    return result;
  }

  #take(frame: Fields): void {
    const { method, params, id, result, error } = frame;
    if (typeof method === 'string' && isFields(params)) {
      if (typeof params['seq'] === 'number') this.#parts.memory.lastSeq = params['seq'];
      this.#parts.onEvent(method, params);
      return;
    }
    const waiting = this.#waiting.get(Number(id));
    this.#waiting.delete(Number(id));
    if (isFields(error)) {
      const data = isFields(error['data']) ? error['data'] : {};
      waiting?.reject(new CallError(String(data['name'] ?? error['code']), String(error['message'])));
    } else waiting?.resolve(isFields(result) ? result : {});
  }
}
