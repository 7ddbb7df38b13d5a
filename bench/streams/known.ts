import { readFileSync } from 'node:fs';
import { limits } from '../../generated/limits.js';

const MIB = 2 ** 20;

/** In pipes and in the memory of curl and of both ends' Node, not counting the queue of the room. */
const UNDER_WAY_BYTES = 2 * MIB;

/** The last of the three numbers of a kernel's setting: the most that it gives to one socket. */
function most(name: string): number {
  try {
    const numbers = readFileSync(`/proc/sys/net/ipv4/${name}`, 'latin1').trim().split(/\s+/);
    return Number(numbers.at(-1));
  } catch {
    return 32 * MIB; // where there is no /proc
  }
}

/**
 * How far a sender can be ahead of a reader where nobody keeps more than is allowed, in bytes: the kernel's buffers on
 * two connections, the queue of the slow member, and what is on its way between these.
 */
export function knownBuffers(): number {
  return 2 * (most('tcp_wmem') + most('tcp_rmem')) + limits.maxQueuedBytes.default + UNDER_WAY_BYTES;
}
