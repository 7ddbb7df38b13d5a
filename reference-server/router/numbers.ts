import type { Position } from '../../generated/types.js';
import type { Message } from '../ports/message.js';

/**
 * The numbers of messages that lie behind each other in a pipe, the first of which begins at `first`. Where bytes are
 * counted, that of a message is the number of its last byte (BYTE-1).
 */
export function numbersFrom({ unit, n }: Position, messages: readonly Pick<Message, 'payload'>[]): number[] {
  let next = n;
  return messages.map(({ payload }) => {
    const number = unit === 'byte' ? next + payload.length - 1 : next;
    next = number + 1;
    return number;
  });
}
