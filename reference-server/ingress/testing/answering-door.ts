import type { PipeDoor } from '../../ports/pipe.js';

/** Passes tickets on to the real door, and keeps what each was answered, for transports that have no word for it. */
export function answeringDoor(door: PipeDoor): { readonly door: PipeDoor; readonly answers: readonly string[] } {
  const answers: string[] = [];
  const watched: PipeDoor = {
    associate: () => undefined,
    redeem(...shown) {
      const offer = door.redeem(...shown);
      answers.push('refused' in offer ? offer.refused : 'granted');
      return offer;
    },
  };
  return { door: watched, answers };
}
