import type { FinishedRun, Violation } from './violation.js';
import { violation } from './violation.js';

/** What the drivers found against RFC 6455, and whose rule that is; whatever is not listed is WS-21. */
const RULES: Readonly<Record<string, string>> = {
  masked_by_server: 'WS-18',
  extension_not_offered: 'WS-10',
  subprotocol_not_offered: 'WS-1',
  subprotocol_repeated: 'WS-1',
  binary_on_sibling: 'FRAME-1',
};

/** Faults of the WebSocket protocol itself, which the kit's driver sees in every frame and handshake. */
export function socketViolations({ records }: FinishedRun): Violation[] {
  return records.flatMap((record) => {
    if (record.type !== 'socket' || record.event !== 'violation') return [];
    const what = record.what ?? 'unknown';
    const requirement = RULES[what] ?? 'WS-21';
    return [
      violation({
        requirement,
        record,
        expected: 'what RFC 6455 allows a server',
        received: `${what} at ${record.at}`,
      }),
    ];
  });
}
