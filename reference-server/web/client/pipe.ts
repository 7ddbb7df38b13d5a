import { socketUrl } from './sibling.js';

export type Kind = 'text' | 'json' | 'binary';

/** A message as the page shows it. */
export interface Shown {
  readonly kind: 'text' | 'binary';
  readonly payload: string | Uint8Array;
  /** Its number in its direction. */
  readonly n: number;
}

interface PipeHandlers {
  readonly onMessage: (message: Shown) => void;
  readonly onClosed: (code: number, reason: string) => void;
}

/** The pipe: nothing but what its user sends and receives, counted in both directions (positions.md). */
export class Pipe {
  readonly #socket: WebSocket;
  #sent = 0;
  #received = 0;

  /** Resolves with an open pipe; rejects where the ticket is not taken. */
  static open(path: string, ticket: string, handlers: PipeHandlers): Promise<Pipe> {
    const socket = new WebSocket(socketUrl(path), ['porthouse.pipe.v1', `porthouse.ticket.${ticket}`]);
    socket.binaryType = 'arraybuffer';
    const pipe = new Pipe(socket, handlers);
    return new Promise((resolve, reject) => {
      socket.addEventListener('open', () => resolve(pipe));
      socket.addEventListener('error', () => reject(new Error('The pipe was refused.')));
    });
  }

  private constructor(socket: WebSocket, { onMessage, onClosed }: PipeHandlers) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }: MessageEvent<string | ArrayBuffer>) => {
      const n = ++this.#received;
      if (typeof data === 'string') onMessage({ kind: 'text', payload: data, n });
      else onMessage({ kind: 'binary', payload: new Uint8Array(data), n });
    });
    socket.addEventListener('close', ({ code, reason }) => onClosed(code, reason));
  }

  /** Number of the last message sent. */
  get sent(): number {
    return this.#sent;
  }

  get open(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** Sends one message and returns its number. */
  send(payload: string | Uint8Array<ArrayBuffer>): number {
    this.#socket.send(payload);
    return ++this.#sent;
  }

  close(): void {
    this.#socket.close(1000);
  }
}
