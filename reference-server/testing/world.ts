import { limits as LIMITS } from '../../generated/limits.js';
import type { Formats, Framing, Grant, Limits, RoomSpec, SessionRequest } from '../../generated/types.js';
import { developmentAuthenticator } from '../auth/development.js';
import type { Kind } from '../ports/message.js';
import type { PipeSource, Unit } from '../ports/pipe.js';
import type { Result } from '../ports/refusal.js';
import type { Store } from '../ports/store.js';
import type { RoomTerms } from '../router/room-terms.js';
import { Router } from '../router/router.js';
import type { SiblingServices } from '../sibling/connection.js';
import { systemScheduler } from '../system.js';
import { MemorySibling, MemorySink } from './memory.js';
import { CountingEntropy, HandClock, HandScheduler } from './time.js';

export const DEFAULT_LIMITS = Object.fromEntries(
  Object.entries(LIMITS).map(([name, { default: usual }]) => [name, usual]),
) as unknown as Required<Limits>;

interface WorldOptions {
  readonly limits?: Partial<Limits>;
  readonly rooms?: Readonly<Record<string, RoomSpec>>;
  /** Where persistent rooms are kept; none without. */
  readonly store?: Store;
  /** Whether rooms may be streams. */
  readonly streams?: boolean;
  /** Addresses of pipes beside those over WebSocket, by transport. */
  readonly pipes?: Readonly<Record<string, string>>;
  /** Framings of those of them that have several. */
  readonly framings?: Readonly<Record<string, readonly Framing[]>>;
  /** Ends ticks by itself; for tests with sockets that go by themselves too. */
  readonly ticking?: boolean;
}

export interface JoinOptions extends Partial<SessionRequest> {
  readonly account?: string | null;
}

/** The whole router and its siblings, with a clock, ticks and sockets that go by hand. */
export class World {
  readonly clock = new HandClock();
  readonly scheduler = new HandScheduler();
  readonly entropy = new CountingEntropy();
  readonly limits: Required<Limits>;
  readonly router: Router;
  readonly services: SiblingServices;

  constructor({
    limits = {},
    ticking = false,
    pipes = {},
    framings = {},
    store,
    streams = false,
    rooms = { lobby: { anonymous: { send: true, receive: true } } },
  }: WorldOptions = {}) {
    this.limits = { ...DEFAULT_LIMITS, ...limits };
    const { clock, entropy } = this;
    const scheduler = ticking ? systemScheduler : this.scheduler;
    this.router = new Router(
      { clock, scheduler, entropy, limits: this.limits, eventEpoch: 'epoch-1' },
      {
        roomDefaults: roomDefaults(this.limits),
        rooms: Object.entries(rooms).map(([name, spec]) => ({ name, spec })),
        store: store ?? null,
        streams,
        endpoints: { pipe: { websocket: '/pipe', ...pipes }, sibling: { websocket: '/sibling' }, framings },
        associated: new Set(['udp']),
      },
    );
    this.services = {
      siblings: this.router,
      grants: this.router,
      authenticator: developmentAuthenticator,
      clock,
      entropy,
      limits: this.limits,
      server: { name: 'test', version: '0' },
      onError: (error) => {
        throw error;
      },
    };
  }

  /** The answer to a request that needs no disk. */
  grant(options: JoinOptions = {}): Result<Grant> {
    const answer = this.ask(options);
    if (answer instanceof Promise) throw new Error('the answer waits for the store');
    return answer;
  }

  /** The answer, or what will become of it. */
  ask({ account = 'alice', ...request }: JoinOptions = {}): Result<Grant> | Promise<Result<Grant>> {
    return this.router.grant({ room: 'lobby', transport: 'websocket', ...request }, account);
  }

  /** The name that a request is refused with; undefined where it is granted. */
  refusal(options: JoinOptions = {}): string | undefined {
    const grant = this.grant(options);
    return 'refused' in grant ? grant.refused : undefined;
  }

  /** A member with an open pipe and a bound sibling. */
  join(options: JoinOptions = {}, unit?: Unit): Member {
    const member = this.member(options, unit);
    member.sibling.bind(member.grant);
    member.open();
    member.sibling.events();
    return member;
  }

  /** A member with neither. */
  member(options: JoinOptions = {}, unit?: Unit): Member {
    const grant = this.grant(options);
    if ('refused' in grant) throw new Error(`refused: ${grant.refused}`);
    return new Member(this, grant, unit);
  }

  sibling(): MemorySibling {
    return new MemorySibling(this.services);
  }
}

export class Member {
  readonly grant: Grant;
  readonly sibling: MemorySibling;
  readonly #world: World;
  readonly #unit: Unit;
  #sink = new MemorySink();
  #source: PipeSource | null = null;

  constructor(world: World, grant: Grant, unit: Unit = 'msg') {
    this.#unit = unit;
    this.#world = world;
    this.grant = grant;
    this.sibling = world.sibling();
  }

  /** The transport of the latest pipe. */
  get sink(): MemorySink {
    return this.#sink;
  }

  get source(): PipeSource {
    if (!this.#source) throw new Error('no pipe');
    return this.#source;
  }

  /** Opens a pipe; returns why not. */
  open(ticket: string = this.grant.pipeTicket): string | undefined {
    const offer = this.#world.router.redeem(ticket, 'websocket');
    if ('refused' in offer) return offer.refused;
    this.#sink = new MemorySink(this.#unit);
    const source = offer.open(this.#sink);
    this.#sink.drained = () => source.drained();
    this.#source = source;
    return undefined;
  }

  /** Opens the next pipe with a ticket from the sibling. */
  reopen(): void {
    const ticket = this.sibling.call('pipe.ticket', { transport: 'websocket' })?.result?.pipeTicket;
    const refused = this.open(String(ticket));
    if (refused) throw new Error(refused);
  }

  send(payload: string | Buffer, kind: Kind = typeof payload === 'string' ? 'text' : 'binary'): void {
    this.source.receive(kind, Buffer.from(payload));
  }

  /** What arrived, as text behind its kind. */
  get received(): string[] {
    return this.#sink.texts;
  }

  /** Names of the events since the last look, with what matters about them. */
  heard(): string[] {
    return this.sibling.events().map(({ method = '', params = {} }) => {
      const { at, error, cause, members, beforeN, replay } = params as EventFacts;
      const facts = [at?.n, error?.name, cause, members, beforeN, replay ? 'replay' : undefined];
      return [method, ...facts.filter((fact) => fact !== undefined)].join(' ');
    });
  }
}

interface EventFacts {
  readonly at?: { readonly n: number };
  readonly error?: { readonly name: string };
  readonly cause?: string;
  readonly members?: number;
  readonly beforeN?: number;
  readonly replay?: true;
}

export function roomDefaults(limits: Required<Limits>): RoomTerms {
  const { maxMessageBytes, maxMembers, maxQueuedMessages, maxQueuedBytes } = limits;
  return {
    visibility: 'public',
    lifetime: 'transient',
    format: 'any',
    onMismatch: 'reject',
    boundaries: 'kept',
    anonymous: { send: false, receive: false },
    echo: false,
    slowConsumer: 'close',
    limits: { maxMessageBytes, maxMembers, maxQueuedMessages, maxQueuedBytes },
  };
}

const KINDS: readonly Kind[] = ['text', 'json', 'binary'];

/** Members of a new room with these formats, the first of whom made it. */
export function room(
  create: RoomSpec,
  members: readonly Partial<Formats>[] = [{}, {}],
): { world: World; members: Member[] } {
  const world = new World();
  const all = { send: [...KINDS], receive: [...KINDS] };
  const joined = members.map((formats, index) =>
    world.join({ room: 'harbour', formats: { ...all, ...formats }, ...(index === 0 ? { create } : {}) }),
  );
  return { world, members: joined };
}

export function at(members: readonly Member[], index: number): Member {
  const member = members[index];
  if (!member) throw new Error(`no member ${String(index)}`);
  return member;
}
