import type { Account, GrantDoor } from '../../ports/access.js';
import type { PipeDoor, PipeOffer } from '../../ports/pipe.js';
import type { Refusal, Result } from '../../ports/refusal.js';
import { enter } from '../enter.js';
import type { PageTickets } from './page-ticket.js';

export const TRANSPORT = 'form';

/** A session that lives for one form: it ends with it. */
const BRIEF = { sessionLingerMs: 1, ticketMs: 1000 };

/** Who posts a form: for whom a key is kept, and how a pipe comes to be. */
export interface Poster {
  /** Of all posters, and never shown. */
  readonly client: string;
  /** Spends what it takes to get one. Asked once. */
  enter(): Result<PipeOffer>;
  /** Whether the pipe is open from now on, and not only from the first message on. */
  readonly atOnce: boolean;
}

/** What posters are made of. */
export interface PosterServices {
  readonly door: PipeDoor;
  readonly grants: GrantDoor;
  readonly tickets: PageTickets;
}

interface Asking {
  readonly room: string;
  readonly account: Account;
  /** Longest message, where that is less than usual. */
  readonly most?: number;
}

const INVALID = { refused: 'ticket_invalid' } as const satisfies Refusal;

/** A session of its own for a form, whose ticket nobody else ever sees. */
function brieflyIn(services: PosterServices, { room, account, most }: Asking): Result<PipeOffer> {
  const asked = {
    room,
    transport: TRANSPORT,
    scopes: ['send' as const],
    limits: { ...BRIEF, ...(most !== undefined && { hardMessageBytes: most }) },
  };
  return enter(services, asked, account);
}

/** An account, by its token. */
export function accountPoster(services: PosterServices, { room, account }: Asking): Poster {
  return {
    client: `account ${String(account)}`,
    enter: () => brieflyIn(services, { room, account }),
    atOnce: false,
  };
}

/** Anybody, at a naked endpoint; a key is kept for the address that it comes from (naked.md). */
export function nakedPoster(
  services: PosterServices,
  { room, from, most }: { readonly room: string; readonly from: string; readonly most: number },
): Poster {
  return {
    client: `naked ${from}`,
    enter: () => brieflyIn(services, { room, account: null, most }),
    atOnce: false,
  };
}

/** Whoever shows a ticket: of a page, or of a grant; null where it is neither. */
export function ticketPoster(services: PosterServices, ticket: string, asking: Asking): Result<Poster> {
  const { room, account } = asking;
  if (services.tickets.looksLike(ticket)) {
    const client = services.tickets.client(ticket, room);
    if (client === null) return INVALID;
    if (account !== null) return accountPoster(services, asking);
    return { client: `page ${client}`, enter: () => brieflyIn(services, asking), atOnce: false };
  }
  const offer = services.door.redeem(ticket, TRANSPORT);
  if ('refused' in offer) return offer;
  if (offer.room === room) return { client: `session ${offer.sid}`, enter: () => offer, atOnce: true };
  offer.abandon();
  return INVALID;
}
