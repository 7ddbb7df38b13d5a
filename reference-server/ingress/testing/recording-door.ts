import type { EndCause, Framing } from '../../../generated/types.js';
import type { Batch, Kind } from '../../ports/message.js';
import type { Association, PipeDoor, PipeOffer, PipeSink, PipeSource } from '../../ports/pipe.js';
import type { Result } from '../../ports/refusal.js';

/** Passes everything on to the real door, and keeps what an adapter does with it. */
export class RecordingDoor implements PipeDoor {
  /** What was asked of the door, in order. */
  readonly calls: string[] = [];
  /** What was received whole. */
  readonly received: { readonly kind: Kind; readonly payload: Buffer }[] = [];
  readonly batches: Batch[] = [];
  readonly causes: EndCause[] = [];
  readonly sinks: PipeSink[] = [];
  readonly #door: PipeDoor;

  constructor(door: PipeDoor) {
    this.#door = door;
  }

  redeem(ticket: string, transport: string, framing?: Framing): Result<PipeOffer> {
    const offer = this.#door.redeem(ticket, transport, framing);
    this.calls.push(`redeem ${'refused' in offer ? offer.refused : 'granted'}`);
    if ('refused' in offer) return offer;
    return this.#recorded(offer);
  }

  associate(number: string, transport: string): Association | undefined {
    const found = this.#door.associate(number, transport);
    if (!found) this.calls.push('redeem ticket_invalid');
    if (!found) return undefined;
    const redeem = (): Result<PipeOffer> => {
      const offer = found.redeem();
      this.calls.push(`redeem ${'refused' in offer ? offer.refused : 'granted'}`);
      return 'refused' in offer ? offer : this.#recorded(offer);
    };
    return { ...found, redeem };
  }

  #recorded(offer: PipeOffer): PipeOffer {
    return {
      ...offer,
      open: (sink) => this.#open(offer, sink),
      abandon: () => {
        this.calls.push('abandon');
        offer.abandon();
      },
    };
  }

  #open(offer: PipeOffer, sink: PipeSink): PipeSource {
    this.calls.push('open');
    this.sinks.push(sink);
    const source = offer.open({
      transport: sink.transport,
      ...(sink.framing && { framing: sink.framing }),
      ...(sink.unit && { unit: sink.unit }),
      ...(sink.numbered && { numbered: true }),
      ...(sink.carries && { carries: (message) => sink.carries?.(message) ?? true }),
      get writable() {
        return sink.writable;
      },
      get ready() {
        return sink.ready;
      },
      get fetches() {
        return sink.fetches === true;
      },
      deliver: (batch) => {
        this.batches.push(batch);
        sink.deliver(batch);
      },
      backlog: () => sink.backlog(),
      reading: (on) => sink.reading(on),
      close: (cause) => sink.close(cause),
      ...(sink.settled && { settled: (outcome) => sink.settled?.(outcome) }),
    });
    const parts: Buffer[] = [];
    return {
      epoch: source.epoch,
      receive: (kind, payload, n) => {
        this.received.push({ kind, payload });
        source.receive(kind, payload, n);
      },
      truncated: () => source.truncated(),
      queued: (most) => source.queued(most),
      receivePart: (kind, payload, last) => {
        parts.push(payload);
        if (last) this.received.push({ kind, payload: Buffer.concat(parts.splice(0)) });
        source.receivePart(kind, payload, last);
      },
      forgetPart: () => source.forgetPart(),
      drained: () => source.drained(),
      sendingEnded: (discardedBytes) => source.sendingEnded(discardedBytes),
      ended: (cause) => {
        this.causes.push(cause);
        source.ended(cause);
      },
    };
  }
}
