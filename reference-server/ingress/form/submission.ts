import { createHash } from 'node:crypto';
import type { EndCause, Limits } from '../../../generated/types.js';
import type { Account } from '../../ports/access.js';
import type { Kind } from '../../ports/message.js';
import type { Outcome, PipeOffer, PipeSource } from '../../ports/pipe.js';
import type { Refusal } from '../../ports/refusal.js';
import type { Content, FieldRules } from './content.js';
import { collect } from './content.js';
import type { PartHead, Parts } from './parts.js';
import { FormPipe } from './pipe.js';
import { type Poster, type PosterServices, accountPoster, ticketPoster } from './posters.js';
import type { FormReceipt, Posted, Receipts } from './receipts.js';

/** What a submission needs of the rest. */
export interface SubmissionServices extends PosterServices {
  readonly receipts: Receipts;
  readonly limits: Readonly<Required<Limits>>;
}

/** Whose form it is, and who reads it. */
export interface SubmissionParts {
  readonly room: string;
  readonly account: Account;
  /** Where it comes from, among whom the room for receipts is shared out. */
  readonly from: string;
  reading(on: boolean): void;
  /** The router has ended the pipe: nothing more is taken. */
  closed(cause: EndCause): void;
  /** The pipe is open; time goes by this clock. */
  entered(offer: PipeOffer): void;
}

const KEY = /^[\x21-\x7e]{1,64}$/;

const KINDS: Readonly<Record<string, FieldRules>> = {
  ticket: { most: 256 },
  idempotencyKey: { most: 64 },
  _charset_: { most: 64 },
};

/** The fields of one form, in order: who posts it, then message after message (FORM-6, FORM-7). */
export class Submission implements Parts {
  readonly #services: SubmissionServices;
  readonly #parts: SubmissionParts;
  #poster: Poster | null = null;
  #key: string | null = null;
  #receipt: FormReceipt | null = null;
  #source: PipeSource | null = null;
  #offer: PipeOffer | null = null;
  #pipeOver = false;
  #content: Content | null = null;
  #fields = 0;
  #messages = 0;
  /** In the order of their numbers in the pipe. */
  readonly #sent: Posted[] = [];
  #taken = 0;

  constructor(services: SubmissionServices, parts: SubmissionParts) {
    this.#services = services;
    this.#parts = parts;
    if (parts.account !== null) this.#poster = accountPoster(services, parts);
  }

  /** Payload bytes of messages, which no other limit is to count. */
  get messageBytes(): number {
    return this.#taken;
  }

  /** Whether it is known who posts. */
  get known(): boolean {
    return this.#poster !== null;
  }

  get receipt(): FormReceipt | null {
    return this.#receipt;
  }

  begin(head: PartHead): Refusal | null {
    const { maxFormParts } = this.#services.limits;
    if (++this.#fields > maxFormParts) return { refused: 'body_too_large', limit: maxFormParts };
    const message = head.name === 'message';
    if (message && !this.#poster) return { refused: 'ticket_invalid' }; // FORM-6
    const most = this.#offer?.limits.hardMessageBytes ?? this.#services.limits.hardMessageBytes;
    const content = collect(head, message ? { most, message } : KINDS[head.name]);
    if ('refused' in content) return content;
    this.#content = content;
    return null;
  }

  data(piece: Buffer): Refusal | null {
    if (this.#content?.message) this.#taken += piece.length;
    return this.#content?.add(piece) ?? null;
  }

  end(): Refusal | null {
    const content = this.#content;
    this.#content = null;
    const whole = content?.whole() ?? null;
    if (!whole) return null;
    if ('refused' in whole) return whole;
    if (content?.message) return this.#message(whole.kind, whole.payload);
    const text = whole.payload.toString();
    if (content?.name === 'ticket') return this.#ticket(text);
    if (content?.name === 'idempotencyKey') return this.#named(text);
    return text.toLowerCase() === 'utf-8' ? null : { refused: 'unsupported_media_type' };
  }

  #ticket(text: string): Refusal | null {
    const late = this.#messages > 0 || (this.#poster !== null && this.#parts.account === null);
    if (late || this.#offer) return { refused: 'invalid_params', pointer: '/ticket' };
    const poster = ticketPoster(this.#services, text, this.#parts);
    if ('refused' in poster) return { refused: poster.refused };
    this.#poster = poster;
    return poster.atOnce ? this.#enter(poster) : null;
  }

  #named(text: string): Refusal | null {
    if (this.#key !== null || this.#messages > 0 || !KEY.test(text)) {
      return { refused: 'invalid_params', pointer: '/idempotencyKey' };
    }
    this.#key = text;
    return null;
  }

  #message(kind: Kind, payload: Buffer): Refusal | null {
    if (this.#pipeOver || !this.#poster) return null;
    const receipt = this.#begun(this.#poster);
    if ('refused' in receipt) return receipt;
    const digest = this.#key === null ? '' : digestOf(kind, payload);
    const known = receipt.messages[this.#messages];
    if (known ? known.digest !== digest : receipt.done) return { refused: 'key_reused' }; // FORM-14
    this.#messages++;
    if (known) return null;
    return this.#enter(this.#poster) ?? this.#send(receipt, { kind, payload, digest });
  }

  /** The receipt of this form: a fresh one, or what was kept under its key. */
  #begun({ client }: Poster): FormReceipt | Refusal {
    if (this.#receipt) return this.#receipt;
    const { room, from } = this.#parts;
    const key = this.#key === null ? null : `${client}\n${room}\n${this.#key}`;
    const receipt = this.#services.receipts.begin({ room, key, from });
    if (receipt.busy) return { refused: 'busy' };
    receipt.busy = true;
    if (key !== null) this.#services.receipts.keep(receipt); // so that the same form finds it while it is being posted
    return (this.#receipt = receipt);
  }

  #enter(poster: Poster): Refusal | null {
    if (this.#source) return null;
    const offer = poster.enter();
    if ('refused' in offer) return offer;
    this.#offer = offer;
    const pipe = new FormPipe({
      reading: (on) => this.#parts.reading(on),
      closed: (cause) => {
        this.#pipeOver = true;
        this.#parts.closed(cause);
      },
      settled: (outcome) => this.#settled(outcome),
    });
    this.#source = offer.open(pipe);
    this.#parts.entered(offer);
    return null;
  }

  #send(receipt: FormReceipt, message: { kind: Kind; payload: Buffer; digest: string }): null {
    const { kind, payload, digest } = message;
    const posted: Posted = { kind, bytes: payload.length, digest, settled: null };
    receipt.messages.push(posted);
    this.#sent.push(posted);
    this.#source?.receive(kind, payload);
    return null;
  }

  #settled(outcome: Outcome): void {
    const posted = this.#sent[outcome.n - 1];
    if (!posted || !this.#source || !this.#offer) return;
    posted.settled = { sid: this.#offer.sid, epoch: this.#source.epoch, outcome };
  }

  /** The whole form has come; why it is none all the same. */
  finish(): Refusal | null {
    if (this.#messages === 0) return { refused: 'invalid_params', pointer: '/message' };
    if (this.#messages < (this.#receipt?.messages.length ?? 0)) return { refused: 'key_reused' };
    return null;
  }

  /** Nothing more comes: the pipe's account is settled, and the receipt says what became of each message. */
  over(cause: EndCause): void {
    this.#pipeOver = true;
    this.#source?.ended(cause);
    const receipt = this.#receipt;
    if (!receipt) return;
    receipt.busy = false;
    // What was counted and never settled did not reach anybody: a repeat sends it again.
    const unsettled = receipt.messages.findIndex(({ settled }) => settled === null);
    if (unsettled >= 0) receipt.messages.splice(unsettled);
    if (receipt.messages.length > 0) this.#services.receipts.keep(receipt);
  }
}

function digestOf(kind: Kind, payload: Buffer): string {
  return createHash('sha256').update(`${kind}\n`).update(payload).digest('base64');
}
