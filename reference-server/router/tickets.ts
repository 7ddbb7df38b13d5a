import { createHash } from 'node:crypto';
import type { Framing } from '../../generated/types.js';
import type { RouterContext } from './context.js';
import type { Session } from './session.js';

const TICKET_BYTES = 32;

export interface Ticket {
  readonly session: Session;
  readonly transport: string;
  readonly framing: Framing | undefined;
  /** In the session's clock time. */
  readonly expires: number;
}

const digest = (ticket: string): string => createHash('sha256').update(ticket).digest('base64');

/**
 * Tickets that are still good, by digest: a look-up compares digests, so its time tells nothing about a ticket,
 * and a memory dump holds none.
 */
export class Tickets {
  readonly #context: RouterContext;
  readonly #transports: object;
  readonly #good = new Map<string, Ticket>();
  readonly #bySession = new Map<Session, string>();
  #closed = false;

  /** `transports` has the name of each transport that the server offers as a key. */
  constructor(context: RouterContext, transports: object) {
    this.#context = context;
    this.#transports = transports;
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
  issue(session: Session, transport: string, framing?: Framing): string {
    this.revoke(session);
    const ticket = this.#context.entropy.bytes(TICKET_BYTES).toString('base64url');
    const key = digest(ticket);
    session.framing = framing;
    this.#good.set(key, {
      session,
      transport,
      framing,
      expires: session.context.clock.now() + session.limits.ticketMs,
    });
    this.#bySession.set(session, key);
    return ticket;
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
    this.#bySession.delete(session);
    this.#good.delete(key);
  }

  /** Until when the session's unused ticket is good, in clock time; 0 without one. */
  expiry(session: Session): number {
    const key = this.#bySession.get(session);
    return key === undefined ? 0 : (this.#good.get(key)?.expires ?? 0);
  }
}
