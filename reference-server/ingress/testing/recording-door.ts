import type { EndCause, Framing } from '../../../generated/types.js';
import type { Batch, Kind } from '../../ports/message.js';
import type { PipeDoor, PipeOffer, PipeSink, PipeSource } from '../../ports/pipe.js';
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
      ...(sink.carries && { carries: (message) => sink.carries?.(message) ?? true }),
      get writable() {
        return sink.writable;
      },
      get ready() {
        return sink.ready;
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
    return {
      epoch: source.epoch,
      receive: (kind, payload) => {
        this.received.push({ kind, payload });
        source.receive(kind, payload);
      },
      receivePart: (kind, payload, last) => source.receivePart(kind, payload, last),
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
