import type { Clock, Entropy } from '../../ports/clock.js';
import type { Kind } from '../../ports/message.js';
import type { Outcome } from '../../ports/pipe.js';

const ID_BYTES = 16;

/** Where a message of a form is counted, and what became of it there. */
export interface Settled {
  readonly sid: string;
  readonly epoch: number;
  readonly outcome: Outcome;
}

/** A message that was posted; what became of it comes to be known later. */
export interface Posted {
  readonly kind: Kind;
  readonly bytes: number;
  /** Of kind and payload; empty where nobody is going to compare. */
  readonly digest: string;
  settled: Settled | null;
}

/** One form, as far as it was posted. With a key, whoever posts it again goes on where it broke off. */
export interface FormReceipt {
  /** Shows the receipt to whoever knows it. */
  readonly id: string;
  readonly room: string;
  readonly key: string | null;
  /** Where its poster came from, among whom the room for receipts is shared out. */
  readonly from: string;
  readonly messages: Posted[];
  /** The whole form has come. */
  done: boolean;
  /** Its poster is at it. */
  busy: boolean;
  expires: number;
  /** For how many messages it stands among the receipts that are kept. */
  weight: number;
}

/** What one poster has of the room for receipts. */
interface Share {
  weight: number;
  /** In the order in which they were kept. */
  readonly receipts: Set<FormReceipt>;
}

interface ReceiptLimits {
  readonly receiptMs: number;
  /** Messages of all receipts together. */
  readonly maxReceipts: number;
}

/** The receipts of forms: for a while, and so many; who has the most of them loses the oldest first. */
export class Receipts {
  readonly #clock: Clock;
  readonly #entropy: Entropy;
  readonly #limits: ReceiptLimits;
  /** In the order in which they were made. */
  readonly #byId = new Map<string, FormReceipt>();
  readonly #byKey = new Map<string, FormReceipt>();
  readonly #shares = new Map<string, Share>();
  #messages = 0;

  constructor({ clock, entropy, limits }: { clock: Clock; entropy: Entropy; limits: ReceiptLimits }) {
    this.#clock = clock;
    this.#entropy = entropy;
    this.#limits = limits;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** The receipt under a key, or a fresh one that nobody finds before it is kept. */
  begin(form: { room: string; key: string | null; from: string }): FormReceipt {
    this.#expire();
    const known = form.key === null ? undefined : this.#byKey.get(form.key);
    if (known) return known;
    const id = this.#entropy.bytes(ID_BYTES).toString('base64url');
    return { ...form, id, messages: [], done: false, busy: false, expires: 0, weight: 0 };
  }

  /** Keeps a receipt, for its time from now on. */
  keep(receipt: FormReceipt): void {
    this.#drop(receipt);
    receipt.expires = this.#clock.now() + this.#limits.receiptMs;
    this.#byId.set(receipt.id, receipt);
    if (receipt.key !== null) this.#byKey.set(receipt.key, receipt);
    receipt.weight = Math.max(1, receipt.messages.length);
    this.#messages += receipt.weight;
    const share = this.#share(receipt.from);
    share.receipts.add(receipt);
    share.weight += receipt.weight;
    while (this.#messages > this.#limits.maxReceipts && this.#byId.size > 1) this.#drop(this.#next());
  }

  /** A receipt by its id; a room's receipts are nobody else's. */
  find(id: string, room: string): FormReceipt | null {
    this.#expire();
    const found = this.#byId.get(id);
    return found?.room === room ? found : null;
  }

  expiresIn({ expires }: FormReceipt): number {
    return Math.max(1, Math.floor(expires - this.#clock.now()));
  }

  /** The oldest of whoever has the most; one that is being posted is spared while there are others. */
  #next(): FormReceipt | undefined {
    let most: Share | undefined;
    for (const share of this.#shares.values()) if (!most || share.weight > most.weight) most = share;
    const theirs = [...(most?.receipts ?? [])];
    return theirs.find(({ busy }) => !busy) ?? theirs[0];
  }

  #expire(): void {
    const now = this.#clock.now();
    for (const receipt of this.#byId.values()) {
      if (receipt.expires > now) return; // the rest is younger
      this.#drop(receipt);
    }
  }

  #drop(receipt: FormReceipt | undefined): void {
    if (!receipt || !this.#byId.delete(receipt.id)) return;
    if (receipt.key !== null) this.#byKey.delete(receipt.key);
    this.#messages -= receipt.weight;
    const share = this.#shares.get(receipt.from);
    share?.receipts.delete(receipt);
    if (share) share.weight -= receipt.weight;
    if (share?.receipts.size === 0) this.#shares.delete(receipt.from);
  }

  #share(from: string): Share {
    const share = this.#shares.get(from) ?? { weight: 0, receipts: new Set() };
    this.#shares.set(from, share);
    return share;
  }
}
