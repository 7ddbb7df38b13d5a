import type { Cancel, Clock } from '../../ports/clock.js';
import type { PipeDoor } from '../../ports/pipe.js';
import type { ByteSocket } from '../../ports/sockets.js';
import { TcpPipe } from './pipe.js';
import { type Preamble, readPreamble } from './preamble.js';

interface TcpIngressOptions {
  readonly door: PipeDoor;
  readonly clock: Clock;
  readonly limits: { readonly preambleMs: number };
  /** Takes over a connection that is a sibling, and what has come behind its preamble. */
  readonly sibling: (socket: ByteSocket, rest: Buffer) => void;
}

type Pipe = Extract<Preamble, { kind: 'pipe' }>;

/** The TCP input method: a connection says in its first line what it is. */
export class TcpIngress {
  readonly #options: TcpIngressOptions;
  #draining = false;

  constructor(options: TcpIngressOptions) {
    this.#options = options;
  }

  /** A connection has come in. */
  accept(socket: ByteSocket): void {
    if (this.#draining || socket.stream.destroyed) {
      socket.stream.destroy();
      return;
    }
    this.#hear(socket);
  }

  /** Takes no more connections, also none that have not said yet what they are. */
  drain(): void {
    this.#draining = true;
  }

  #hear(socket: ByteSocket): void {
    const { clock, limits } = this.#options;
    const { stream } = socket;
    let heard: Buffer = Buffer.alloc(0);
    const ignore = (): void => undefined; // its `close` follows, which is all that matters here
    const refuse = (): void => void stream.destroy();
    const take = (chunk: Buffer): void => {
      heard = Buffer.concat([heard, chunk]);
      const preamble = this.#draining ? null : readPreamble(heard);
      if (preamble === undefined) return;
      settle();
      if (preamble === null) refuse();
      else this.#open(socket, preamble);
    };
    const patience: Cancel = clock.after(limits.preambleMs, refuse); // TCP-4
    const settle = (): void => {
      patience();
      stream.pause();
      stream.off('data', take).off('end', refuse).off('close', patience);
    };
    stream.on('error', ignore).on('data', take).once('end', refuse).once('close', patience);
  }

  #open(socket: ByteSocket, preamble: Preamble): void {
    if (preamble.kind === 'sibling') this.#options.sibling(socket, preamble.rest);
    else this.#openPipe(socket, preamble);
  }

  #openPipe(socket: ByteSocket, { ticket, framing, rest }: Pipe): void {
    const offer = this.#options.door.redeem(ticket, 'tcp', framing);
    if ('refused' in offer) {
      socket.stream.destroy(); // TCP-2
      return;
    }
    const { hardMessageBytes, keepaliveMs } = offer.limits;
    const pipe = new TcpPipe({ socket, framing, clock: offer.clock, hardMessageBytes, keepaliveMs });
    pipe.attach(offer.open(pipe), rest);
  }
}
