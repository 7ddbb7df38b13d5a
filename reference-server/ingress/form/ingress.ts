import type { Limits } from '../../../generated/types.js';
import type { Account, GrantDoor } from '../../ports/access.js';
import type { Clock, Entropy } from '../../ports/clock.js';
import type { Exchange, ExchangeHandler } from '../../ports/exchange.js';
import type { OpenRoom, OpenRooms } from '../../ports/open-rooms.js';
import type { PipeDoor } from '../../ports/pipe.js';
import type { Refusal } from '../../ports/refusal.js';
import { TokenBucket } from '../../ports/token-bucket.js';
import { Answers, type ShownForm } from './answers.js';
import { causeOf } from './causes.js';
import { parserFor } from './form-type.js';
import { PageTickets } from './page-ticket.js';
import { Reading } from './reading.js';
import { type FormReceipt, Receipts } from './receipts.js';
import { Submission } from './submission.js';

/** Where rooms are picked, and where messages are posted. */
export const ROOMS_PATH = '/porthouse/v1/rooms';
export const MESSAGES_TEMPLATE = `${ROOMS_PATH}/{room}/messages`;

const MESSAGES = /^\/porthouse\/v1\/rooms\/([a-z0-9][a-z0-9_-]{0,62})\/messages$/;
const ROOM = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const NAKED_PATH = '/porthouse/v1/naked/';
const MOST_ROOMS = 100;
const KEY_BYTES = 16;

export const messagesPath = (room: string): string => MESSAGES_TEMPLATE.replace('{room}', room);

/** Where forms for one room are posted by anybody, without a ticket. */
export interface NakedForm {
  readonly room: string;
  /** Longest message. */
  readonly maxBytes: number;
  /** How fast messages are taken, from everybody together. */
  readonly messagesPerSecond: number;
}

/** Where forms are posted to a naked endpoint. */
export const nakedPath = (room: string): string => `${NAKED_PATH}${room}`;

export interface FormServices {
  readonly naked?: readonly NakedForm[];
  readonly door: PipeDoor;
  readonly grants: GrantDoor;
  readonly rooms: OpenRooms;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly limits: Readonly<Required<Limits>>;
}

/** The input method of whoever has nothing but a web form, and the pages with the forms. */
export class FormIngress implements ExchangeHandler {
  readonly #services: FormServices;
  readonly #tickets: PageTickets;
  readonly #receipts: Receipts;
  readonly #naked: ReadonlyMap<string, NakedForm & { readonly rate: TokenBucket }>;

  constructor(services: FormServices) {
    const { limits, clock, naked = [] } = services;
    this.#services = services;
    this.#naked = new Map(
      naked.map((each) => [
        nakedPath(each.room),
        { ...each, rate: new TokenBucket(clock, { perSecond: each.messagesPerSecond }) },
      ]),
    );
    this.#tickets = new PageTickets(services);
    this.#receipts = new Receipts({ ...services, limits });
  }

  handles(path: string): boolean {
    return path === ROOMS_PATH || MESSAGES.test(path) || this.#naked.has(path);
  }

  async serve(exchange: Exchange): Promise<void> {
    const { request, path } = exchange;
    const naked = this.#naked.get(path);
    const room = naked?.room ?? MESSAGES.exec(path)?.[1];
    const answers = new Answers(exchange, room ?? null);
    const looks = request.method === 'GET' || request.method === 'HEAD';
    if (room !== undefined && request.method === 'POST') await this.#post(exchange, answers, { room, naked });
    else if (naked) answers.notAllowed('POST');
    else if (!looks) answers.notAllowed(room === undefined ? 'GET, HEAD' : 'GET, HEAD, POST');
    else if (room === undefined) this.#pick(exchange, answers);
    else this.#look(exchange, room, answers);
  }

  /** The rooms; or on to one that was asked for by name. */
  #pick({ query }: Exchange, answers: Answers): void {
    const asked = query.get('room')?.trim().toLowerCase() ?? '';
    if (ROOM.test(asked)) answers.redirect(messagesPath(asked));
    else answers.rooms({ ...this.#services.rooms.list(MOST_ROOMS), asked });
  }

  #look({ query }: Exchange, room: string, answers: Answers): void {
    const id = query.get('receipt');
    const receipt = id === null ? null : this.#receipts.find(id, room);
    const open = this.#services.rooms.look(room);
    if (id !== null && !receipt) answers.refuse({ refused: 'not_found' });
    else if (receipt)
      answers.form({
        room,
        open: 'refused' in open ? null : this.#formFor(open, query),
        receipt: this.#dated(receipt),
      });
    else if ('refused' in open) answers.refuse(open);
    else answers.form({ room, open: this.#formFor(open, query), receipt: null });
  }

  /** What forms need; for less than the usual time where that is asked. */
  #formFor(terms: OpenRoom, query: URLSearchParams): NonNullable<ShownForm['open']> {
    const { entropy, limits } = this.#services;
    const asked = Number(query.get('ticketMs') ?? Infinity);
    const expiresInMs = asked >= 1 ? Math.min(Math.floor(asked), limits.formTicketMs) : limits.formTicketMs;
    const ticket = this.#tickets.issue(terms.name, expiresInMs);
    const key = (): string => entropy.bytes(KEY_BYTES).toString('base64url');
    return { terms, expiresInMs, fields: () => ({ ticket, idempotencyKey: key() }) };
  }

  async #post(exchange: Exchange, answers: Answers, { room, naked }: Place): Promise<void> {
    const { request, foreign } = exchange;
    const barred = foreign ?? crossSite(exchange);
    const who = barred ?? (naked ? { account: null } : await exchange.caller());
    if ('refused' in who) {
      answers.refuse(who);
      return;
    }
    const { clock, limits } = this.#services;
    const reading = new Reading(request, clock, limits);
    const submission = this.#submission({ room, naked }, who.account, { exchange, reading });
    const parser = parserFor(request.headers, submission);
    if ('refused' in parser) {
      answers.refuse(parser);
      return;
    }
    const heard = await reading.through(parser, submission).catch((error: unknown) => {
      submission.over('lost');
      throw error;
    });
    const fault = heard === 'whole' ? submission.finish() : heard;
    if (fault === 'gone') submission.over('lost');
    else if (fault) this.#broken(submission, fault, answers);
    else this.#whole(submission, answers, room);
  }

  #submission({ room, naked }: Place, account: Account, by: { exchange: Exchange; reading: Reading }): Submission {
    const { reading } = by;
    const from = by.exchange.request.socket.remoteAddress ?? '';
    const { limits } = this.#services;
    const hardMessageBytes = Math.min(limits.hardMessageBytes, naked?.maxBytes ?? Infinity);
    return new Submission(
      { ...this.#services, limits: { ...limits, hardMessageBytes }, tickets: this.#tickets, receipts: this.#receipts },
      {
        ...{ room, account, from },
        ...(naked && { tooSoon: () => tooSoon(naked) }),
        reading: (on) => reading.reading(on),
        closed: (cause) => reading.closed(cause),
        entered: (offer) => reading.entered(offer),
      },
    );
  }

  #broken(submission: Submission, fault: Refusal, answers: Answers): void {
    submission.over(causeOf(fault));
    // Of another form's messages nothing is said here.
    answers.refuse(fault, fault.refused === 'key_reused' ? [] : submission.receipt?.messages);
  }

  #whole(submission: Submission, answers: Answers, room: string): void {
    submission.over('closed_by_peer');
    const { receipt } = submission;
    if (!receipt) throw new Error('a whole form has a receipt');
    receipt.done = true;
    answers.posted(this.#dated(receipt), messagesPath(room));
  }

  #dated(receipt: FormReceipt): FormReceipt & { readonly expiresInMs: number } {
    return { ...receipt, expiresInMs: this.#receipts.expiresIn(receipt) };
  }
}

/** Where a form is posted. */
interface Place {
  readonly room: string;
  readonly naked: (NakedForm & { readonly rate: TokenBucket }) | undefined;
}

/** Why a naked endpoint takes no message now (NAKED-13). */
function tooSoon({ rate, messagesPerSecond }: NonNullable<Place['naked']>): Refusal | null {
  return rate.take() ? null : { refused: 'rate_limited', limit: messagesPerSecond };
}

/** A browser that says that a page of another site sends this, without saying which (FORM-5). */
function crossSite({ request }: Exchange): Refusal | null {
  const site = request.headers['sec-fetch-site'];
  if (request.headers.origin !== undefined || site === undefined) return null;
  return site === 'same-origin' || site === 'none' ? null : { refused: 'origin_refused' };
}
