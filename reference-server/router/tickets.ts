import { createHash } from 'node:crypto';
import type { Framing } from '../../generated/types.js';
import type { RouterContext } from './context.js';
import type { Session } from './session.js';

const TICKET_BYTES = 32;
const ASSOC_BYTES = 8;

export interface Ticket {
  readonly session: Session;
  readonly transport: string;
  readonly framing: Framing | undefined;
  /** By which it is found where it is proved and not shown; null elsewhere. */
  readonly assoc: string | null;
  /** In the session's clock time. */
  readonly expires: number;
}

/** A new ticket as its client is given it. */
export interface IssuedTicket {
  readonly pipeTicket: string;
  readonly udpAssoc?: string;
}

const digest = (ticket: string): string => createHash('sha256').update(ticket).digest('base64');

/**
 * Tickets that are still good, by digest: a look-up compares digests, so its time tells nothing about a ticket,
 * and a memory dump holds none.
 */
export class Tickets {
  readonly #context: RouterContext;
  readonly #transports: object;
  readonly #associated: ReadonlySet<string>;
  /** By association number, the digests of the tickets that are proved. */
  readonly #associations = new Map<string, string>();
  readonly #good = new Map<string, Ticket>();
  readonly #bySession = new Map<Session, string>();
  #closed = false;

  /**
   * `transports` has the name of each transport that the server offers as a key; `associated` are those over which a
   * ticket is proved and not shown.
   */
  constructor(context: RouterContext, transports: object, associated: ReadonlySet<string>) {
    this.#context = context;
    this.#transports = transports;
    this.#associated = associated;
  }

  offers(transport: string): boolean {
    return Object.hasOwn(this.#transports, transport);
  }

  /** Whether no more are made, because the server is about to stop. */
  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    this.#closed = true;
  }

  /** Makes a ticket for one pipe; an older one of the session is void (TICKET-5). */
  issue(session: Session, transport: string, framing?: Framing): IssuedTicket {
    this.revoke(session);
    const { entropy } = this.#context;
    const ticket = entropy.bytes(TICKET_BYTES).toString('base64url');
    const assoc = this.#associated.has(transport) ? entropy.bytes(ASSOC_BYTES).toString('base64url') : null;
    const key = digest(ticket);
    session.framing = framing;
    const expires = session.context.clock.now() + session.limits.ticketMs;
    this.#good.set(key, { session, transport, framing, assoc, expires });
    this.#bySession.set(session, key);
    if (assoc !== null) this.#associations.set(assoc, key);
    return { pipeTicket: ticket, ...(assoc !== null && { udpAssoc: assoc }) };
  }

  /** The outstanding ticket with this number, and its digest; takes nothing out of the world. */
  associated(assoc: string, transport: string): { session: Session; digest: Buffer } | undefined {
    const key = this.#associations.get(assoc) ?? '';
    const found = this.#good.get(key);
    if (found?.transport !== transport) return undefined;
    const { session, expires } = found;
    return expires > session.context.clock.now() ? { session, digest: Buffer.from(key, 'base64') } : undefined;
  }

  /** Takes a ticket out of the world; undefined where it is unknown, used, void, late or of another transport or framing. */
  redeem(ticket: string, transport: string, framing: Framing | undefined): Session | undefined {
    const found = this.#good.get(digest(ticket));
    if (found?.transport !== transport || found.framing !== framing) return undefined;
    this.revoke(found.session);
    return found.expires > found.session.context.clock.now() ? found.session : undefined;
  }

  revoke(session: Session): void {
    const key = this.#bySession.get(session);
    if (key === undefined) return;
    const assoc = this.#good.get(key)?.assoc;
    if (typeof assoc === 'string') this.#associations.delete(assoc);
    this.#bySession.delete(session);
    this.#good.delete(key);
  }

  /** Until when the session's unused ticket is good, in clock time; 0 without one. */
  expiry(session: Session): number {
    const key = this.#bySession.get(session);
    return key === undefined ? 0 : (this.#good.get(key)?.expires ?? 0);
  }
}
