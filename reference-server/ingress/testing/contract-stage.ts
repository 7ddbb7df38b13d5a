import type { Test } from 'tap';
import type { EndCause, Framing, Grant } from '../../../generated/types.js';
import type { Clock } from '../../ports/clock.js';
import type { Kind } from '../../ports/message.js';
import type { PipeDoor } from '../../ports/pipe.js';
import { type JoinOptions, type Member, World } from '../../testing/world.js';
import { RecordingDoor } from './recording-door.js';

/** A message as a client of the transport sees it. */
export interface Seen {
  readonly kind: Kind;
  readonly payload: Buffer;
}

/** A client of the transport, for what every transport has. */
export interface IngressClient {
  send(kind: Kind, payload: Buffer): void;
  /** The next messages. */
  receive(count: number): Promise<readonly Seen[]>;
  /** Stops to read, and reads again. */
  pause(): void;
  resume(): void;
  /** Ends the connection in order. */
  close(): void;
  /** Breaks the connection off. */
  cut(): void;
  /** Breaks the transport's rules. */
  violate?(): void;
  /** The server's words for the end, once the connection has ended. */
  ended(): Promise<string>;
  /** What the transport itself says of each message: `accepted`, or the name of an error; where it has words for it. */
  told?(): Promise<readonly string[]>;
}

export interface RunningIngress {
  /** Opens a pipe; the name of the error where it is refused, be it that nobody answers. */
  connect(ticket: string, grant: Grant): Promise<IngressClient | string>;
  /** Shows a ticket on a connection that breaks before the handshake is over; where showing it is the whole of it, none. */
  vanish?(ticket: string): void;
  stop(): void | Promise<void>;
}

/** What an adapter brings to the suite. */
export interface IngressUnderTest {
  readonly transport: string;
  /** Where it has several ways, by which its messages are told apart. */
  readonly framing?: Framing;
  /** What a client sees for each cause for which the router ends a pipe. */
  readonly words: Readonly<Partial<Record<EndCause, string>>>;
  /** Whether a client that has ended its direction can still be sent something (TCP-18). */
  readonly halfClose?: boolean;
  /** Longest payload that it carries; any, without. */
  readonly mostBytes?: number;
  /** What a message of kind `json` arrives as; `text` without. */
  readonly json?: Kind;
  /**
   * What it has not: a connection that can break, an account of what waits, batches that are framed once for all,
   * tickets that are shown, delivery to clients that do not fetch, delivery at all.
   */
  readonly without?: readonly ('connection' | 'backlog' | 'shared frames' | 'shown tickets' | 'push' | 'delivery')[];
  start(door: PipeDoor, clock: Clock): Promise<RunningIngress>;
}

/** A running ingress before the real router, and members to talk with. */
export class Stage {
  readonly world: World;
  readonly door: RecordingDoor;
  readonly #adapter: IngressUnderTest;
  readonly #ingress: RunningIngress;

  private constructor(adapter: IngressUnderTest, ingress: RunningIngress) {
    const { transport, framing } = adapter;
    this.world = new World({
      ticking: true,
      limits: { maxQueuedBytes: 2 ** 30, maxQueuedMessages: 1_000_000 },
      pipes: { [transport]: '/elsewhere' },
      ...(framing && { framings: { [transport]: [framing] } }),
    });
    this.door = new RecordingDoor(this.world.router);
    this.#adapter = adapter;
    this.#ingress = ingress;
  }

  static async set(t: Test, adapter: IngressUnderTest): Promise<Stage> {
    const door: PipeDoor = {
      redeem: (...shown) => stage.door.redeem(...shown),
      associate: (...shown) => stage.door.associate(...shown),
    };
    const clock: Clock = { now: () => stage.world.clock.now(), after: (ms, run) => stage.world.clock.after(ms, run) };
    const ingress = await adapter.start(door, clock);
    const stage: Stage = new Stage(adapter, ingress);
    t.teardown(() => ingress.stop());
    return stage;
  }

  /** A member without a pipe, whose sibling is bound. */
  member(options: JoinOptions = {}): Member {
    const member = this.world.member({ ...options, transport: this.#adapter.transport });
    member.sibling.bind(member.grant);
    return member;
  }

  connect(grant: Grant): Promise<IngressClient | string> {
    return this.#ingress.connect(grant.pipeTicket, grant);
  }

  /** False where there is no handshake to break off. */
  vanish(ticket: string): boolean {
    this.#ingress.vanish?.(ticket);
    return this.#ingress.vanish !== undefined;
  }

  /** A member whose pipe is a connection of the transport. */
  async client(options: JoinOptions = {}): Promise<{ client: IngressClient; member: Member }> {
    const member = this.member(options);
    const client = await this.connect(member.grant);
    if (typeof client === 'string') throw new Error(client);
    return { client, member };
  }
}
