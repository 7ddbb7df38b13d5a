import { OPCODE, isControl } from '../../drivers/websocket/frame.js';
import type { Message, WireFrame } from '../mutant.js';
import { FrameSplitter, frameBytes } from './frame-splitter.js';
import type { FrameAndBytes } from './frame-splitter.js';

/** What to do with one direction of a WebSocket connection; without `onFrame` and `onMessage` it is only watched. */
export interface DirectionOptions {
  readonly masked: boolean;
  readonly write: (bytes: Buffer) => void;
  /** Sees each whole data message as its sender meant it, before any hook. */
  readonly watch: (message: Message) => void;
  readonly onFrame?: ((frame: WireFrame) => readonly WireFrame[]) | undefined;
  readonly onMessage?: ((message: Message) => readonly Message[]) | undefined;
}

interface OpenMessage {
  readonly kind: Message['kind'];
  readonly payloads: Buffer[];
  readonly raws: Buffer[];
}

/** The frame of one whole message. */
export function messageFrame(message: Message, masked: boolean): Buffer {
  const opcode = message.kind === 'text' ? OPCODE.text : OPCODE.binary;
  return frameBytes({ fin: true, rsv: 0, opcode, masked, payload: message.payload });
}

/** One direction of a WebSocket connection: relays bytes as they come, or message by message where a hook wants to see them. */
export class Direction {
  readonly #options: DirectionOptions;
  readonly #splitter = new FrameSplitter();
  readonly #held: boolean;
  #out: Buffer[] = [];
  #injected: Buffer[] = [];
  #open: OpenMessage | undefined;

  constructor(options: DirectionOptions) {
    this.#options = options;
    this.#held = options.onFrame !== undefined || options.onMessage !== undefined;
  }

  /** Relays `chunk`, in one write. */
  push(chunk: Buffer): void {
    if (!this.#held) this.#out.push(chunk);
    this.#splitter.push(chunk);
    for (let next = this.#splitter.next(); next !== undefined; next = this.#splitter.next()) this.#accept(next);
    if (this.#splitter.broken) this.#giveUp();
    this.#flush();
  }

  /** Sends `bytes`, whole frames, as soon as they do not fall into the middle of a message. */
  inject(bytes: Buffer): void {
    this.#injected.push(bytes);
    if (this.#out.length === 0) this.#flush();
  }

  // A held direction has written whole messages only; a relayed one stands wherever the last chunk was cut.
  get #betweenMessages(): boolean {
    if (this.#held) return this.#options.onMessage !== undefined || this.#open === undefined;
    return this.#open === undefined && this.#splitter.pendingBytes === 0;
  }

  #flush(): void {
    if (this.#betweenMessages) this.#out.push(...this.#injected.splice(0));
    const [only] = this.#out;
    const bytes = this.#out.length === 1 ? only : Buffer.concat(this.#out);
    this.#out = [];
    if (bytes !== undefined && bytes.length > 0) this.#options.write(bytes);
  }

  #giveUp(): void {
    const rest = this.#splitter.takeRest();
    if (this.#held) this.#out.push(...(this.#open?.raws ?? []), rest);
    this.#open = undefined;
  }

  #accept({ frame, raw }: FrameAndBytes): void {
    if (!this.#held) return this.#assemble(frame, raw);
    const outcome = this.#options.onFrame?.(frame) ?? [frame];
    for (const out of outcome) this.#assemble(out, out === frame ? raw : frameBytes(out));
  }

  #assemble(frame: WireFrame, raw: Buffer): void {
    const data = frame.opcode === OPCODE.text || frame.opcode === OPCODE.binary;
    if (data && this.#open !== undefined) return this.#abandon(raw);
    if (data) this.#begin(frame);
    const message = this.#open;
    const holding = this.#options.onMessage !== undefined && message !== undefined && !isControl(frame.opcode);
    if (holding) message.raws.push(raw);
    else if (this.#held) this.#out.push(raw);
    if (message === undefined || isControl(frame.opcode)) return;
    message.payloads.push(frame.payload);
    if (frame.fin) this.#finish(message);
  }

  // A message inside a message never becomes whole: its receiver is to see the violation.
  #abandon(raw: Buffer): void {
    if (this.#held) this.#out.push(...(this.#open?.raws ?? []), raw);
    this.#open = undefined;
  }

  #begin(frame: WireFrame): void {
    const kind = frame.opcode === OPCODE.text ? 'text' : 'binary';
    this.#open = { kind, payloads: [], raws: [] };
  }

  #finish({ kind, payloads, raws }: OpenMessage): void {
    this.#open = undefined;
    const message: Message = { kind, payload: Buffer.concat(payloads) };
    this.#options.watch(message);
    if (this.#options.onMessage === undefined) return;
    for (const out of this.#options.onMessage(message)) {
      if (out === message) this.#out.push(...raws);
      else this.#out.push(messageFrame(out, this.#options.masked));
    }
  }
}
