import { type Hash, createHash } from 'node:crypto';
import type { EndCause, Limits } from '../../../generated/types.js';
import type { Account } from '../../ports/access.js';
import type { Kind } from '../../ports/message.js';
import type { Outcome, PipeOffer, PipeSource } from '../../ports/pipe.js';
import type { Refusal } from '../../ports/refusal.js';
import { type Field, type FieldRules, collect } from './field.js';
import type { PartHead, Parts } from './parts.js';
import { FormPipe } from './pipe.js';
import { type Poster, type PosterServices, accountPoster, nakedPoster, ticketPoster } from './posters.js';
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
  /** At a naked endpoint: why there may not be one more message now. */
  readonly tooSoon?: () => Refusal | null;
  reading(on: boolean): void;
  /** The router has ended the pipe: nothing more is taken. */
  closed(cause: EndCause): void;
  /** The pipe is open; time goes by this clock. */
  entered(offer: PipeOffer): void;
}

const KEY = /^[\x21-\x7e]{1,64}$/;

const NOTHING = Buffer.alloc(0);

/** A message that has begun. */
interface Begun {
  readonly receipt: FormReceipt;
  /** The message that was posted in its place before, under the same key. */
  readonly known: Posted | undefined;
  readonly kind: Kind;
  readonly digest: Hash | null;
  bytes: number;
}

/** A file that is coming; its message begins with its first byte, or where it ends without one. */
interface Upload {
  readonly named: boolean;
  begun: Begun | Refusal | null;
}

/** What is looked for beside messages. */
const FIELDS: Readonly<Record<string, FieldRules>> = {
  ticket: { most: 256 },
  idempotencyKey: { most: 64 },
  _charset_: { most: 64 },
};

/** The fields of one form, in order: who posts it, then message after message (FORM-7, FORM-10). */
export class Submission implements Parts {
  readonly #services: SubmissionServices;
  readonly #parts: SubmissionParts;
  #poster: Poster | null = null;
  #key: string | null = null;
  #receipt: FormReceipt | null = null;
  #source: PipeSource | null = null;
  #offer: PipeOffer | null = null;
  #pipeOver = false;
  /** Why the router has ended the pipe, if it has. */
  #closed: EndCause | null = null;
  #field: Field | null = null;
  #file: Upload | null = null;
  #ticketed = false;
  #fields = 0;
  #messages = 0;
  /** In the order of their numbers in the pipe. */
  readonly #sent: Posted[] = [];
  #taken = 0;

  constructor(services: SubmissionServices, parts: SubmissionParts) {
    this.#services = services;
    this.#parts = parts;
    if (parts.tooSoon) this.#poster = nakedPoster(services, { ...parts, most: services.limits.hardMessageBytes });
    else if (parts.account !== null) this.#poster = accountPoster(services, parts);
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
    if (message && head.filename !== null) {
      this.#file = { named: head.filename !== '', begun: null };
      return null;
    }
    const nobody = message ? this.#nobody : null;
    if (nobody) return nobody;
    const field = collect(head, message ? { most: this.#hardMessageBytes, message } : FIELDS[head.name]);
    if ('refused' in field) return field;
    this.#field = field;
    return null;
  }

  data(piece: Buffer): Refusal | null {
    if (this.#file) return this.#pass(this.#file, piece);
    if (this.#field?.message) this.#taken += piece.length;
    return this.#field?.add(piece) ?? null;
  }

  end(): Refusal | null {
    const [field, file] = [this.#field, this.#file];
    this.#field = this.#file = null;
    if (file) return this.#fileEnds(file);
    const content = field?.whole() ?? null;
    if (!field || !content) return null;
    if ('refused' in content) return content;
    if (field.message) return this.#text(content.bytes);
    const text = content.bytes.toString();
    if (field.name === 'ticket') return this.#ticket(text);
    if (field.name === 'idempotencyKey') return this.#named(text);
    return text.toLowerCase() === 'utf-8' ? null : { refused: 'unsupported_media_type' };
  }

  /** Why no message is taken yet, where it is not known who posts it. */
  get #nobody(): Refusal | null {
    return this.#poster ? null : { refused: 'ticket_invalid' }; // FORM-7
  }

  get #hardMessageBytes(): number {
    return (this.#offer ?? this.#services).limits.hardMessageBytes;
  }

  #text(payload: Buffer): Refusal | null {
    const begun = this.#message('text');
    if (!begun || 'refused' in begun) return begun;
    begun.digest?.update(payload);
    const fault = this.#counted(begun, payload.length);
    if (!fault && !begun.known) this.#source?.receive('text', payload);
    return fault;
  }

  /** A piece of a file goes on as it comes, as far as the room lets it flow. */
  #pass(file: Upload, piece: Buffer): Refusal | null {
    this.#taken += piece.length;
    const begun = (file.begun ??= this.#message('binary'));
    if (!begun || 'refused' in begun) return begun;
    begun.bytes += piece.length;
    const most = this.#hardMessageBytes;
    const bounded = !begun.known && this.#offer?.stream !== true;
    if (bounded && begun.bytes > most) return { refused: 'message_too_long', limit: most };
    begun.digest?.update(piece);
    if (!begun.known) this.#source?.receivePart('binary', piece, false);
    return null;
  }

  #fileEnds(file: Upload): Refusal | null {
    if (!file.named && !file.begun) return null; // FORM-12
    const begun = file.begun ?? this.#message('binary');
    if (!begun || 'refused' in begun) return begun;
    const fault = this.#counted(begun, begun.bytes);
    if (!fault && !begun.known) this.#source?.receivePart('binary', NOTHING, true);
    return fault;
  }

  #ticket(text: string): Refusal | null {
    const needless = this.#poster !== null && this.#parts.account === null; // as at a naked endpoint
    const late = this.#ticketed || this.#messages > 0;
    if (late || needless) return { refused: 'invalid_params', pointer: '/ticket' }; // FORM-18
    this.#ticketed = true;
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

  /** The next message begins; null where nobody listens any more. */
  #message(kind: Kind): Begun | Refusal | null {
    if (this.#pipeOver || !this.#poster) return this.#nobody;
    const receipt = this.#receipt ?? this.#begin(this.#poster);
    if ('refused' in receipt) return receipt;
    const known = receipt.messages[this.#messages++];
    if (!known && receipt.done) return { refused: 'key_reused' };
    const barred = known ? null : this.#parts.tooSoon?.();
    if (barred) return barred;
    const digest = this.#key === null ? null : createHash('sha256').update(`${kind}\n`);
    const begun: Begun = { receipt, known, kind, digest, bytes: 0 };
    return known ? begun : (this.#enter(this.#poster) ?? begun);
  }

  /** A message is whole: it is the one that is known, or it takes its number when it is given to the router. */
  #counted({ receipt, known, kind, digest }: Begun, bytes: number): Refusal | null {
    const shown = digest?.digest('base64') ?? '';
    if (known) return known.digest === shown ? null : { refused: 'key_reused' }; // FORM-28
    const posted: Posted = { kind, bytes, digest: shown, settled: null };
    receipt.messages.push(posted);
    this.#sent.push(posted);
    return null;
  }

  /** The receipt of this form: a fresh one, or what was kept under its key. */
  #begin({ client }: Poster): FormReceipt | Refusal {
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
        this.#closed = cause;
        this.#parts.closed(cause);
      },
      settled: (outcome) => this.#settled(outcome),
    });
    this.#source = offer.open(pipe);
    this.#parts.entered(offer);
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
    this.#source?.ended(this.#closed ?? cause);
    const receipt = this.#receipt;
    if (!receipt) return;
    receipt.busy = false;
    // What was counted and never settled did not reach anybody: a repeat sends it again.
    const unsettled = receipt.messages.findIndex(({ settled }) => settled === null);
    if (unsettled >= 0) receipt.messages.splice(unsettled);
    const wanted = receipt.key !== null || cause === 'closed_by_peer';
    if (wanted && receipt.messages.length > 0) this.#services.receipts.keep(receipt);
  }
}
