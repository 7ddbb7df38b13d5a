import type { FormReceipt as FormReceiptBody, FormTicket } from '../../../generated/types.js';
import type { Exchange, HttpAnswer, HttpRefusal } from '../../ports/exchange.js';
import type { OpenRoom } from '../../ports/open-rooms.js';
import type { ErrorName } from '../../../generated/errors.js';
import { PAGE_HEADERS } from './html.js';
import { type FormFields, formPage, refusalPage, roomsPage } from './pages.js';
import type { FormReceipt, Posted } from './receipts.js';
import { told } from './told.js';

const JSON_HEADERS = { 'content-type': 'application/json', vary: 'Accept' };

/** A room's form, or its absence, and a receipt to show. */
export interface ShownForm {
  readonly room: string;
  readonly open: { readonly terms: OpenRoom; readonly expiresInMs: number; fields(): FormFields } | null;
  readonly receipt: (FormReceipt & { readonly expiresInMs: number }) | null;
}

/** What is answered to one request: as a page to whoever asks for one, as JSON to everybody else. */
export class Answers {
  readonly #exchange: Exchange;
  readonly #room: string | null;
  readonly #wantsPage: boolean;

  constructor(exchange: Exchange, room: string | null) {
    const accept = (exchange.request.headers.accept ?? '').toLowerCase();
    this.#exchange = exchange;
    this.#room = room;
    this.#wantsPage = accept.includes('text/html') && !accept.includes('application/json');
  }

  /** Refuses, and says what became of the messages that had come before. */
  refuse(refusal: HttpRefusal, posted: readonly Posted[] = []): void {
    const messages = told(posted);
    const answer = this.#exchange.refusal(refusal, messages.length > 0 ? { messages } : {});
    if (!this.#wantsPage) this.#exchange.answer(answer);
    else this.#page(refusalPage(refusal, { room: this.#room, messages }), answer);
  }

  notAllowed(allow: string): void {
    this.refuse({ refused: 'method_not_allowed', headers: { allow } });
  }

  redirect(location: string): void {
    this.#exchange.answer({ status: 303, headers: { location, 'content-type': 'text/plain' }, body: '' });
  }

  rooms(shown: Parameters<typeof roomsPage>[0]): void {
    this.#page(roomsPage(shown));
  }

  form({ room, open, receipt }: ShownForm): void {
    if (!this.#wantsPage) this.#json(receipt ? body(receipt) : ticketOf(open));
    else
      this.#page(
        formPage({
          room,
          open: open && { terms: open.terms, text: open.fields(), file: open.fields() },
          receipt: receipt && told(receipt.messages),
        }),
      );
  }

  /** A form that has come to its end: 200, unless the room has refused every message of it (FORM-22, FORM-23). */
  posted(receipt: FormReceipt & { readonly expiresInMs: number }, path: string): void {
    const messages = told(receipt.messages);
    const [first] = messages;
    if (first?.error && messages.every(({ error }) => error)) {
      const { name, limit } = first.error;
      this.refuse({ refused: name as ErrorName, ...(limit !== undefined && { limit }) }, receipt.messages);
    } else if (this.#wantsPage) this.redirect(`${path}?receipt=${receipt.id}`);
    else this.#json(body(receipt));
  }

  #json(value: object): void {
    this.#exchange.answer({ status: 200, headers: JSON_HEADERS, body: JSON.stringify(value) });
  }

  #page(
    text: string,
    { status, headers }: Pick<HttpAnswer, 'status' | 'headers'> = { status: 200, headers: {} },
  ): void {
    this.#exchange.answer({ status, headers: { ...headers, ...PAGE_HEADERS }, body: text });
  }
}

function body({ id, room, messages, expiresInMs }: FormReceipt & { readonly expiresInMs: number }): FormReceiptBody {
  return { receipt: id, room, messages: told(messages), expiresInMs };
}

function ticketOf(open: ShownForm['open']): FormTicket {
  if (!open) throw new Error('a form that is not open is refused');
  const { name, format, maxMessageBytes } = open.terms;
  return { room: name, ...open.fields(), expiresInMs: open.expiresInMs, format, maxMessageBytes };
}
