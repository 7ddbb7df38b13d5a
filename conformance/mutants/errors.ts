import { errorName, stateless, withAt } from './helpers.js';
import type { WireMutant } from './mutant.js';

/** Faults in what errors are called. The code of the errors that a protocol of its own adds is the one most often forgotten. */
export const errorMutants: readonly WireMutant[] = [
  stateless({
    name: 'gives-own-errors-one-code',
    breaks: ['ERR-1'],
    also: ['PIPE-4', 'PIPE-6'],
    what: 'Answers pipe_exists, no_pipe and transport_unsupported with the code -32000.',
    alter: {
      onSiblingToClient: (json) => {
        const own = ['pipe_exists', 'no_pipe', 'transport_unsupported'].includes(errorName(json) ?? '');
        return [own ? withAt(json, ['error'], { code: -32000 }) : json];
      },
    },
  }),
  stateless({
    name: 'names-all-faulty-texts-alike',
    breaks: ['ERR-1'],
    also: ['RPC-1'],
    what: 'Answers a text that is no JSON with the right code and the name invalid_request.',
    alter: {
      onSiblingToClient: (json) => [
        errorName(json) === 'parse_error' ? withAt(json, ['error', 'data'], { name: 'invalid_request' }) : json,
      ],
    },
  }),
];
