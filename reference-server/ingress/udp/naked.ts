import { isUtf8 } from 'node:buffer';
import type { EndCause } from '../../../generated/types.js';
import type { GrantDoor } from '../../ports/access.js';
import type { Clock } from '../../ports/clock.js';
import type { Kind } from '../../ports/message.js';
import type { PipeDoor, PipeSink, PipeSource } from '../../ports/pipe.js';
import type { Refusal } from '../../ports/refusal.js';
import type { Address, DatagramSocket, DatagramSockets } from '../../ports/sockets.js';
import { TokenBucket } from '../../ports/token-bucket.js';
import { enter } from '../enter.js';

/** A port of its own where each datagram is a message for one room. */
export interface NakedSettings {
  readonly room: string;
  readonly kind: Kind;
  /** Longer datagrams are ignored. */
  readonly maxBytes: number;
  /** What comes faster than this is ignored, from whomever. */
  readonly messagesPerSecond: number;
}

interface NakedOptions extends NakedSettings {
  readonly sockets: DatagramSockets;
  readonly at: Address;
  readonly door: PipeDoor;
  readonly grants: GrantDoor;
  readonly clock: Clock;
}

/** How soon after its end, or in vain, it tries again to enter its room. */
const AGAIN_MS = 1000;

/** What its ticket, which never leaves the server, is made for: a transport that every server of this kind offers. */
const TICKET_FOR = 'websocket';

/** Nothing is ever sent: the session has not the scope for it. */
function silentSink(onClose: (cause: EndCause) => void): PipeSink {
  let writable = true;
  return {
    transport: 'udp',
    get writable() {
      return writable;
    },
    ready: true,
    deliver: () => undefined,
    backlog: () => ({ messages: 0, bytes: 0 }),
    reading: () => undefined,
    close(cause) {
      writable = false;
      onClose(cause);
    },
  };
}

/**
 * An endpoint without tickets: whoever can reach it speaks in its room, as one anonymous member, and hears nothing.
 * It never sends a datagram, so that nobody can make it send one to somebody else.
 */
export class NakedUdp {
  readonly #options: NakedOptions;
  #socket: DatagramSocket | null = null;
  #source: PipeSource | null = null;
  #triedAt = -Infinity;
  readonly #rate: TokenBucket;

  private constructor(options: NakedOptions) {
    this.#options = options;
    this.#rate = new TokenBucket(options.clock, { perSecond: options.messagesPerSecond });
  }

  /** Starts to listen; a refusal where its room does not admit it. Rejects with what the system says. */
  static async listen(options: NakedOptions): Promise<NakedUdp | Refusal> {
    const naked = new NakedUdp(options);
    const refusal = naked.#enter();
    if (refusal) return refusal;
    naked.#socket = await options.sockets.bind(options.at, (datagram) => naked.#receive(datagram));
    return naked;
  }

  get address(): Address {
    return this.#socket?.address ?? this.#options.at;
  }

  close(): void {
    this.#socket?.close();
    this.#source?.ended('closed_by_peer');
    this.#socket = null;
  }

  /** Becomes a member of the room, as an anonymous client does that may only send. */
  #enter(): Refusal | undefined {
    const { clock, room, kind } = this.#options;
    this.#triedAt = clock.now();
    const formats = { send: [kind], receive: [] };
    const offer = enter(this.#options, { room, transport: TICKET_FOR, scopes: ['send'], formats }, null);
    if ('refused' in offer) return offer;
    const left = (): void => void (this.#source = null);
    this.#source = offer.open(silentSink(left));
    return undefined;
  }

  #receive(datagram: Buffer): void {
    const { clock, maxBytes, kind } = this.#options;
    if (datagram.length > maxBytes || !this.#rate.take() || (kind !== 'binary' && !isUtf8(datagram))) return;
    if (this.#source) this.#source.receive(kind, datagram);
    else if (clock.now() - this.#triedAt >= AGAIN_MS) this.#enter();
  }
}
