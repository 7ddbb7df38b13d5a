import { withAt, withJson } from './helpers.js';
import { onRefusal } from './makers.js';
import type { WireMutant } from './mutant.js';

/** A refusal that goes out under another name and status. */
interface Misnomer {
  readonly breaks: readonly string[];
  readonly also?: readonly string[];
  readonly from: string;
  readonly to: readonly [name: string, code: number, status: number];
}

const misnomers: readonly Misnomer[] = [
  { breaks: ['OPEN-3'], from: 'parse_error', to: ['invalid_params', -32602, 400] },
  { breaks: ['OPEN-5'], from: 'unsupported_media_type', to: ['invalid_params', -32602, 400] },
  { breaks: ['OPEN-6'], also: ['DISC-3'], from: 'body_too_large', to: ['invalid_params', -32602, 400] },
  {
    breaks: ['OPEN-8'],
    also: ['OPEN-11', 'OPEN-17', 'ANON-6', 'ROOM-SPEC-1', 'ADMIN-13', 'ADMIN-23', 'OWN-3'],
    from: 'room_not_found',
    to: ['forbidden', 1002, 403],
  },
  { breaks: ['OPEN-10'], from: 'room_exists', to: ['forbidden', 1002, 403] },
  { breaks: ['OPEN-12'], from: 'transport_unsupported', to: ['invalid_params', -32602, 400] },
  { breaks: ['OPEN-14'], also: ['ANON-5'], from: 'forbidden', to: ['invalid_params', -32602, 400] },
  { breaks: ['OPEN-15'], also: ['ADMIN-13'], from: 'room_full', to: ['busy', 1023, 503] },
  { breaks: ['OPEN-16'], also: ['FMT-7'], from: 'format_unsupported', to: ['invalid_params', -32602, 400] },
  { breaks: ['WS-2', 'WS-5'], from: 'subprotocol_required', to: ['invalid_request', -32600, 400] },
  { breaks: ['WS-6'], from: 'origin_refused', to: ['forbidden', 1002, 403] },
  { breaks: ['WS-7'], from: 'host_refused', to: ['not_found', 1031, 404] },
];

function misnaming({ breaks, also, from, to: [name, code, status] }: Misnomer): WireMutant {
  const alter = onRefusal(from, (it) => ({
    ...withJson(it, withAt(it.json ?? {}, ['error'], { name, code })),
    status,
    reason: 'Refused',
  }));
  return {
    name: `calls-${from.replaceAll('_', '-')}-${name.replaceAll('_', '-')}`,
    breaks,
    also: ['HTTP-1', ...(also ?? [])],
    what: `Refuses with ${String(status)} ${name} where ${from} is due.`,
    alter: () => alter,
  };
}

const withoutPointer: WireMutant = {
  name: 'refuses-a-body-without-a-pointer',
  breaks: ['OPEN-4'],
  also: ['ROOM-LIMIT-4'],
  what: 'Does not say where the body violates its schema.',
  alter: () => onRefusal('invalid_params', (it) => withJson(it, withAt(it.json ?? {}, ['error'], { data: {} }))),
};

/** Faults in the names and statuses of refused HTTP requests. */
export const refusalMutants: readonly WireMutant[] = [...misnomers.map(misnaming), withoutPointer];
