import type { Framing, Scope } from '../../../generated/types.js';
import type { GrantDoor } from '../../ports/access.js';
import type { Clock } from '../../ports/clock.js';
import type { PipeDoor, PipeOffer } from '../../ports/pipe.js';
import type { Result } from '../../ports/refusal.js';
import type { ByteSocket } from '../../ports/sockets.js';
import { TokenBucket } from '../../ports/token-bucket.js';
import { enter } from '../enter.js';
import { decoderFor } from './decoder.js';
import { NoRequests } from './no-requests.js';
import { TcpPipe } from './pipe.js';
import { Throttle } from './throttle.js';

/** A port of its own where each connection is a member of one room, from its first byte on. */
export interface NakedTcpSettings {
  readonly room: string;
  readonly framing: Framing;
  readonly scopes: readonly Scope[];
  /** Longest message; a longer one breaks its connection off. */
  readonly maxBytes: number;
  /** How fast messages are read, from all connections together. */
  readonly messagesPerSecond: number;
  /** Connections at a time. */
  readonly maxConnections: number;
}

interface NakedTcpOptions extends NakedTcpSettings {
  readonly door: PipeDoor;
  readonly grants: GrantDoor;
  readonly clock: Clock;
}

/** A little more than what senders of requests can rely on (RFC 9112, section 3). */
const LONGEST_FIRST_LINE = 8192;

/** What the tickets, which never leave the server, are made for: a transport that every server of this kind offers. */
const TICKET_FOR = 'websocket';

/** An endpoint without preamble and tickets: whoever connects is an anonymous member of its room (NAKED-1, NAKED-2). */
export class NakedTcp {
  readonly #options: NakedTcpOptions;
  readonly #rate: TokenBucket;
  #open = 0;
  /** How to end each connection whose client has ended its direction, the first of them first. */
  readonly #finished = new Set<() => void>();
  #draining = false;

  constructor(options: NakedTcpOptions) {
    this.#options = options;
    this.#rate = new TokenBucket(options.clock, { perSecond: options.messagesPerSecond });
  }

  /** Why its room would not admit what comes; undefined where it would. */
  check(): Result<{ readonly admits: true }> {
    const offer = this.#offer();
    if ('refused' in offer) return offer;
    offer.abandon();
    const fits = this.#options.framing !== 'raw' || offer.stream;
    return fits ? { admits: true } : { refused: 'framing_unsupported' };
  }

  /** A connection has come in. */
  accept(socket: ByteSocket): void {
    const { maxConnections } = this.#options;
    const { stream } = socket;
    stream.on('error', () => undefined); // its `close` follows, which is all that matters here
    const full = this.#open >= maxConnections;
    const [finished] = this.#finished;
    const offer = this.#draining || stream.destroyed || (full && !finished) ? null : this.#offer();
    if (!offer || 'refused' in offer) {
      stream.destroy(); // NAKED-5
      return;
    }
    if (full) finished?.(); // NAKED-11
    this.#take(socket, offer);
  }

  #take(socket: ByteSocket, offer: PipeOffer): void {
    const { framing, maxBytes, clock } = this.#options;
    const { keepaliveMs, maxMessageBytes } = offer.limits;
    const hardMessageBytes = Math.min(maxBytes, maxMessageBytes);
    const plain = decoderFor(framing, hardMessageBytes);
    const longest = framing === 'raw' ? LONGEST_FIRST_LINE : hardMessageBytes;
    const decoder = framing === 'frame' ? plain : new NoRequests(plain, longest); // no frame begins like a request
    const pipe = new TcpPipe({ socket, framing, clock: offer.clock, hardMessageBytes, keepaliveMs, decoder });
    const most = framing === 'raw' ? maxBytes : Infinity;
    const cost = ({ length }: Buffer): number => (framing === 'raw' ? length / maxBytes : 1);
    const hold = (on: boolean): void => pipe.hold(on);
    const over = this.#place(socket, pipe);
    const source = new Throttle(offer.open(pipe), { rate: this.#rate, clock, most, cost, hold, over });
    pipe.attach(source, Buffer.alloc(0));
  }

  /** Counts a connection until it is over, or gives its place up; it can be made to, once what is returned is called. */
  #place({ stream }: ByteSocket, pipe: TcpPipe): () => void {
    let taken = true;
    this.#open += 1;
    const leave = (): void => {
      this.#finished.delete(giveUp);
      if (taken) this.#open -= 1;
      taken = false;
    };
    const giveUp = (): void => {
      leave();
      pipe.close('replaced');
    };
    stream.once('close', leave);
    return () => {
      if (taken) this.#finished.add(giveUp);
    };
  }

  /** Takes no more connections. */
  drain(): void {
    this.#draining = true;
  }

  /** A session of its own for a connection, which ends with it, as nobody knows its secret. */
  #offer(): Result<PipeOffer> {
    const { room, scopes } = this.#options;
    const limits = { sessionLingerMs: 1, ticketMs: 1000 };
    return enter(this.#options, { room, transport: TICKET_FOR, scopes: [...scopes], limits }, null);
  }
}
