import { objectAt, stateless, stringAt, withResult } from './helpers.js';
import { onResult } from './makers.js';
import type { WireMutant } from './mutant.js';

/** Length of the messages in the case that looks at all invariants; sentinels are shorter. */
const TOLD_APART_BYTES = 64;

/** Faults that no single expectation looks for: they are noticed wherever they happen. */
export const invariantMutants: readonly WireMutant[] = [
  stateless({
    name: 'leaves-the-head-out-of-states',
    breaks: ['FRAME-1'],
    also: ['PIPE-7', 'SIB-6'],
    what: 'Answers pipe.state without headSeq, which its schema requires.',
    alter: onResult('pipe.state', (json) => {
      const result = Object.entries(objectAt(json, 'result')).filter(([name]) => name !== 'headSeq');
      return [{ ...json, result: Object.fromEntries(result) }];
    }),
  }),
  stateless({
    name: 'shows-the-ticket-in-states',
    breaks: ['SEC-8'],
    also: ['DBG-2'],
    what: 'Repeats the ticket of the grant in the answer to pipe.state.',
    alter: onResult('pipe.state', (json, link) => [
      withResult(json, { ticket: stringAt(link.session?.grant, 'pipeTicket') ?? '' }),
    ]),
  }),
  stateless({
    name: 'sets-a-reserved-bit',
    breaks: ['WS-21'],
    also: ['WS-10'],
    what: 'Sets a reserved bit of data frames of 64 bytes, as if an extension had been negotiated.',
    alter: {
      onFrameToClient: (frame, link) => {
        const marked = link.endpoint === 'pipe' && frame.payload.length === TOLD_APART_BYTES;
        return [marked ? { ...frame, rsv: 4 } : frame];
      },
    },
  }),
];
